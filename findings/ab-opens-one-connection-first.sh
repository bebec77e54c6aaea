#!/usr/bin/env bash
# ab -c 4 opens one connection; the other three when the first answer has come.
#
# Version   apache2-utils 2.4.71-1~deb12u1 (Debian 12).
# Expected  man ab: -c is the "number of multiple requests to perform at a time", "concurrency level" the
#           number of clients "used during the test". Four connections are opened at once; 12 requests
#           of 1 s take 3 s.
# Real      One connection is opened and has its request. The others come when it was answered, 1 s
#           later, so that 12 requests take 4 s, with -k and without. If the first answer takes longer
#           than -s, the server has seen one request, and ab ends without a result.
# Matters   The slow first answer of a service (a cold cache, a pool that connects) is measured
#           alone, and no test with ab sends it -c requests at once: the rush at a start is what it
#           does not play. Short runs of slow requests give a rate that is too low.
# Seen      2026-12-01
#           -k: before the first answer 1 connection, 1 request; 12 requests after 4 s
#           without -k: before the first answer 1 connection, 1 request; 12 requests after 4 s
#           -k -s 1, answers after 2 s: before the first answer 1 connection, 1 request; no result after 1 s
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
  -o Dir::Cache::archives="$work/debs" -o APT::Sandbox::User=root apache2-utils=2.4.71-1~deb12u1 >/dev/null ||
  { echo "apache2-utils=2.4.71-1~deb12u1 cannot be fetched" >&2; exit 77; }
for deb in debs/*.deb; do dpkg-deb -x "$deb" root; done
lib=$work/root/lib/x86_64-linux-gnu:$work/root/usr/lib/x86_64-linux-gnu
# A program of the unpacked packages, as a script.
program() {
  printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' "$work/root/lib64/ld-linux-x86-64.so.2" "$lib" "$work/root$1" >"$(basename "$1")"
  chmod +x "$(basename "$1")"
}
program /usr/bin/ab
cat >play.py <<'PY'
import socket
import subprocess
import threading
import time

events = []
delay = 1.0


def serve(c):
    with c:
        try:
            while True:
                got = b""
                while not got.endswith(b"\r\n\r\n"):
                    data = c.recv(65536)
                    if not data:
                        return
                    got += data
                events.append("request")
                time.sleep(delay)
                events.append("answer")
                more = b"Connection: keep-alive\r\n" if b"Connection: Keep-Alive" in got else b""
                c.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n" + more + b"\r\nok")
                if not more:
                    return
        except OSError:
            pass


def accept(listener):
    while True:
        c = listener.accept()[0]
        events.append("connection")
        threading.Thread(target=serve, args=(c,), daemon=True).start()


listener = socket.create_server(("127.0.0.1", 0), backlog=64)
threading.Thread(target=accept, args=(listener,), daemon=True).start()
url = "http://127.0.0.1:%d/" % listener.getsockname()[1]
for name, options, delay in (("-k", ["-k"], 1.0), ("without -k", [], 1.0), ("-k -s 1, answers after 2 s", ["-k", "-s", "1"], 2.0)):
    events.clear()
    begin = time.monotonic()
    done = subprocess.run(["./ab", *options, "-n", "12", "-c", "4", url], stdin=subprocess.DEVNULL, timeout=30,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    took = round(time.monotonic() - begin)
    before = events[:events.index("answer")] if "answer" in events else list(events)
    print("%s: before the first answer %d connection, %d request; %s after %d s"
          % (name, before.count("connection"), before.count("request"),
             "12 requests" if b"Complete requests:      12" in done.stdout else "no result", took), flush=True)
    time.sleep(0.1)
PY
timeout 60 python3 play.py | tee seen
diff - seen <<'WANT'
-k: before the first answer 1 connection, 1 request; 12 requests after 4 s
without -k: before the first answer 1 connection, 1 request; 12 requests after 4 s
-k -s 1, answers after 2 s: before the first answer 1 connection, 1 request; no result after 1 s
WANT
