#!/usr/bin/env bash
# Unread bytes of an MPTCP connection: ss -t and /proc/net/tcp say 0, ss -M says 833 for one byte.
#
# Version   Linux 6.18.44 (x86-64), ss of iproute2 6.1.0-3 (Debian 12).
# Expected  Recv-Q of a connection is "the count of bytes not copied by the user program" (man 8
#           netstat; man ss does not say). They are in the row of the TCP connection, which ss -t lists, or in that of MPTCP (ss -M), as a number of bytes.
# Real      ss -t and /proc/net/tcp have the row of the path, with the right process, and 0: the
#           path hands the bytes on at once. ss -M has the memory they take, with some 832 bytes for each
#           buffer: 833 for one byte, 1832 for 1000, 882 for ten writes of five. FIONREAD
#           is right.
# Matters   A program that has stopped reading is found by its Recv-Q. For its MPTCP clients ss, netstat
#           and exporters of /proc/net/tcp show nothing, and ss -M cannot be compared
#           with what was sent. (Go's listeners take MPTCP since go1.24.)
# Seen      2026-12-01
#           TCP, 1 x 1 bytes: FIONREAD 1, /proc/net/tcp 1, ss -t 1
#           MPTCP, 1 x 1 bytes: FIONREAD 1, /proc/net/tcp 0, ss -t 0, ss -M 833
#           TCP, 10 x 5 bytes: FIONREAD 50, /proc/net/tcp 50, ss -t 50
#           MPTCP, 10 x 5 bytes: FIONREAD 50, /proc/net/tcp 0, ss -t 0, ss -M 882
#           TCP, 1 x 1000 bytes: FIONREAD 1000, /proc/net/tcp 1000, ss -t 1000
#           MPTCP, 1 x 1000 bytes: FIONREAD 1000, /proc/net/tcp 0, ss -t 0, ss -M 1832
set -euo pipefail
for need in ss ip unshare python3; do command -v "$need" >/dev/null || { echo "needs $need" >&2; exit 77; }; done
namespace=(unshare --user --map-root-user --net --)
"${namespace[@]}" true 2>/dev/null || { echo "needs user namespaces" >&2; exit 77; }
[ "$(cat /proc/sys/net/mptcp/enabled 2>/dev/null)" = 1 ] || { echo "needs a kernel with MPTCP" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >play.py <<'PY'
import array
import fcntl
import socket
import subprocess
import termios
import time

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
MPTCP = 262


def queue(option, port):
    row = subprocess.run(["ss", option, "state", "established", "sport", "= :%d" % port],
                         check=True, capture_output=True, text=True).stdout.split()
    return row[0] if row else "no row"


def in_proc(port):
    for line in open("/proc/net/tcp"):
        fields = line.split()
        if fields[1].endswith(":%04X" % port) and fields[3] == "01":
            return int(fields[4].split(":")[1], 16)
    return "no row"


def unread(s):
    n = array.array("i", [0])
    fcntl.ioctl(s, termios.FIONREAD, n)
    return n[0]


for writes, size in (1, 1), (10, 5), (1, 1000):
    for name, proto in ("TCP", 0), ("MPTCP", MPTCP):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, proto)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        c = socket.socket(socket.AF_INET, socket.SOCK_STREAM, proto)
        c.connect(listener.getsockname())
        a = listener.accept()[0]
        a.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for n in range(writes):
            a.send(bytes(size))
            end = time.monotonic() + 5
            while unread(c) < (n + 1) * size and time.monotonic() < end:
                time.sleep(0.005)
        port = c.getsockname()[1]
        print("%s, %d x %d bytes: FIONREAD %d, /proc/net/tcp %s, ss -t %s%s"
              % (name, writes, size, unread(c), in_proc(port), queue("-Htn", port),
                 ", ss -M " + queue("-HMn", port) if proto else ""))
        for s in c, a, listener:
            s.close()
PY
timeout 30 "${namespace[@]}" python3 play.py | tee seen
diff - seen <<'WANT'
TCP, 1 x 1 bytes: FIONREAD 1, /proc/net/tcp 1, ss -t 1
MPTCP, 1 x 1 bytes: FIONREAD 1, /proc/net/tcp 0, ss -t 0, ss -M 833
TCP, 10 x 5 bytes: FIONREAD 50, /proc/net/tcp 50, ss -t 50
MPTCP, 10 x 5 bytes: FIONREAD 50, /proc/net/tcp 0, ss -t 0, ss -M 882
TCP, 1 x 1000 bytes: FIONREAD 1000, /proc/net/tcp 1000, ss -t 1000
MPTCP, 1 x 1000 bytes: FIONREAD 1000, /proc/net/tcp 0, ss -t 0, ss -M 1832
WANT
