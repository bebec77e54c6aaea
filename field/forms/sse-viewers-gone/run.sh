. "$FORM_LIB/form.sh"
server=fieldS$$ viewers=fieldV$$
cleanup() {
  ip netns del $server
  ip netns del $viewers
}
ip netns add $server
ip netns add $viewers
ip link add fs$$ netns $server type veth peer name fv$$ netns $viewers
ip -n $server addr add 10.77.0.1/24 dev fs$$
ip -n $server link set fs$$ up
ip -n $server link set lo up
ip -n $viewers addr add 10.77.0.2/24 dev fv$$
ip -n $viewers link set fv$$ up
ip netns exec $viewers nft -f - <<'N'
table ip t {
  chain o {
    type filter hook output priority 0;
    tcp flags & (fin | rst) != 0x0 drop
  }
}
N
role app ip netns exec $server node app.js "$mode" 8088
for _ in $(seq 100); do
  ip netns exec $server ss -Hltn sport = 8088 | grep -q . && break
  sleep 0.1
done
role viewers ip netns exec $viewers python3 viewers.py 8088
hold
