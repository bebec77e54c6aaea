#!/usr/bin/env bash
# SO_LINGER: close of a non-blocking socket waits for the whole time; shutdown does not wait at all.
#
# Version   Linux 6.18.44 (x86-64); man-pages 6.03 (Debian 12).
# Expected  man 7 socket: with SO_LINGER "a close(2) or shutdown(2) will not return until all queued
#           messages ... have been successfully sent or the linger timeout has been reached". A
#           non-blocking socket does not wait: close returns at once, or fails with EWOULDBLOCK (so
#           Stevens, UNIX Network Programming, 7.5). When the time is over what is left is
#           dropped (there, too).
# Real      shutdown(SHUT_WR) returns at once, with data unsent, on a blocking socket. close of a
#           non-blocking socket waits 2 s, and returns 0 (so does the close of an asyncio
#           transport, and with it the loop). When the time is over nothing is dropped: the peer that
#           reads later gets every byte, and then EOF. A second descriptor of the socket
#           (dup, a forked child) makes close return at once.
# Matters   One slow reader stops an event loop that sets SO_LINGER for as long as it says,
#           for each connection that it closes. Who half-closes "with linger" has not waited. And
#           the time does not bound how long the connection stays: it goes on without a process.
# Seen      2026-11-30
#           shutdown of a blocking socket, linger 2 s: returned at once, data unsent
#           close of a non-blocking socket, linger 2 s: returned after 2 s, data unsent
#           close of an asyncio transport, linger 2 s: the loop stood for 2 s
#           close of a socket that has a second descriptor, linger 2 s: returned at once, data unsent
#           a peer that reads after all that: gets all bytes, and EOF
set -euo pipefail
for need in ip unshare python3; do command -v "$need" >/dev/null || { echo "needs $need" >&2; exit 77; }; done
namespace=(unshare --user --map-root-user --net --)
"${namespace[@]}" true 2>/dev/null || { echo "needs user namespaces" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >play.py <<'PY'
import asyncio
import os
import socket
import struct
import subprocess
import time

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
listener = socket.create_server(("127.0.0.1", 0))


def full():
    """A connection whose peer does not read, with all that it takes written to it."""
    c = socket.socket()
    c.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32768)
    c.connect(listener.getsockname())
    peer = listener.accept()[0]
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 2))
    c.setblocking(False)
    sent, still = 0, 0
    while still < 5:  # the peer's kernel still makes room
        try:
            sent += c.send(bytes(4096))
            still = 0
        except BlockingIOError:
            still += 1
            time.sleep(0.02)
    return c, peer, sent


def timed(act):
    begin = time.monotonic()
    act()
    took = round(time.monotonic() - begin)
    return "after %d s" % took if took else "at once"


def unsent():
    rows = subprocess.run(["ss", "-Htn"], check=True, capture_output=True, text=True).stdout.splitlines()
    return "data unsent" if any(int(row.split()[2]) > 0 for row in rows) else "all sent"


def drain(peer, sent):
    peer.settimeout(5)
    got = 0
    while True:
        data = peer.recv(65536)
        if not data:
            return got == sent
        got += len(data)


ok = []
c, peer, sent = full()
c.setblocking(True)
print("shutdown of a blocking socket, linger 2 s: returned %s, %s"
      % (timed(lambda: c.shutdown(socket.SHUT_WR)), unsent()))
ok.append(drain(peer, sent))
c.close()
peer.close()

c, peer, sent = full()
print("close of a non-blocking socket, linger 2 s: returned %s, %s" % (timed(c.close), unsent()))
ok.append(drain(peer, sent))
peer.close()


async def main(c):
    _, writer = await asyncio.open_connection(sock=c)
    writer.transport.pause_reading()
    gone = []
    asyncio.get_running_loop().call_later(0.2, lambda: gone.append(time.monotonic()))
    begin = time.monotonic()
    writer.close()
    while not gone:
        await asyncio.sleep(0.01)
    return round(gone[0] - begin)

c, peer, sent = full()
print("close of an asyncio transport, linger 2 s: the loop stood for %d s" % asyncio.run(main(c)))
ok.append(drain(peer, sent))
peer.close()

c, peer, sent = full()
second = os.dup(c.fileno())
print("close of a socket that has a second descriptor, linger 2 s: returned %s, %s" % (timed(c.close), unsent()))
with socket.socket(fileno=second) as rest:
    rest.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))
ok.append(drain(peer, sent))
print("a peer that reads after all that: %s" % ("gets all bytes, and EOF" if all(ok) else "misses bytes %s" % ok))
PY
timeout 50 "${namespace[@]}" python3 play.py | tee seen
diff - seen <<'WANT'
shutdown of a blocking socket, linger 2 s: returned at once, data unsent
close of a non-blocking socket, linger 2 s: returned after 2 s, data unsent
close of an asyncio transport, linger 2 s: the loop stood for 2 s
close of a socket that has a second descriptor, linger 2 s: returned at once, data unsent
a peer that reads after all that: gets all bytes, and EOF
WANT
