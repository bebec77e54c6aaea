set -eu
# Of this form's namespace.
echo 40000 40599 >/proc/sys/net/ipv4/ip_local_port_range
echo 0 >/proc/sys/net/ipv4/tcp_tw_reuse
exec python3 app.py "$@"
