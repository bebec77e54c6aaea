set -eu
if [ "$(readlink /proc/self/ns/net)" = "$(readlink /proc/1/ns/net)" ]; then echo "not in the network namespace of the machine" >&2; exit 1; fi
# In this form's namespace no close is seen on the wire: viewers go away without a word.
nft -f - <<'N'
table ip t {
  chain o {
    type filter hook output priority 0;
    tcp flags & (fin | rst) != 0x0 drop
  }
}
N
exec python3 app.py "$@"
