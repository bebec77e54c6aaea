#!/usr/bin/env bash
# `ss -s` of an empty network namespace counts the sockets of the others; estab has CLOSE-WAIT.
#
# Version   Linux 6.18.44 (x86-64), ss of iproute2 6.1.0-3 (Debian 12).
# Expected  Network namespaces isolate /proc/net (man 7 network_namespaces), and the summary is of
#           this namespace, as the rest of ss: without a socket every number is 0. estab is what
#           `ss -t state established` lists, timewait what `ss -t state time-wait` lists.
# Real      closed is made of "alloc", and orphaned is "orphan" of /proc/net/sockstat. Both are of
#           the whole system, beside inuse and tw, which are of the namespace. So a namespace
#           without a socket has closed and orphaned sockets: all open sockets of the
#           others are its closed ones. estab is CurrEstab of /proc/net/snmp, which has CLOSE-WAIT
#           too (RFC 4022); timewait has the FIN-WAIT-2 whose program has closed them.
# Matters   In a container, "closed 20384" reads like a leak of descriptors, and orphans of a
#           neighbour like one's own. Ten connections that leak in CLOSE-WAIT are "estab 10", and
#           their other ends are "timewait 10". An exporter that reads /proc/net/sockstat in a
#           pod has the same (node_sockstat_TCP_alloc, _orphan). On the host, closed counts
#           what the containers have open.
# Seen      2026-11-30
#           empty namespace: ss -ta lists 0; ss -s: estab 0, closed >= 61, orphaned >= 20, timewait 0
#           ten connections, client has closed: ss -ta: 10 CLOSE-WAIT 10 FIN-WAIT-2 1 LISTEN
#           ten connections, client has closed: ss -s: estab 10, timewait 10
set -euo pipefail
for need in ss ip unshare python3; do command -v "$need" >/dev/null || { echo "needs $need" >&2; exit 77; }; done
namespace=(unshare --user --map-root-user --net --)
"${namespace[@]}" true 2>/dev/null || { echo "needs user namespaces" >&2; exit 77; }
work=$(mktemp -d)
holder=
trap 'if [ -n "$holder" ]; then kill "$holder" 2>/dev/null || true; wait "$holder" 2>/dev/null || true; fi; rm -rf "$work"' EXIT
cd "$work"

# The neighbour: 20 open connections, and 20 that are closed while data waits to be sent.
cat >neighbour.py <<'PY'
import signal
import socket
import subprocess

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
listener = socket.create_server(("127.0.0.1", 0), backlog=64)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
held = []
for i in range(40):
    c = socket.create_connection(listener.getsockname())
    held.append(listener.accept()[0])
    if i < 20:
        held.append(c)
        continue
    c.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    c.setblocking(False)
    try:
        while True:
            c.send(bytes(8192))
    except BlockingIOError:
        c.close()
open("ready", "w").close()
signal.alarm(50)
signal.pause()
PY
cat >look.py <<'PY'
import re
import socket
import subprocess
import time
from collections import Counter

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def ss(*options):
    return subprocess.run(["ss", *options], check=True, capture_output=True, text=True).stdout


def summary():
    line = next(line for line in ss("-s").splitlines() if line.startswith("TCP:") and "estab" in line)
    return {name: int(n) for name, n in re.findall(r"(\w+) (\d+)", line)}


said = summary()
more = ["%s >= %d" % (n, least) if said[n] >= least else "%s %d" % (n, said[n])
        for n, least in (("closed", 61), ("orphaned", 20))]
print("empty namespace: ss -ta lists %d; ss -s: estab %d, %s, %s, timewait %d"
      % (len(ss("-Hta").splitlines()), said["estab"], *more, said["timewait"]))

listener = socket.create_server(("127.0.0.1", 0), backlog=64)
accepted = []
for _ in range(10):
    c = socket.create_connection(listener.getsockname())
    accepted.append(listener.accept()[0])
    c.close()
end = time.monotonic() + 5
while True:
    states = Counter(line.split()[0] for line in ss("-Htan").splitlines())
    if states["CLOSE-WAIT"] == 10 and states["FIN-WAIT-2"] == 10 or time.monotonic() > end:
        break
    time.sleep(0.02)
print("ten connections, client has closed: ss -ta:",
      " ".join("%d %s" % (n, name) for name, n in sorted(states.items())))
said = summary()
print("ten connections, client has closed: ss -s: estab %d, timewait %d" % (said["estab"], said["timewait"]))
PY
"${namespace[@]}" python3 neighbour.py &
holder=$!
for _ in $(seq 200); do
  [ ! -e ready ] || break
  sleep 0.05
done
[ -e ready ] || { echo "the neighbour did not start" >&2; exit 77; }
timeout 30 "${namespace[@]}" python3 look.py | tee seen
diff - seen <<'WANT'
empty namespace: ss -ta lists 0; ss -s: estab 0, closed >= 61, orphaned >= 20, timewait 0
ten connections, client has closed: ss -ta: 10 CLOSE-WAIT 10 FIN-WAIT-2 1 LISTEN
ten connections, client has closed: ss -s: estab 10, timewait 10
WANT
