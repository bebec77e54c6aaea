#!/usr/bin/env bash
# An established connection ends with ECONNREFUSED two seconds after a firewall rejects it.
#
# Version   Linux 6.18.44, nft 1.0.6 (Debian), Python's socket module.
# Expected  A pooled connection with TCP_USER_TIMEOUT 2 s; then a rule rejects the port in the
#           output hook, with an ICMP message (nft's default for "reject"). A new connection is
#           refused at once. The pooled one either sees that, too, at once, or is silent
#           and ends after 2 s with ETIMEDOUT, as tcp(7) says of TCP_USER_TIMEOUT: "forcibly
#           close the corresponding connection and return ETIMEDOUT to the application".
# Real      send() succeeds, 2 s pass, and then recv() fails with ECONNREFUSED, or EHOSTUNREACH
#           for host-unreachable and admin-prohibited: the kernel keeps the errno of the last
#           ICMP message, and reports it in place of ETIMEDOUT. Only with "drop" it is
#           ETIMEDOUT; with "tcp reset" it is ECONNRESET at once.
# Matters   Clients take ECONNREFUSED for "was never connected, so nothing was sent", and repeat
#           what must not be repeated; counters of timeouts stay at zero, and the errno says
#           that nothing listens, where the server listens and holds the connection.
# Seen      drop: new: timeout; pooled: sent, then ETIMEDOUT after the user timeout
#           reject: new: ECONNREFUSED at once; pooled: sent, then ECONNREFUSED after the user timeout
#           reject with icmp type host-unreachable: new: EHOSTUNREACH at once; pooled: sent, then EHOSTUNREACH after the user timeout
#           reject with icmp type admin-prohibited: new: EHOSTUNREACH at once; pooled: sent, then EHOSTUNREACH after the user timeout
#           reject with tcp reset: new: ECONNREFUSED at once; pooled: sent, then ECONNRESET at once
set -euo pipefail
for tool in unshare ip nft python3; do
	command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 77; }
done
unshare -Urn true 2>/dev/null || { echo "needs user namespaces" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >finding.py <<'PY'
import errno
import socket
import subprocess
import time

USER_TIMEOUT = 2.0  # seconds


def nft(rules):
    subprocess.run(["nft", "-f", "-"], input=rules.encode(), check=True)


def name(e):
    return errno.errorcode.get(e.errno, "timeout")


def when(begin):
    took = time.monotonic() - begin
    if took < 0.5:
        return "at once"
    if USER_TIMEOUT - 0.1 <= took < USER_TIMEOUT + 1:
        return "after the user timeout"
    return "after %.1f s" % took


for verdict in (
    "drop",
    "reject",
    "reject with icmp type host-unreachable",
    "reject with icmp type admin-prohibited",
    "reject with tcp reset",
):
    listener = socket.create_server(("127.0.0.1", 0))
    to = listener.getsockname()
    pooled = socket.create_connection(to, timeout=10)
    peer, _ = listener.accept()
    pooled.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(USER_TIMEOUT * 1000))
    nft("table inet finding { chain out { type filter hook output priority 0; tcp dport %d %s; }; }" % (to[1], verdict))
    begin = time.monotonic()
    try:
        socket.create_connection(to, timeout=1)
        new = "connected"
    except OSError as e:
        new = name(e)
        if new != "timeout":
            new += " " + when(begin)
    begin = time.monotonic()
    try:
        pooled.send(b"x")
        said = "sent"
    except OSError as e:
        said = name(e)
    try:
        said += ", then %r" % pooled.recv(1)
    except OSError as e:
        said += ", then %s %s" % (name(e), when(begin))
    nft("delete table inet finding")
    print("%s: new: %s; pooled: %s" % (verdict, new, said), flush=True)
PY
unshare -Urn sh -c 'ip link set lo up && exec python3 finding.py' | tee output
diff - output <<'WANT'
drop: new: timeout; pooled: sent, then ETIMEDOUT after the user timeout
reject: new: ECONNREFUSED at once; pooled: sent, then ECONNREFUSED after the user timeout
reject with icmp type host-unreachable: new: EHOSTUNREACH at once; pooled: sent, then EHOSTUNREACH after the user timeout
reject with icmp type admin-prohibited: new: EHOSTUNREACH at once; pooled: sent, then EHOSTUNREACH after the user timeout
reject with tcp reset: new: ECONNREFUSED at once; pooled: sent, then ECONNRESET at once
WANT
