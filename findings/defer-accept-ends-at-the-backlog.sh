#!/usr/bin/env bash
# TCP_DEFER_ACCEPT holds back as many silent clients as the backlog has places; then it is a SYN flood.
#
# Version   Linux 6.18.44 (x86-64).
# Expected  man 7 tcp: with TCP_DEFER_ACCEPT a listener is "awakened only when data arrives". Clients
#           that have connected and sent nothing wait in the kernel, and do not take a place
#           in the queue of accept(2), whose length is what listen(2) sets.
# Real      They wait in the SYN queue, and that has the length of the backlog, too. When it is
#           full, the kernel sees a SYN flood and sends SYN cookies (SyncookiesSent, TCPReqQFullDoCookies,
#           "Possible SYN flooding" in its log). A client with a cookie is given to accept(2) as soon
#           as it has connected: the option does nothing for it. With tcp_syncookies=0 it gets
#           no answer at all, while nothing waits to be accepted.
# Matters   nginx ("deferred"), Apache (AcceptFilter http data) and pgbouncer set the option so that
#           a worker is not held by clients that only connect. As many idle clients as the
#           backlog, which open and say nothing, take that away from all others for as long as they
#           stay, and the alarm says attack.
# Seen      2026-11-30
#           tcp_syncookies=1: clients 1 to 5 are held back, 6 to 10 are accepted without data
#           tcp_syncookies=1: ss: Recv-Q 0 of 4, SYN-RECV 5; cookies sent 5, ListenOverflows 0
#           tcp_syncookies=1: with data, clients 1 to 5 are accepted
#           tcp_syncookies=0: clients 1 to 5 are held back, 6 to 10 do not connect
#           tcp_syncookies=0: ss: Recv-Q 0 of 4, SYN-RECV 5; cookies sent 0, ListenOverflows 0
#           tcp_syncookies=0: with data, clients 1 to 5 are accepted
set -euo pipefail
for need in ss ip unshare python3; do command -v "$need" >/dev/null || { echo "needs $need" >&2; exit 77; }; done
namespace=(unshare --user --map-root-user --net --)
"${namespace[@]}" true 2>/dev/null || { echo "needs user namespaces" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >play.py <<'PY'
import select
import socket
import subprocess
import sys

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
cookies = sys.argv[1]
with open("/proc/sys/net/ipv4/tcp_syncookies", "w") as f:
    f.write(cookies)
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 30)
listener.listen(4)


def accept(wait):
    """The next connection, if one comes in that time, and what it has sent."""
    if not select.select([listener], [], [], wait)[0]:
        return None
    c = listener.accept()[0]
    c.setblocking(False)
    held.append(c)
    try:
        return c.recv(9)
    except BlockingIOError:
        return b""


def spans(what):
    out = []
    for i, word in enumerate(what, 1):
        if out and out[-1][2] == word:
            out[-1][1] = i
        else:
            out.append([i, i, word])
    return ", ".join("%d to %d %s" % (a, b, word) for a, b, word in out)


held, clients, what = [], [], []
for _ in range(10):
    c = socket.socket()
    c.settimeout(0.3)
    clients.append(c)
    try:
        c.connect(listener.getsockname())
    except TimeoutError:
        c.close()
        what.append("do not connect")
        continue
    got = accept(0.3)
    what.append({None: "are held back", b"": "are accepted without data"}.get(got, "are accepted"))
print("tcp_syncookies=%s: clients %s" % (cookies, spans(what)))

row = subprocess.run(["ss", "-Htln"], check=True, capture_output=True, text=True).stdout.split()
waiting = subprocess.run(["ss", "-Htn", "state", "syn-recv"], check=True, capture_output=True, text=True).stdout
lines = [line.split() for line in open("/proc/net/netstat")]
count = {}
for names, values in zip(lines[::2], lines[1::2]):
    count.update(zip(names[1:], map(int, values[1:])))
print("tcp_syncookies=%s: ss: Recv-Q %s of %s, SYN-RECV %d; cookies sent %d, ListenOverflows %d"
      % (cookies, row[1], row[2], len(waiting.splitlines()), count["SyncookiesSent"], count["ListenOverflows"]))

what = []
for c in clients[:5]:
    c.send(b"hello")
    what.append("are accepted" if accept(3) == b"hello" else "are not accepted")
print("tcp_syncookies=%s: with data, clients %s" % (cookies, spans(what)))
PY
for cookies in 1 0; do timeout 30 "${namespace[@]}" python3 play.py "$cookies"; done | tee seen
diff - seen <<'WANT'
tcp_syncookies=1: clients 1 to 5 are held back, 6 to 10 are accepted without data
tcp_syncookies=1: ss: Recv-Q 0 of 4, SYN-RECV 5; cookies sent 5, ListenOverflows 0
tcp_syncookies=1: with data, clients 1 to 5 are accepted
tcp_syncookies=0: clients 1 to 5 are held back, 6 to 10 do not connect
tcp_syncookies=0: ss: Recv-Q 0 of 4, SYN-RECV 5; cookies sent 0, ListenOverflows 0
tcp_syncookies=0: with data, clients 1 to 5 are accepted
WANT
