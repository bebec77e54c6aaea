#!/usr/bin/env bash
# Redis cuts a large answer to a half-closed client; memcached sends it whole.
#
# Version   redis-server 7.0.15 (Debian 5:7.0.15-1~deb12u10), memcached 1.6.18 (Debian
#           1.6.18-1+deb12u1).
# Expected  A client sends its commands and a FIN, and reads until EOF
#           (`printf 'GET k\r\n' | nc -N`). Redis answers such a client, as PING
#           shows: the FIN says only that no command follows. So a value of 10 MB comes
#           whole, too, and the answers to 1000 GETs of 10 kB.
# Real      Redis writes what the socket takes at that moment, then reads the FIN and closes, and drops
#           the rest of the answer: the client has a part, and a clean EOF. The
#           commands were all executed. Without the FIN the same client gets all.
#           memcached sends all to both. (The client reads 200 ms later, as one over a slow
#           network. Where it read at once, over loopback, some runs had the 10 MB whole.)
# Matters   A script that works with small values returns a part of a large one, or of
#           many, and nc ends with 0. A proxy that passes on a FIN has the same effect: it is not
#           the proxy, nor a limit of the output buffer, which cuts.
# Seen      redis, small: open whole, half-closed whole
#           redis, one of 10 MB: open whole, half-closed cut, then EOF; executed 1 of 1
#           redis, 1000 of 10 kB: open whole, half-closed cut, then EOF; executed 1000 of 1000
#           memcached, small: open whole, half-closed whole
#           memcached, one of 10 MB: open whole, half-closed whole
#           memcached, 1000 of 10 kB: open whole, half-closed whole
set -euo pipefail
for tool in redis-server memcached python3; do
	command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 77; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >finding.py <<'PY'
import re
import socket
import subprocess
import time

LATER = 0.2  # seconds; a slower network has the same effect


def connect(port):
    end = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def ask(port, request, want, half_close):
    """Sends the request, reads later, and returns what came and whether EOF came."""
    c = connect(port)
    came, eof = 0, False
    c.sendall(request)
    if half_close:
        c.shutdown(socket.SHUT_WR)
    time.sleep(LATER)
    while came < want:
        data = c.recv(1 << 16)
        came += len(data)
        if not data:
            eof = True
            break
    c.close()
    return came, eof


def executed(port):
    c = connect(port)
    c.sendall(b"INFO commandstats\r\n")
    said = b""
    while not (found := re.search(rb"cmdstat_get:calls=(\d+),", said)):
        said += c.recv(1 << 16)
    c.close()
    return int(found[1])


def run(name, argv, store, head, tail):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen([*argv, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for title, size, count in (("small", 10, 1), ("one of 10 MB", 10_000_000, 1), ("1000 of 10 kB", 10_000, 1000)):
            ask(port, store(size), 5, False)
            want = count * (len(head(size)) + size + len(tail))
            said = []
            before = 0
            for half_close in (False, True):
                if name == "redis" and half_close:
                    before = executed(port)
                came, eof = ask(port, b"get k\r\n" * count, want, half_close)
                said.append("whole" if came == want else "cut, then EOF" if 0 < came < want and eof else "%d, %s" % (came, eof))
            line = "%s, %s: open %s, half-closed %s" % (name, title, *said)
            if said[1] != "whole":
                line += "; executed %d of %d" % (executed(port) - before, count)
            print(line, flush=True)
    finally:
        server.terminate()
        server.wait()


run(
    "redis",
    ["redis-server", "--bind", "127.0.0.1", "--save", "", "--port"],
    lambda size: b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n%s\r\n" % (size, b"v" * size),
    lambda size: b"$%d\r\n" % size,
    b"\r\n",
)
run(
    "memcached",
    ["memcached", "-u", "nobody", "-l", "127.0.0.1", "-I", "16m", "-m", "256", "-p"],
    lambda size: b"set k 0 0 %d\r\n%s\r\n" % (size, b"v" * size),
    lambda size: b"VALUE k 0 %d\r\n" % size,
    b"\r\nEND\r\n",
)
PY
timeout 60 python3 finding.py | tee output
diff - output <<'WANT'
redis, small: open whole, half-closed whole
redis, one of 10 MB: open whole, half-closed cut, then EOF; executed 1 of 1
redis, 1000 of 10 kB: open whole, half-closed cut, then EOF; executed 1000 of 1000
memcached, small: open whole, half-closed whole
memcached, one of 10 MB: open whole, half-closed whole
memcached, 1000 of 10 kB: open whole, half-closed whole
WANT
