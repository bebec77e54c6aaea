set -eu
if [ "$(readlink /proc/self/ns/net)" = "$(readlink /proc/1/ns/net)" ]; then echo "not in the network namespace of the machine" >&2; exit 1; fi
echo 5 >/proc/sys/net/ipv4/tcp_fin_timeout # of this form's namespace
exec python3 app.py "$@"
