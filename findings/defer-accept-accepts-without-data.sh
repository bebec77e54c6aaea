#!/usr/bin/env bash
# A listener with TCP_DEFER_ACCEPT wakes for a FIN, and after the time it takes the silent client.
#
# Version   Linux 6.18.44 (x86-64).
# Expected  man 7 tcp: the listener is "awakened only when data arrives"; the seconds "bound the
#           maximum number of attempts TCP will make to complete the connection". A check that
#           connects and closes never reaches the program. A client that says nothing for that
#           time is given up: its connection is not completed.
# Real      A FIN is as good as data: connect and close, or connect and shutdown, wake the listener at
#           once. Only a client that resets instead is never seen. After the time the silent client is
#           not given up but given to accept(2), empty. And the time is rounded up to when a
#           SYN-ACK is repeated: 1, 3, 7, 15 s. 2 s are read back as 3, and last 3.
# Matters   The option does not keep TCP health checks from the workers, nor clients that say
#           nothing: a read after accept can wait for ever, and needs its own timeout as without
#           the option. What it saves is the wait of the first seconds.
# Seen      2026-11-30
#           30 s, client closes: accepted at once, reads EOF
#           30 s, client half-closes: accepted at once, reads EOF
#           30 s, client resets: not accepted
#           1 s (reads back 1), client is silent: accepted after 1 s, reads nothing
#           2 s (reads back 3), client is silent: accepted after 3 s, reads nothing
#           4 s (reads back 7), client is silent: accepted after 7 s, reads nothing
set -euo pipefail
for need in ip unshare python3; do command -v "$need" >/dev/null || { echo "needs $need" >&2; exit 77; }; done
namespace=(unshare --user --map-root-user --net --)
"${namespace[@]}" true 2>/dev/null || { echo "needs user namespaces" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >play.py <<'PY'
import select
import socket
import struct
import subprocess
import time

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
DEFER = socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT


def half_close(c):
    c.shutdown(socket.SHUT_WR)


def reset(c):
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()


def play(name, seconds, act, wait):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.setsockopt(*DEFER, seconds)
        listener.listen(8)
        back = listener.getsockopt(*DEFER)
        c = socket.create_connection(listener.getsockname())
        begin = time.monotonic()
        act(c)
        said = "not accepted"
        if select.select([listener], [], [], wait)[0]:
            took = round(time.monotonic() - begin)
            a = listener.accept()[0]
            a.setblocking(False)
            try:
                got = "reads data" if a.recv(9) else "reads EOF"
            except BlockingIOError:
                got = "reads nothing"
            said = "accepted %s, %s" % ("after %d s" % took if took else "at once", got)
            a.close()
        if c.fileno() >= 0:
            c.close()
        label = "%d s" % seconds if act is not silent else "%d s (reads back %d)" % (seconds, back)
        print("%s, client %s: %s" % (label, name, said), flush=True)


def silent(c):
    pass


play("closes", 30, socket.socket.close, 1.5)
play("half-closes", 30, half_close, 1.5)
play("resets", 30, reset, 1.5)
for seconds in 1, 2, 4:
    play("is silent", seconds, silent, 12)
PY
timeout 50 "${namespace[@]}" python3 play.py | tee seen
diff - seen <<'WANT'
30 s, client closes: accepted at once, reads EOF
30 s, client half-closes: accepted at once, reads EOF
30 s, client resets: not accepted
1 s (reads back 1), client is silent: accepted after 1 s, reads nothing
2 s (reads back 3), client is silent: accepted after 3 s, reads nothing
4 s (reads back 7), client is silent: accepted after 7 s, reads nothing
WANT
