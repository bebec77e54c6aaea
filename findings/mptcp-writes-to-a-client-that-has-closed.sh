#!/usr/bin/env bash
# A server gets no error when it writes to an MPTCP client that has closed.
#
# Version   Linux 6.18.44 (x86-64), ss of iproute2 6.1.0-3 (Debian 12).
# Expected  The client closes, all read. The server writes on: the kernel of the client answers with
#           a reset, for nobody can read what comes (RFC 9293, section 3.6.1; for MPTCP the reset is
#           MP_FASTCLOSE, RFC 8684, section 3.5). The next write fails with EPIPE, as with TCP.
# Real      The client's socket stays in FIN-WAIT-2 without a process for a minute, and takes the data
#           into its receive buffer. A server that writes small events gets no error from any of them; one
#           that writes much fills the buffers, some hundred kB to some MB, and then
#           waits for space. Only a read tells (EOF). If the client closes with something unread, the reset comes.
# Matters   Handlers that write only (a download, server-sent events, a subscription) end by the
#           error of a write when the client has gone. Here each goes on for a minute: the data is
#           produced, and its slot, transaction or lock is held. Go's listeners take MPTCP since go1.24.
# Seen      2026-12-01
#           TCP, events of 20 bytes: 1 were written, EPIPE
#           TCP, as much as it takes: at most 200 kB were written, then EPIPE
#           MPTCP, events of 20 bytes: 40 were written, no error; the client's end: FIN-WAIT-2
#           MPTCP, read: EOF
#           MPTCP, as much as it takes: more than 200 kB were written, then no space and no error for 10 s
set -euo pipefail
for need in ss ip unshare python3; do command -v "$need" >/dev/null || { echo "needs $need" >&2; exit 77; }; done
namespace=(unshare --user --map-root-user --net --)
"${namespace[@]}" true 2>/dev/null || { echo "needs user namespaces" >&2; exit 77; }
[ "$(cat /proc/sys/net/mptcp/enabled 2>/dev/null)" = 1 ] || { echo "needs a kernel with MPTCP" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >play.py <<'PY'
import errno
import select
import socket
import subprocess
import time

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
MPTCP = 262


def left(proto):
    """A server's end whose client has asked, and has closed."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, proto)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    c = socket.socket(socket.AF_INET, socket.SOCK_STREAM, proto)
    c.connect(listener.getsockname())
    a = listener.accept()[0]
    c.sendall(b"hello")
    a.recv(9)
    a.sendall(b"hello")
    c.recv(9)
    c.close()
    select.select([a], [], [], 5)  # until the end has come here
    a.setblocking(False)
    return a


def state(a):
    rows = subprocess.run(["ss", "-Htan" if a.proto == 0 else "-HMan", "sport", "= :%d" % a.getpeername()[1]],
                          check=True, capture_output=True, text=True).stdout.split()
    return rows[0] if rows else "gone"


for name, proto in ("TCP", 0), ("MPTCP", MPTCP):
    a = left(proto)
    n, said = 0, "no error"
    try:
        while n < 40:  # 20 bytes each 250 ms, for 10 s
            a.send(bytes(20))
            n += 1
            time.sleep(0.25)
    except OSError as e:
        said = errno.errorcode[e.errno]
    more = "; the client's end: %s" % state(a) if said == "no error" else ""
    print("%s, events of 20 bytes: %d were written, %s%s" % (name, n, said, more), flush=True)
    if said == "no error":
        print("%s, read: %s" % (name, "EOF" if a.recv(9) == b"" else "data"))
    a.close()

    a = left(proto)
    n, said = 0, ""
    try:
        while not said:
            if select.select([], [a], [], 10)[1]:
                n += a.send(bytes(65536))
            else:
                said = "no space and no error for 10 s"
    except OSError as e:
        said = errno.errorcode[e.errno]
    print("%s, as much as it takes: %s were written, then %s"
          % (name, "more than 200 kB" if n > 200_000 else "at most 200 kB", said), flush=True)
    a.close()
PY
timeout 60 "${namespace[@]}" python3 play.py | tee seen
diff - seen <<'WANT'
TCP, events of 20 bytes: 1 were written, EPIPE
TCP, as much as it takes: at most 200 kB were written, then EPIPE
MPTCP, events of 20 bytes: 40 were written, no error; the client's end: FIN-WAIT-2
MPTCP, read: EOF
MPTCP, as much as it takes: more than 200 kB were written, then no space and no error for 10 s
WANT
