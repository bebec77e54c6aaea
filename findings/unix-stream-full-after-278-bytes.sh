#!/usr/bin/env bash
# A Unix stream socket is full after 278 unread bytes, if they were written one at a time.
#
# Version   Linux 6.18.44 (x86-64), ss of iproute2 6.1.0-3 (Debian 12).
# Expected  A stream has no messages: unread bytes wait in a buffer of 212,992 bytes (SO_SNDBUF, of
#           which the kernel keeps a half for itself: man 7 socket). A writer can be some
#           100,000 bytes ahead, however it writes, as with TCP over loopback or a pipe (65,536).
#           ss shows the bytes that wait: Recv-Q at the reader, Send-Q 0 at the writer, for
#           nothing waits to be sent.
# Real      AF_UNIX does not put writes together. Each takes a buffer of its own, of 768 bytes at
#           least, and all of them count against SO_SNDBUF: after 278 writes of one byte the
#           279th blocks. TCP takes 100,000 such writes with the same buffers. Send-Q of ss is this
#           memory: 213,504 for 278 bytes that are all in the other's Recv-Q.
# Matters   A log or a protocol of short lines over a Unix socket stops its writer some 280 lines
#           after the reader did, where TCP would have taken thousands. Send-Q of a Unix
#           socket is not a number of bytes, and does not say that data is not delivered.
# Seen      2026-11-30
#           unix, writes of 1 byte: full after 278 writes, 278 bytes
#           unix, writes of 100 bytes: full after 278 writes, 27800 bytes
#           unix, writes of 1000 bytes: full after 93 writes, 93000 bytes
#           tcp, writes of 1 byte: not full after 100000 writes
#           pipe, writes of 1 byte: full after 65536 writes, 65536 bytes
#           ss of the first: writer Recv-Q 0 Send-Q 213504, reader Recv-Q 278 Send-Q 0
set -euo pipefail
for need in ss ip unshare python3; do command -v "$need" >/dev/null || { echo "needs $need" >&2; exit 77; }; done
namespace=(unshare --user --map-root-user --net --)
"${namespace[@]}" true 2>/dev/null || { echo "needs user namespaces" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >play.py <<'PY'
import os
import socket
import subprocess

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
MOST = 100_000


def fill(write, size):
    data = bytes(size)
    for n in range(MOST):
        try:
            write(data)
        except BlockingIOError:
            return "full after %d writes, %d bytes" % (n, n * size)
    return "not full after %d writes" % MOST


def sized(s):
    s.setblocking(False)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 106496)  # is doubled: 212,992
    assert s.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 212992
    return s


def row(inode):
    rows = subprocess.run(["ss", "-Hx"], check=True, capture_output=True, text=True).stdout.splitlines()
    fields = next(f for f in map(str.split, rows) if f[5] == str(inode))
    return "Recv-Q %s Send-Q %s" % (fields[2], fields[3])


held = []
for size in 1, 100, 1000:
    a, b = socket.socketpair()
    held.append((a, b))
    print("unix, writes of %d byte%s: %s" % (size, "s" if size > 1 else "", fill(sized(a).send, size)))
with socket.create_server(("127.0.0.1", 0)) as listener:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 106496)
    c = socket.create_connection(listener.getsockname())
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peer = listener.accept()[0]
    print("tcp, writes of 1 byte:", fill(sized(c).send, 1))
r, w = os.pipe()
os.set_blocking(w, False)
print("pipe, writes of 1 byte:", fill(lambda data: os.write(w, data), 1))
a, b = held[0]
print("ss of the first: writer %s, reader %s" % (row(os.fstat(a.fileno()).st_ino), row(os.fstat(b.fileno()).st_ino)))
PY
timeout 50 "${namespace[@]}" python3 play.py | tee seen
diff - seen <<'WANT'
unix, writes of 1 byte: full after 278 writes, 278 bytes
unix, writes of 100 bytes: full after 278 writes, 27800 bytes
unix, writes of 1000 bytes: full after 93 writes, 93000 bytes
tcp, writes of 1 byte: not full after 100000 writes
pipe, writes of 1 byte: full after 65536 writes, 65536 bytes
ss of the first: writer Recv-Q 0 Send-Q 213504, reader Recv-Q 278 Send-Q 0
WANT
