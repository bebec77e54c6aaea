#!/usr/bin/env bash
# Each client that leaves raises mosquitto's max_connections by one.
#
# Version   mosquitto 2.0.11-1.2+deb12u2 (Debian 12).
# Expected  mosquitto.conf(5): max_connections limits "the total number of clients connected for the
#           current listener". With 2, two clients have CONNACK at a time, and the next is closed, whatever
#           came before.
# Real      So it is only while nobody leaves. A client that goes is subtracted twice from what the
#           listener counts: after 3 that came and went five may be connected, after 30
#           thirty-two. ($SYS/broker/clients/connected is right.) Known: issue 1460 of
#           eclipse-mosquitto/mosquitto, of 2019, open; it is in Debian 12.
# Matters   The limit is there in a test, and not in a broker that has run for a day. What protects its
#           descriptors is then the limit of the process alone.
# Seen      2026-11-30
#           max_connections 2, 0 clients came and went: 2 of 40 are connected
#           max_connections 2, 3 clients came and went: 5 of 40 are connected
#           max_connections 2, 30 clients came and went: 32 of 40 are connected
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
  -o Dir::Cache::archives="$work/debs" -o APT::Sandbox::User=root mosquitto=2.0.11-1.2+deb12u2 >/dev/null ||
  { echo "mosquitto=2.0.11-1.2+deb12u2 cannot be fetched" >&2; exit 77; }
for deb in debs/*.deb; do dpkg-deb -x "$deb" root; done
lib=$work/root/lib/x86_64-linux-gnu:$work/root/usr/lib/x86_64-linux-gnu
# A program of the unpacked packages, as a script.
program() {
  printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' "$work/root/lib64/ld-linux-x86-64.so.2" "$lib" "$work/root$1" >"$(basename "$1")"
  chmod +x "$(basename "$1")"
}
program /usr/sbin/mosquitto
cat >play.py <<'PY'
import socket
import subprocess
import time


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def client(port, name):
    """A client of MQTT 3.1.1, or None if it was not taken."""
    payload = b"\x00\x04MQTT\x04\x02\x00\x3c" + len(name).to_bytes(2, "big") + name
    c = socket.create_connection(("127.0.0.1", port))
    c.settimeout(10)
    try:
        c.sendall(b"\x10" + bytes([len(payload)]) + payload)
        if c.recv(4) == b"\x20\x02\x00\x00":
            return c
    except ConnectionError:
        pass
    c.close()
    return None


def play(before):
    port = free_port()
    with open("m.conf", "w") as f:
        f.write("listener %d 127.0.0.1\nallow_anonymous true\nuser root\nmax_connections 2\nlog_dest none\n" % port)
    broker = subprocess.Popen(["./mosquitto", "-c", "m.conf"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                c = client(port, b"first") if before else socket.create_connection(("127.0.0.1", port))
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        if not before:  # the connection that asked whether the broker listens counts: it stays, as a client
            payload = b"\x00\x04MQTT\x04\x02\x00\x3c\x00\x05first"
            c.sendall(b"\x10" + bytes([len(payload)]) + payload)
            assert c.recv(4) == b"\x20\x02\x00\x00"
            clients = [c]
        else:
            clients = []
            for i in range(before):
                c = c if i == 0 else client(port, b"gone%d" % i)
                c.sendall(b"\xe0\x00")  # DISCONNECT
                assert c.recv(1) == b""
                c.close()
        tried = 40 - len(clients)
        clients += [client(port, b"c%d" % i) for i in range(tried)]
        print("max_connections 2, %d clients came and went: %d of 40 are connected"
              % (before, len([c for c in clients if c])), flush=True)
    finally:
        broker.terminate()
        broker.wait(10)


for before in 0, 3, 30:
    play(before)
PY
timeout 60 python3 play.py | tee seen
diff - seen <<'WANT'
max_connections 2, 0 clients came and went: 2 of 40 are connected
max_connections 2, 3 clients came and went: 5 of 40 are connected
max_connections 2, 30 clients came and went: 32 of 40 are connected
WANT
