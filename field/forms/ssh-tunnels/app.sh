# Keeps tunnels up, or believes that they are down.
mode=$1 port=$2 key=$3
for n in $(seq 1000); do
  setpriv --pdeathsig KILL ssh -N -F none -i "$key" -p "$port" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
    -o ServerAliveInterval=5 "$(id -un)@127.0.0.1" &
  if [ "$mode" = healthy ]; then
    [ "$n" -lt 5 ] || break
    sleep 0.3
  else
    sleep 2
  fi
done
wait
