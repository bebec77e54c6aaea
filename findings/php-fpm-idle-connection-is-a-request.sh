#!/usr/bin/env bash
# php-fpm takes an idle kept FastCGI connection for a request under way: it kills the worker for it.
#
# Version   php8.2-fpm 8.2.36-1~deb12u1 (Debian 12); by hand the same behind nginx 1.22.1 with
#           keepalive and fastcgi_keep_conn on.
# Expected  request_terminate_timeout is for one request that takes too long: its worker is
#           killed. A worker whose client keeps the connection
#           (FCGI_KEEP_CONN) has answered its request: it is idle in the status page, and may stay.
# Real      In the status page it is active, in state "Reading headers", with a request duration that
#           grows; that of the request that has not begun. After request_terminate_timeout the
#           worker is killed, and with it the connection; the log has: script '' (request: " ")
#           "execution timed out". Meanwhile it serves nobody else: two kept connections, two
#           workers, and a third client waits, in the listen queue, though nothing is done anywhere.
# Matters   nginx with "keepalive 8" in front of five workers: with the limit, warnings of scripts
#           that ran too long and a 502 now and then, where nothing ran; without it clients that
#           wait for workers that wait. The count of active processes, which alarms and scalers look
#           at, is that of connections. (Known since 2019: PHP bug 78405, not changed since; issue
#           2936 of haproxy, which keeps FastCGI connections unasked, is the other half.)
# Seen      two requests answered, both connections kept: 2 workers in state Reading headers, 0 Idle
#           a third client: no answer yet, listen queue 1
#           after request_terminate_timeout: 2 connections closed, the third client is answered
#           the log: 2 x script '' execution timed out, terminating
#           (2026-12-01)
set -euo pipefail
if ! { [ "$(uname -m)" = x86_64 ] && command -v apt-get && command -v dpkg-deb && command -v python3; } >/dev/null; then
  echo "needs Debian 12 on x86-64, and python3" >&2
  exit 77
fi
work=$(mktemp -d)
fpm=
trap 'if [ -n "$fpm" ]; then kill -TERM "$fpm" 2>/dev/null || true; wait "$fpm" 2>/dev/null || true; fi; rm -rf "$work"' EXIT
chmod 711 "$work"
cd "$work"
# Nothing is installed: the pinned package is unpacked here, with all that it needs.
: >status
mkdir -p debs/partial root
apt-get install -y -qq --no-install-recommends --download-only -o Dir::State::status="$work/status" \
  -o Dir::Cache::archives="$work/debs" -o APT::Sandbox::User=root php8.2-fpm=8.2.36-1~deb12u1 >/dev/null ||
  { echo "php8.2-fpm=8.2.36-1~deb12u1 cannot be fetched" >&2; exit 77; }
for deb in debs/*.deb; do dpkg-deb -x "$deb" root; done
read -r port status < <(python3 -c 'import socket
a, b = (socket.create_server(("127.0.0.1", 0)) for _ in "ab")
print(a.getsockname()[1], b.getsockname()[1])')
cat >fpm.conf <<CONF
[global]
error_log = $work/log
daemonize = no
[www]
listen = 127.0.0.1:$port
pm = static
pm.max_children = 2
pm.status_path = /status
pm.status_listen = 127.0.0.1:$status
request_terminate_timeout = 3s
CONF
if [ "$(id -u)" = 0 ]; then printf 'user = nobody\ngroup = nogroup\n' >>fpm.conf; fi
echo 'ok' >ok.php
chmod 644 ok.php
lib=$work/root/lib/x86_64-linux-gnu:$work/root/usr/lib/x86_64-linux-gnu
"$work/root/lib64/ld-linux-x86-64.so.2" --library-path "$lib" "$work/root/usr/sbin/php-fpm8.2" -n -F -R -y fpm.conf >out 2>&1 &
fpm=$!
cat >play.py <<'PY'
import json
import os
import socket
import struct
import sys
import time

port, status, script = int(sys.argv[1]), int(sys.argv[2]), os.getcwd() + "/ok.php"


class Client:
    """A FastCGI connection."""

    def __init__(self, to):
        self.c = socket.create_connection(("127.0.0.1", to))
        self.c.settimeout(20)

    def ask(self, keep, **params):
        body = b""
        for name, value in dict(params, REQUEST_METHOD="GET").items():
            body += struct.pack("BB", len(name), len(value)) if len(value) < 128 else struct.pack(">BI", len(name), len(value) | 1 << 31)
            body += name.encode() + value.encode()
        for kind, content in ((1, struct.pack(">HB5x", 1, keep)), (4, body), (4, b""), (5, b"")):
            self.c.sendall(struct.pack(">BBHHBx", 1, kind, 1, len(content), 0) + content)

    def read(self, n):
        got = b""
        while len(got) < n:
            data = self.c.recv(n - len(got))
            if not data:
                raise EOFError
            got += data
        return got

    def answer(self):
        out = b""
        while True:
            _, kind, _, length, padding = struct.unpack(">BBHHBx", self.read(8))
            content = self.read(length + padding)[:length]
            if kind == 6:
                out += content
            if kind == 3:
                return out.split(b"\r\n\r\n", 1)[1].decode().strip()


def look():
    """The status page, which has a listener of its own."""
    c = Client(status)
    c.ask(0, SCRIPT_NAME="/status", SCRIPT_FILENAME="/status", QUERY_STRING="json&full")
    return json.loads(c.answer())


end = time.monotonic() + 10
while True:
    try:
        Client(port).c.close()
        Client(status).c.close()
        break
    except OSError:
        assert time.monotonic() < end
        time.sleep(0.05)
while any(p["state"] != "Idle" for p in look()["processes"][:2]):  # those two connections are over
    time.sleep(0.05)

kept = [Client(port), Client(port)]
for c in kept:
    c.ask(1, SCRIPT_NAME="/ok.php", SCRIPT_FILENAME=script)
    assert c.answer() == "ok"
# The page shows the workers of both listeners; the one that answers it is Running.
states = [p["state"] for p in look()["processes"] if p["state"] != "Running"]
print("two requests answered, both connections kept: %d workers in state Reading headers, %d Idle" %
      (states.count("Reading headers"), states.count("Idle")))
third = Client(port)
third.ask(0, SCRIPT_NAME="/ok.php", SCRIPT_FILENAME=script)
third.c.settimeout(1)
try:
    said = third.answer()
except TimeoutError:
    said = "no answer yet"
print("a third client: %s, listen queue %d" % (said, look()["listen queue"]))
third.c.settimeout(20)
closed = 0
for c in kept:
    try:
        closed += not c.c.recv(1)
    except ConnectionResetError:
        closed += 1
print("after request_terminate_timeout: %d connections closed, the third client is %s" %
      (closed, "answered" if third.answer() == "ok" else "not answered"))
with open("log") as f:
    lines = [line for line in f if "script ''" in line and "execution timed out" in line and "terminating" in line]
print("the log: %d x script '' execution timed out, terminating" % len(lines))
PY
timeout 60 python3 play.py "$port" "$status" | tee seen
diff seen - <<'SEEN'
two requests answered, both connections kept: 2 workers in state Reading headers, 0 Idle
a third client: no answer yet, listen queue 1
after request_terminate_timeout: 2 connections closed, the third client is answered
the log: 2 x script '' execution timed out, terminating
SEEN
