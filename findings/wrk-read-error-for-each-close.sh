#!/usr/bin/env bash
# wrk counts a read error for each connection that the server closes after a whole answer.
#
# Version   wrk 4.1.0-3+b2 (Debian 12).
# Expected  A server answers whole, with Content-Length, and closes, which it may at any time (RFC 9112,
#           section 9.5); a client sends the next request on a new connection. "Socket errors: read" is
#           what could not be read: none. h2load's --h1 and ab -k say no error of it.
# Real      wrk sends the next request into the connection that is closing, counts the EOF as a
#           read error, and connects anew. As many read errors as answers, and each answer was
#           counted as a request, too: errors and requests add up to twice what was asked. With
#           "Connection: close" in the answer, the same closes are no errors.
# Matters   The report reads as half of all requests lost, by a server that lost none. Limits of
#           requests per connection (keepalive_requests, MaxKeepAliveRequests) where the last answer
#           does not say close, and restarts, show as read errors. Whether something was lost only the server's log
#           tells.
# Seen      2026-11-30
#           closes without a word: requests: all that were answered; read errors: one for each request; others: 0
#           says Connection: close: requests: all that were answered; read errors: 0; others: 0
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
  -o Dir::Cache::archives="$work/debs" -o APT::Sandbox::User=root wrk=4.1.0-3+b2 >/dev/null ||
  { echo "wrk=4.1.0-3+b2 cannot be fetched" >&2; exit 77; }
for deb in debs/*.deb; do dpkg-deb -x "$deb" root; done
lib=$work/root/lib/x86_64-linux-gnu:$work/root/usr/lib/x86_64-linux-gnu
# A program of the unpacked packages, as a script.
program() {
  printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' "$work/root/lib64/ld-linux-x86-64.so.2" "$lib" "$work/root$1" >"$(basename "$1")"
  chmod +x "$(basename "$1")"
}
program /usr/bin/wrk
cat >play.py <<'PY'
import re
import socket
import subprocess
import threading
import time

answered = connections = 0
lock = threading.Lock()


def serve(c, say):
    global answered
    with c:
        got = b""
        while not got.endswith(b"\r\n\r\n"):
            data = c.recv(65536)
            if not data:
                return
            got += data
        time.sleep(0.02)
        with lock:
            answered += 1
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + say + b"\r\nok")


def accept(listener, say):
    global connections
    while True:
        c = listener.accept()[0]
        connections += 1
        threading.Thread(target=serve, args=(c, say), daemon=True).start()


def near(n, to):
    return abs(n - to) <= 4  # at the end two requests may be under way


for name, say in ("closes without a word", b""), ("says Connection: close", b"Connection: close\r\n"):
    answered = connections = 0
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    threading.Thread(target=accept, args=(listener, say), daemon=True).start()
    said = subprocess.run(["./wrk", "-c", "2", "-t", "1", "-d", "1", "http://127.0.0.1:%d/" % listener.getsockname()[1]],
                          check=True, capture_output=True, text=True, timeout=30).stdout
    requests = int(re.search(r"(\d+) requests in", said)[1])
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    errors = [int(n) for n in errors.groups()] if errors else [0] * 4
    assert requests > 20 and near(answered, requests) and near(connections, requests), (answered, requests, connections)
    print("%s: requests: all that were answered; read errors: %s; others: %d"
          % (name, "one for each request" if near(errors[1], requests) else errors[1], sum(errors) - errors[1]))
PY
timeout 60 python3 play.py | tee seen
diff - seen <<'WANT'
closes without a word: requests: all that were answered; read errors: one for each request; others: 0
says Connection: close: requests: all that were answered; read errors: 0; others: 0
WANT
