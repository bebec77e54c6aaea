#!/usr/bin/env bash
# twemproxy reads client_connections, refuses nonsense for it, and limits nothing.
#
# Version   nutcracker 0.5.0+dfsg-2 (twemproxy 0.5.0, Debian 12).
# Expected  README: "client_connections: The maximum number of connections allowed from redis clients."
#           With 3, the fourth client is not accepted, or closed.
# Real      All clients are served, and the statistics say client_connections 12. The value is parsed:
#           "client_connections: x" is an error of the configuration. Known: issue 477 of
#           twitter/twemproxy, of 2016, open; the README of 0.5.0 says it still.
# Matters   Who sized descriptors and mbufs by this limit has none. Past the real one, the descriptors of
#           the process, connections to the servers fail like those from clients.
# Seen      2026-11-30
#           client_connections: x: refused
#           client_connections: 3: 12 of 12 clients served; statistics: client_connections 12, server_connections 2, curr_connections 15
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
  -o Dir::Cache::archives="$work/debs" -o APT::Sandbox::User=root nutcracker=0.5.0+dfsg-2 >/dev/null ||
  { echo "nutcracker=0.5.0+dfsg-2 cannot be fetched" >&2; exit 77; }
for deb in debs/*.deb; do dpkg-deb -x "$deb" root; done
lib=$work/root/lib/x86_64-linux-gnu:$work/root/usr/lib/x86_64-linux-gnu
# A program of the unpacked packages, as a script.
program() {
  printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' "$work/root/lib64/ld-linux-x86-64.so.2" "$lib" "$work/root$1" >"$(basename "$1")"
  chmod +x "$(basename "$1")"
}
program /usr/sbin/nutcracker
cat >play.py <<'PY'
import json
import socket
import subprocess
import threading
import time


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def serve(c):
    with c:
        while c.recv(65536):  # one command at a time comes
            c.sendall(b"$-1\r\n")


def accept(listener):
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


redis = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=accept, args=(redis,), daemon=True).start()
port, stats = free_port(), free_port()
conf = """p:
  listen: 127.0.0.1:%d
  hash: fnv1a_64
  distribution: ketama
  redis: true
  server_connections: 2
  client_connections: %%s
  servers:
   - 127.0.0.1:%d:1 backend
""" % (port, redis.getsockname()[1])


def settings(limit):
    with open("n.yml", "w") as f:
        f.write(conf % limit)
    return ["./nutcracker", "-c", "n.yml", "-a", "127.0.0.1", "-s", str(stats), "-i", "100"]


said = subprocess.run([*settings("x"), "-t"], capture_output=True, text=True)
print("client_connections: x: %s" % ("refused" if said.returncode else "accepted"))
proxy = subprocess.Popen(settings("3"), stderr=subprocess.DEVNULL)
try:
    clients, served = [], 0
    while len(clients) < 12:
        try:
            c = socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            assert not clients and proxy.poll() is None
            time.sleep(0.05)
            continue
        c.settimeout(5)
        clients.append(c)
        c.sendall(b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n")
        served += c.recv(99) == b"$-1\r\n"
    end = time.monotonic() + 5
    while True:
        with socket.create_connection(("127.0.0.1", stats)) as c:
            answer = b""
            while data := c.recv(65536):
                answer += data
        got = json.loads(answer)
        pool = got["p"]
        if pool["client_connections"] == served or time.monotonic() > end:
            break
        time.sleep(0.1)
    print("client_connections: 3: %d of 12 clients served; statistics: client_connections %d, server_connections %d, curr_connections %d"
          % (served, pool["client_connections"], pool["backend"]["server_connections"], got["curr_connections"]))
finally:
    proxy.terminate()
    proxy.wait(10)
PY
timeout 60 python3 play.py | tee seen
diff - seen <<'WANT'
client_connections: x: refused
client_connections: 3: 12 of 12 clients served; statistics: client_connections 12, server_connections 2, curr_connections 15
WANT
