#!/usr/bin/env bash
# systeminformation, where netstat is not installed: no FIN_WAIT sockets, and no state CLOSE_WAIT.
#
# Version   npm systeminformation 5.33.26, ss of iproute2 6.1.0-3, netstat of net-tools
#           2.10-0.1+deb12u2 (Debian 12), Linux 6.18.44 (x86-64).
# Expected  networkConnections() "returns an array of all connections", with a state "like
#           ESTABLISHED, TIME_WAIT, ..." The same sockets give the same array, whatever command it
#           takes them from: netstat, or ss where net-tools is not installed.
# Real      It keeps the lines of ss that have a state of its list, which has FIN-WAIT1 and FIN-WAIT2,
#           while ss prints FIN-WAIT-1 and FIN-WAIT-2: those sockets are missing. Of the others
#           only ESTAB and TIME-WAIT are renamed: the rest are CLOSE-WAIT, SYN-SENT, SYN-RECV and
#           LAST-ACK there, and CLOSE_WAIT, SYN_SENT and so on with netstat.
# Matters   Debian and most container images have no net-tools: a check that counts CLOSE_WAIT
#           works on the developer's machine and counts 0 in production, whatever leaks there. And
#           half-closed connections that pile up in FIN_WAIT2 are in no state at all.
# Seen      2026-12-01
#           systeminformation with netstat: 22: 5 CLOSE_WAIT, 6 ESTABLISHED, 5 FIN_WAIT2, 2 LISTEN, 1 SYN_SENT, 3 TIME_WAIT
#           systeminformation with ss alone: 17: 5 CLOSE-WAIT, 6 ESTABLISHED, 2 LISTEN, 1 SYN-SENT, 3 TIME_WAIT
set -euo pipefail
for need in grep ip netstat node npm python3 ss unshare; do command -v "$need" >/dev/null || { echo "needs $need" >&2; exit 77; }; done
namespace=(unshare --user --map-root-user --net --)
"${namespace[@]}" true 2>/dev/null || { echo "needs user namespaces" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null 2>&1
npm install --no-audit --no-fund --ignore-scripts systeminformation@5.33.26 >/dev/null 2>&1
mkdir without with
for name in grep sh ss; do ln -s "$(command -v "$name")" without; done
ln -s "$(command -v netstat)" with
cat >look.js <<'JS'
require('systeminformation').networkConnections().then((all) => {
  const tcp = all.filter((c) => c.protocol.startsWith('tcp'))
  const count = {}
  for (const c of tcp) count[c.state] = (count[c.state] || 0) + 1
  console.log(`${tcp.length}:`, Object.keys(count).sort().map((s) => `${count[s]} ${s}`).join(', '))
})
JS
cat >play.py <<'PY'
import os
import shutil
import socket
import subprocess
import time

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
node, here = shutil.which("node"), os.getcwd()
held = []


def pair(listener):
    c = socket.create_connection(listener.getsockname())
    return c, listener.accept()[0]


def table():
    return [line.split()[3] for line in open("/proc/net/tcp")]


listener = socket.create_server(("127.0.0.1", 0), backlog=64)
for _ in range(2):
    held += pair(listener)                       # ESTABLISHED, both ends
for _ in range(5):
    client, server = pair(listener)
    client.close()                               # FIN_WAIT2 and CLOSE_WAIT
    held.append(server)
for _ in range(3):
    client, server = pair(listener)
    client.close()
    server.close()                               # TIME_WAIT at the client
full = socket.create_server(("127.0.0.1", 0), backlog=0)
held.append(socket.create_connection(full.getsockname()))
late = socket.socket()
late.setblocking(False)
late.connect_ex(full.getsockname())              # SYN_SENT: the queue of the listener is full
end = time.monotonic() + 5
while (table().count("05"), table().count("08"), table().count("06")) != (5, 5, 3):
    if time.monotonic() > end:
        raise SystemExit("the sockets are in other states")
    time.sleep(0.02)
for name, path in (("with netstat", here + "/with:" + here + "/without"), ("with ss alone", here + "/without")):
    out = subprocess.run([node, "look.js"], env={"PATH": path}, stdout=subprocess.PIPE, text=True, check=True)
    print("systeminformation " + name + ":", out.stdout.strip(), flush=True)
PY
timeout 50 "${namespace[@]}" python3 play.py | tee seen
diff seen - <<'WANT'
systeminformation with netstat: 22: 5 CLOSE_WAIT, 6 ESTABLISHED, 5 FIN_WAIT2, 2 LISTEN, 1 SYN_SENT, 3 TIME_WAIT
systeminformation with ss alone: 17: 5 CLOSE-WAIT, 6 ESTABLISHED, 2 LISTEN, 1 SYN-SENT, 3 TIME_WAIT
WANT
