#!/usr/bin/env bash
# memcached -c 100 serves 28 clients with 16 threads, and 88 with one: it counts descriptors.
#
# Version   memcached 1.6.18-1+deb12u1 (Debian 12).
# Expected  "-c, --conn-limit=<num>  max simultaneous connections": with -c 100 a hundred clients are
#           served, and the next one is told "ERROR Too many open connections".
# Real      The number is the process's limit of descriptors, and a client is refused when its
#           descriptor would be the last one. Each thread has four of its own, the rest of the process a
#           few, so a client less for each. "stats" says max_connections 100, and
#           that curr_connections is 28 while it counts rejected_connections.
# Matters   curr_connections never comes near max_connections: an alarm at 90 % of it does not ring
#           before clients are refused, and more threads for more load make room for fewer
#           clients. rejected_connections is what to watch.
# Seen      2026-11-30
#           -c 100 -t 1: 88 clients served, then "ERROR Too many open connections"; max_connections 100, curr_connections 88
#           -c 100 -t 4: 76 clients served, then "ERROR Too many open connections"; max_connections 100, curr_connections 76
#           -c 100 -t 16: 28 clients served, then "ERROR Too many open connections"; max_connections 100, curr_connections 28
set -euo pipefail
if [ "$(uname -m)" != x86_64 ] || ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
  echo "needs Debian 12 on x86-64" >&2
  exit 77
fi
command -v python3 >/dev/null || { echo "needs python3" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# Nothing is installed: the pinned packages are unpacked here, with all that they need.
: >status
mkdir -p debs/partial root
apt-get install -y -qq --no-install-recommends --download-only -o Dir::State::status="$work/status" \
  -o Dir::Cache::archives="$work/debs" -o APT::Sandbox::User=root memcached=1.6.18-1+deb12u1 >/dev/null ||
  { echo "memcached=1.6.18-1+deb12u1 cannot be fetched" >&2; exit 77; }
for deb in debs/*.deb; do dpkg-deb -x "$deb" root; done
lib=$work/root/lib/x86_64-linux-gnu:$work/root/usr/lib/x86_64-linux-gnu
# A program of the unpacked packages, as a script.
program() {
  printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' "$work/root/lib64/ld-linux-x86-64.so.2" "$lib" "$work/root$1" >"$(basename "$1")"
  chmod +x "$(basename "$1")"
}
program /usr/bin/memcached
cat >play.py <<'PY'
import socket
import subprocess
import sys
import time


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def connect(port):
    c = socket.create_connection(("127.0.0.1", port))
    c.settimeout(5)
    return c


def play(threads):
    port = free_port()
    server = subprocess.Popen(["./memcached", "-u", "root", "-l", "127.0.0.1", "-p", str(port), "-U", "0",
                               "-c", "100", "-t", str(threads)], stdin=subprocess.DEVNULL)
    clients, refused = [], ""
    try:
        for _ in range(100):
            try:
                clients.append(connect(port))
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        while not refused and len(clients) < 120:
            clients[-1].sendall(b"version\r\n")
            answer = clients[-1].recv(200).decode().strip()
            if answer.startswith("VERSION"):
                clients.append(connect(port))
            else:
                refused = answer
        stats, said = b"", {}
        clients[0].sendall(b"stats\r\n")
        while not stats.endswith(b"END\r\n"):
            stats += clients[0].recv(65536)
        for line in stats.decode().splitlines()[:-1]:
            said[line.split()[1]] = line.split()[2]
        print('-c 100 -t %d: %d clients served, then "%s"; max_connections %s, curr_connections %s'
              % (threads, len(clients) - 1, refused, said["max_connections"], said["curr_connections"]), flush=True)
    finally:
        server.terminate()
        server.wait(10)


for threads in map(int, sys.argv[1:]):
    play(threads)
PY
timeout 60 python3 play.py 1 4 16 | tee seen
diff - seen <<'WANT'
-c 100 -t 1: 88 clients served, then "ERROR Too many open connections"; max_connections 100, curr_connections 88
-c 100 -t 4: 76 clients served, then "ERROR Too many open connections"; max_connections 100, curr_connections 76
-c 100 -t 16: 28 clients served, then "ERROR Too many open connections"; max_connections 100, curr_connections 28
WANT
