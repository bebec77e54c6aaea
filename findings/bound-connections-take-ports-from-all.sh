#!/usr/bin/env bash
# A connection that was bound to an address, port 0, takes its port from all that are not bound.
#
# Version   Linux 6.18.44 (x86-64).
# Expected  Without bind(2) a port is used again for each destination: ten ports are ten connections to
#           each. A program that binds to a source address with port 0 loses that for itself: its
#           port is one of ten, whatever the destination (man 7 ip, IP_BIND_ADDRESS_NO_PORT). Who does not
#           bind, and goes elsewhere, is not concerned: its addresses and ports differ.
# Real      connect(2) of an unbound socket passes over each port that was given by bind(2), whichever
#           local address it was given for. Five connections bound to 127.0.0.2, to one server,
#           leave five ports to 127.0.0.1 and another server, then EADDRNOTAVAIL. So it is until the
#           last of them is gone, in FIN-WAIT-2 and TIME-WAIT too. With IP_BIND_ADDRESS_NO_PORT it is ten.
# Matters   A pool, a proxy or a scanner with a source address, and everything else that binds without
#           that option, takes ports from every program of the host or pod, to every destination. "Cannot
#           assign requested address" comes to who has few connections, and no destination in ss
#           has as many as there are ports.
# Seen      2026-11-30
#           10 ports, nothing else: 10 connections to B, then EADDRNOTAVAIL
#           5 connections to A, not bound: 10 connections to B, then EADDRNOTAVAIL
#           5 connections to A, bound to 127.0.0.1: 5 connections to B, then EADDRNOTAVAIL
#           5 connections to A, bound to 127.0.0.2: 5 connections to B, then EADDRNOTAVAIL
#           5 connections to A, bound to 127.0.0.2, now in FIN-WAIT-2: 5 connections to B, then EADDRNOTAVAIL
#           5 connections to A, bound to 127.0.0.2, now in TIME-WAIT: 5 connections to B, then EADDRNOTAVAIL
#           5 connections to A, bound to 127.0.0.2, IP_BIND_ADDRESS_NO_PORT: 10 connections to B, then EADDRNOTAVAIL
set -euo pipefail
for need in ss ip unshare python3; do command -v "$need" >/dev/null || { echo "needs $need" >&2; exit 77; }; done
namespace=(unshare --user --map-root-user --net --)
"${namespace[@]}" true 2>/dev/null || { echo "needs user namespaces" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >play.py <<'PY'
import errno
import socket
import struct
import subprocess
import sys
import time

IP_BIND_ADDRESS_NO_PORT = 24
name, source, no_port, state = sys.argv[1], sys.argv[2], sys.argv[3] == "yes", sys.argv[4]
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
with open("/proc/sys/net/ipv4/ip_local_port_range", "w") as f:
    f.write("40000 40009")


def server(port):
    s = socket.socket()
    s.bind(("127.0.0.1", port))
    s.listen(64)
    return s


def connect(to, source, no_port=False):
    c = socket.socket()
    if source:
        if no_port:
            c.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        c.bind((source, 0))
    c.connect(to.getsockname())
    return c


a, b = server(7001), server(7002)
first = []
if source != "-":
    first = [connect(a, "" if source == "any" else source, no_port) for _ in range(5)]
accepted = [a.accept()[0] for _ in first]
if state in ("FIN-WAIT-2", "TIME-WAIT"):
    for c in first:
        c.close()
    if state == "TIME-WAIT":
        for c in accepted:
            c.close()
    end = time.monotonic() + 5
    while time.monotonic() < end:
        rows = subprocess.run(["ss", "-Htan", "dport", "= :7001"], check=True, capture_output=True, text=True).stdout
        if [row.split()[0] for row in rows.splitlines()] == [state] * 5:
            break
        time.sleep(0.02)
    else:
        sys.exit("the connections are not in " + state)
second = []
try:
    while len(second) < 20:
        second.append(connect(b, ""))
    said = "no error"
except OSError as e:
    said = errno.errorcode[e.errno]
print("%s: %d connections to B, then %s" % (name, len(second), said))
PY
{
  play() { timeout 20 "${namespace[@]}" python3 play.py "$@"; }
  play "10 ports, nothing else" - no -
  play "5 connections to A, not bound" any no -
  play "5 connections to A, bound to 127.0.0.1" 127.0.0.1 no -
  play "5 connections to A, bound to 127.0.0.2" 127.0.0.2 no -
  play "5 connections to A, bound to 127.0.0.2, now in FIN-WAIT-2" 127.0.0.2 no FIN-WAIT-2
  play "5 connections to A, bound to 127.0.0.2, now in TIME-WAIT" 127.0.0.2 no TIME-WAIT
  play "5 connections to A, bound to 127.0.0.2, IP_BIND_ADDRESS_NO_PORT" 127.0.0.2 yes -
} | tee seen
diff - seen <<'WANT'
10 ports, nothing else: 10 connections to B, then EADDRNOTAVAIL
5 connections to A, not bound: 10 connections to B, then EADDRNOTAVAIL
5 connections to A, bound to 127.0.0.1: 5 connections to B, then EADDRNOTAVAIL
5 connections to A, bound to 127.0.0.2: 5 connections to B, then EADDRNOTAVAIL
5 connections to A, bound to 127.0.0.2, now in FIN-WAIT-2: 5 connections to B, then EADDRNOTAVAIL
5 connections to A, bound to 127.0.0.2, now in TIME-WAIT: 5 connections to B, then EADDRNOTAVAIL
5 connections to A, bound to 127.0.0.2, IP_BIND_ADDRESS_NO_PORT: 10 connections to B, then EADDRNOTAVAIL
WANT
