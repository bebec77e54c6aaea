#!/usr/bin/env bash
# One of four connections is never answered: wrk and siege do not mention it, hey overruns, ab gives no report.
#
# Version   wrk 4.1.0-3+b2, siege 4.0.7-1+b1, hey 0.1.4-2+b4, apache2-utils 2.4.71-1~deb12u1 (ab), Debian 12.
# Expected  wrk --timeout 1s ("socket/request timeout") over 4 s counts the request under "timeout". siege
#           counts it among the failed. hey -z 2s ("when duration is reached, application stops and
#           exits") ends after 2 s and lists the error. ab -s 1 ("maximum number of seconds to wait
#           before the socket times out") counts it among the failed.
# Real      wrk looks at the clock when an answer has come: what comes late is a timeout, what
#           never comes is nothing, and there is no line of errors (issue 297 of wg/wrk, open).
#           siege leaves out what is under way at the end: 100 % available. hey waits until -t (20 s
#           if not set), which stretches the run and divides its requests a second: then it
#           counts the error. ab's -s is for all of them together: when the others have
#           finished it gives up with exit code 119, and prints no result.
# Matters   A lost connection, a worker that hangs, an answer that a proxy has lost: what a load test
#           is to find. Of four tools one counts it. Compare the number of connections that ss shows with
#           those that move.
# Seen      2026-12-01
#           wrk, 4 s, timeout 1 s: ends after 4 s, requests, no errors
#           siege, 3 s: ends after 3 s, requests, availability 100.00, failed 0
#           hey, 2 s, timeout 6 s: ends after 6 to 8 s, requests, errors 1
#           ab, timeout 1 s: exit code 119, no result
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
import subprocess
import threading
import time

lock = threading.Lock()
mute = False  # whether a connection that is never answered has been chosen


def serve(c):
    global mute
    with c:
        try:
            n = 0
            while True:
                got = b""
                while not got.endswith(b"\r\n\r\n"):
                    data = c.recv(65536)
                    if not data:
                        return
                    got += data
                with lock:
                    chosen = not mute and answered[0] >= 10
                    mute = mute or chosen
                if chosen:
                    while c.recv(65536):
                        pass
                    return
                time.sleep(0.1)
                with lock:
                    answered[0] += 1
                c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok")
        except OSError:
            pass


def accept(listener):
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


answered = [0]
listener = socket.create_server(("127.0.0.1", 0), backlog=64)
threading.Thread(target=accept, args=(listener,), daemon=True).start()
url = "http://127.0.0.1:%d/" % listener.getsockname()[1]
with open("siegerc", "w") as f:
    f.write("connection = keep-alive\njson_output = true\ntimeout = 30\n")


def run(*command):
    """What a tool says, its exit code, and how long it took."""
    global mute
    mute, answered[0] = False, 0
    begin = time.monotonic()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=30, env={**os.environ, "HOME": os.getcwd()})
    took = time.monotonic() - begin
    assert mute
    return done.stdout.decode("utf-8", "replace"), done.returncode, round(took)


def some(n):
    return "requests" if int(n) >= 10 else "%s requests" % n


said, code, took = run("./wrk", "-c", "4", "-t", "1", "-d", "4", "--timeout", "1", url)
errors = re.findall(r"Socket errors:.*", said)
print("wrk, 4 s, timeout 1 s: ends after %d s, %s, %s"
      % (took, some(re.search(r"(\d+) requests in", said)[1]), errors[0] if errors else "no errors"), flush=True)
said, code, took = run("./siege", "-R", "siegerc", "-b", "-t", "3S", "-c", "4", url)
got = dict(re.findall(r'"(\w+)":\s+([\d.]+)', said))
print("siege, 3 s: ends after %s, %s, availability %s, failed %s"
      % ("3 s" if took in (2, 3) else "%d s" % took, some(got["successful_transactions"]), got["availability"],
         got["failed_transactions"]), flush=True)
said, code, took = run("./hey", "-z", "2s", "-t", "6", "-c", "4", url)
print("hey, 2 s, timeout 6 s: ends after %s, %s, errors %s"
      % ("6 to 8 s" if 6 <= took <= 8 else "%d s" % took, some(re.search(r"\[200\]\s+(\d+)", said)[1]),
         sum(int(n) for n in re.findall(r"\[(\d+)\]\tGet ", said))), flush=True)
said, code, took = run("./ab", "-k", "-n", "40", "-c", "4", "-s", "1", url)
print("ab, timeout 1 s: exit code %d, %s" % (code, "a result" if "Complete requests" in said else "no result"))
PY
timeout 60 python3 play.py | tee seen
diff - seen <<'WANT'
wrk, 4 s, timeout 1 s: ends after 4 s, requests, no errors
siege, 3 s: ends after 3 s, requests, availability 100.00, failed 0
hey, 2 s, timeout 6 s: ends after 6 to 8 s, requests, errors 1
ab, timeout 1 s: exit code 119, no result
WANT
