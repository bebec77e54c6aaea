#!/usr/bin/env bash
# ab, hey and siege count answers that were cut in half as successes; siege those that were reset, too.
#
# Version   apache2-utils 2.4.71-1~deb12u1 (ab), hey 0.1.4-2+b4, siege 4.0.7-1+b1, wrk 4.1.0-3+b2 (Debian 12).
# Expected  The server says Content-Length: 100, sends 50 bytes and closes: an answer that is not
#           complete (RFC 9112, section 8), an error in curl and in Go's http.Client. ab: "Failed
#           requests" (man ab: also those of "incorrect content length"). hey: a line in its "Error
#           distribution". siege: "failed transactions", availability 0 %.
# Real      ab: 10 complete, 0 failed: Length is compared with the first answer, not with Content-Length.
#           hey: 10 responses with 200, and its total of data is 1000 bytes, of which 500 came: it adds
#           up Content-Length, and does not look at the error of the body. siege: 100 %
#           available, also if a reset cuts the answers (it prints ten times "Connection reset by peer" and
#           counts 0 failed). Only wrk counts no request, but errors of read.
# Matters   A backend or proxy that is restarted, or runs out of time, under load cuts answers just
#           so. Three of four tools say that nobody noticed. The server's own count of aborted
#           answers, or the bytes that came, tell.
# Seen      2026-11-30
#           ab: Complete requests: 10; Failed requests: 0; HTML transferred: 500 bytes
#           hey: [200] 10 responses; Total data: 1000 bytes
#           siege: availability 100.00; successful_transactions 10; failed_transactions 0
#           siege, cut by a reset: availability 100.00; successful_transactions 10; failed_transactions 0; said Connection reset by peer 10 times
#           wrk: 0 requests; read errors: all
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
  -o Dir::Cache::archives="$work/debs" -o APT::Sandbox::User=root apache2-utils=2.4.71-1~deb12u1 hey=0.1.4-2+b4 siege=4.0.7-1+b1 wrk=4.1.0-3+b2 >/dev/null ||
  { echo "apache2-utils=2.4.71-1~deb12u1 hey=0.1.4-2+b4 siege=4.0.7-1+b1 wrk=4.1.0-3+b2 cannot be fetched" >&2; exit 77; }
for deb in debs/*.deb; do dpkg-deb -x "$deb" root; done
lib=$work/root/lib/x86_64-linux-gnu:$work/root/usr/lib/x86_64-linux-gnu
# A program of the unpacked packages, as a script.
program() {
  printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' "$work/root/lib64/ld-linux-x86-64.so.2" "$lib" "$work/root$1" >"$(basename "$1")"
  chmod +x "$(basename "$1")"
}
program /usr/bin/ab
program /usr/bin/hey
program /usr/bin/siege
program /usr/bin/wrk
cat >play.py <<'PY'
import os
import re
import socket
import struct
import subprocess
import threading
import time

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\n"
reset = False


def serve(c):
    with c:
        got = b""
        while not got.endswith(b"\r\n\r\n"):
            data = c.recv(65536)
            if not data:
                return
            got += data
        c.sendall(HEAD + bytes(50))
        time.sleep(0.02)  # the client has it, and a loop of wrk is slow enough
        if reset:
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def accept(listener):
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


listener = socket.create_server(("127.0.0.1", 0), backlog=64)
threading.Thread(target=accept, args=(listener,), daemon=True).start()
url = "http://127.0.0.1:%d/" % listener.getsockname()[1]


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=30, env={**os.environ, "HOME": os.getcwd()})
    return done.stdout.decode("utf-8", "replace")


def find(pattern, text):
    return [" ".join(m.split()) for m in re.findall(pattern, text)]


print("ab:", "; ".join(find(r"Complete requests: +\d+|Failed requests: +\d+|HTML transferred: +\d+ bytes",
                            run("./ab", "-n", "10", "-c", "2", url))))
said = run("./hey", "-n", "10", "-c", "2", url)
print("hey:", "; ".join(find(r"\[\d+\]\s+\d+ responses", said) + find(r"Total data:\s+\d+ bytes", said)
                        + find(r"Error distribution", said)))
for reset in False, True:
    said = run("./siege", "-b", "-c", "2", "-r", "5", url)
    counts = ["%s %s" % m for m in re.findall(
        r'"(availability|successful_transactions|failed_transactions)":\s+([\d.]+)', said)]
    if reset:
        counts.append("said Connection reset by peer %d times" % len(re.findall("read error Connection reset", said)))
    print("siege%s:" % (", cut by a reset" if reset else ""), "; ".join(counts))
reset = False
said = run("./wrk", "-c", "2", "-t", "1", "-d", "1", url)
errors = re.search(r"read (\d+)", re.search(r"Socket errors:.*", said)[0])[1]
print("wrk: %s requests; read errors: %s" % (re.search(r"(\d+) requests in", said)[1],
                                             "all" if int(errors) > 20 else errors))
PY
timeout 60 python3 play.py | tee seen
diff - seen <<'WANT'
ab: Complete requests: 10; Failed requests: 0; HTML transferred: 500 bytes
hey: [200] 10 responses; Total data: 1000 bytes
siege: availability 100.00; successful_transactions 10; failed_transactions 0
siege, cut by a reset: availability 100.00; successful_transactions 10; failed_transactions 0; said Connection reset by peer 10 times
wrk: 0 requests; read errors: all
WANT
