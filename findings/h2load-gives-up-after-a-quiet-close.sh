#!/usr/bin/env bash
# h2load --h1 gives up a client, and the rest of its requests, after a close that no answer announced.
#
# Version   nghttp2-client 1.52.0-1+deb12u3 of Debian 12.
# Expected  A server may close a connection after any answer (RFC 9112, section 9.5). With HTTP/1.1
#           h2load connects again, as it does where the third answer says Connection: close: 60
#           requests of 2 clients, 60 answers, on 20 connections. After a close that no answer
#           announced one request of each third may fail, as it was on its way.
# Real      The client does not connect again. The rest of its requests is never sent, and counts
#           as errors: 6 answers and 54 errors, and 2 connections. The server has seen 6 requests.
# Matters   Where a server closes quietly, after some requests or at a restart, h2load loses one
#           client after the other, and reports what they did not send as errors. It reads as
#           an outage, and was one closed connection a client. The share of errors grows with
#           -n, which has nothing to do with the server.
# Seen      announced: 60 succeeded, 0 errored; the server: 60 requests on 20 connections
#           quiet: 6 succeeded, 54 errored; the server: 6 requests on 2 connections
set -euo pipefail
[ "$(uname -m)" = x86_64 ] && command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null && command -v python3 >/dev/null ||
  { echo "needs Debian 12 on x86-64, and python3" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# Nothing is installed: the pinned package is unpacked here, with all that it needs.
: >status
mkdir -p debs/partial root
apt-get install -y -qq --no-install-recommends --download-only -o Dir::State::status="$work/status" \
  -o Dir::Cache::archives="$work/debs" -o APT::Sandbox::User=root nghttp2-client=1.52.0-1+deb12u3 >/dev/null ||
  { echo "the package cannot be fetched" >&2; exit 77; }
for deb in debs/*.deb; do dpkg-deb -x "$deb" root; done
cat >play.py <<'PY'
import re
import socket
import subprocess
import sys
import threading


class Server:
    """Closes each connection after its third answer, which says so if it announces it."""

    def __init__(self, announces):
        self.announces, self.lock = announces, threading.Lock()
        self.requests = self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            c, _ = self.listener.accept()
            with self.lock:
                self.connections += 1
            threading.Thread(target=self.answer, args=(c,), daemon=True).start()

    def answer(self, c):
        with c, c.makefile("rb") as lines:
            for left in (2, 1, 0):
                if not lines.readline():
                    return
                while lines.readline().strip():
                    pass
                with self.lock:
                    self.requests += 1
                close = b"Connection: close\r\n" if self.announces and left == 0 else b""
                c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + close + b"\r\nok")


for announces in (True, False):
    server = Server(announces)
    url = "http://127.0.0.1:%d/" % server.listener.getsockname()[1]
    out = subprocess.run([*sys.argv[1:], "--h1", "-n", "60", "-c", "2", url], capture_output=True, text=True, timeout=60, check=True)
    succeeded, errored = re.search(r"(\d+) succeeded, .* (\d+) errored", out.stdout).groups()
    print("%s: %s succeeded, %s errored; the server: %d requests on %d connections" % (
        "announced" if announces else "quiet", succeeded, errored, server.requests, server.connections))
PY
lib=$work/root/lib/x86_64-linux-gnu:$work/root/usr/lib/x86_64-linux-gnu
timeout 90 python3 play.py "$work/root/lib64/ld-linux-x86-64.so.2" --library-path "$lib" "$work/root/usr/bin/h2load" | tee seen
diff seen - <<'SEEN'
announced: 60 succeeded, 0 errored; the server: 60 requests on 20 connections
quiet: 6 succeeded, 54 errored; the server: 6 requests on 2 connections
SEEN
