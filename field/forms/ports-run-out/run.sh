set -eu
if [ "$(readlink /proc/self/ns/net)" = "$(readlink /proc/1/ns/net)" ]; then echo "not in the network namespace of the machine" >&2; exit 1; fi
# Of this form's namespace.
echo 40000 40599 >/proc/sys/net/ipv4/ip_local_port_range
echo 0 >/proc/sys/net/ipv4/tcp_tw_reuse
exec python3 app.py "$@"
