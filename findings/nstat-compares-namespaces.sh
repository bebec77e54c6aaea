#!/usr/bin/env bash
# nstat in a second network namespace prints the difference to the first one's counters.
#
# Version   nstat of iproute2 6.1.0-3 (Debian 12), Linux 6.18.44 (x86-64).
# Expected  nstat(8): "The default is to calculate increments since the previous use". The counters
#           are of the network namespace. In a namespace where nstat was not used yet the
#           increments are those since its creation, or it says that there is no history, as it
#           does for one that is stale; in one where it was used they are those since then.
# Real      The history is one file for each user (/tmp/.nstat.uID, or $NSTAT_HISTORY), and does
#           not know the namespace. `nsenter -n nstat` for a container subtracts what was last
#           read on the host, or in another container, and writes its own counters there, so the
#           next nstat on the host is wrong, too. A difference below zero is a 0, marked
#           "(overflow)", and left out without -z; one above zero is a plausible number, unmarked.
# Matters   One looks into two containers in turn, and reads retransmissions, resets or dropped
#           connections that neither had, or none where there were many. nstat -a (absolute
#           values), or an NSTAT_HISTORY for each namespace, is right.
# Seen      2026-12-01
#           A: 10 more connections; nstat: 10; nstat -a: 10
#           A: 2 more connections; nstat: 2; nstat -a: 12
#           B: 7 more connections; nstat: 0 (overflow); nstat -a: 7
#           B: 1 more connections; nstat: 1; nstat -a: 8
#           A: 3 more connections; nstat: 7; nstat -a: 15
#           B: 10 more connections; nstat: 3; nstat -a: 18
set -euo pipefail
for need in ip nsenter nstat python3 unshare; do command -v "$need" >/dev/null || { echo "needs $need" >&2; exit 77; }; done
unshare --user --map-root-user --net true 2>/dev/null || { echo "needs user namespaces" >&2; exit 77; }
work=$(mktemp -d)
holders=()
finish() {
  for holder in "${holders[@]}"; do
    kill "$holder" 2>/dev/null || true
    wait "$holder" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap finish EXIT
cd "$work"
export NSTAT_HISTORY=$work/history # in place of /tmp/.nstat.uID

cat >connect.py <<'PY'
import socket
import sys

with socket.create_server(("127.0.0.1", 0)) as listener:
    for _ in range(int(sys.argv[1])):
        with socket.create_connection(listener.getsockname()):
            listener.accept()[0].close()
PY

# hold makes a namespace and holds it.
hold() {
  unshare --user --map-root-user --net sleep 55 &
  holders+=($!)
  for _ in $(seq 200); do
    if [ "$(cat "/proc/$!/comm")" = sleep ]; then
      within "$!" ip link set lo up
      return 0
    fi
    sleep 0.05
  done
  echo "no namespace" >&2
  exit 77
}

# within PID COMMAND... runs a command in a namespace.
within() { nsenter -t "$1" -U -n --preserve-credentials "${@:2}"; }

# use NAME PID N opens N connections in a namespace, and asks nstat there.
use() {
  within "$2" python3 connect.py "$3"
  echo "$1: $3 more connections; nstat: $(within "$2" nstat -z TcpActiveOpens | awk '/^Tcp/ { print $2, $4 }');" \
    "nstat -a: $(within "$2" nstat -as TcpActiveOpens | awk '/^Tcp/ { print $2 }')"
}

hold
hold
{
  use A "${holders[0]}" 10
  use A "${holders[0]}" 2
  use B "${holders[1]}" 7
  use B "${holders[1]}" 1
  use A "${holders[0]}" 3
  use B "${holders[1]}" 10
} | sed 's/ ;/;/' | tee seen
diff seen - <<'WANT'
A: 10 more connections; nstat: 10; nstat -a: 10
A: 2 more connections; nstat: 2; nstat -a: 12
B: 7 more connections; nstat: 0 (overflow); nstat -a: 7
B: 1 more connections; nstat: 1; nstat -a: 8
A: 3 more connections; nstat: 7; nstat -a: 15
B: 10 more connections; nstat: 3; nstat -a: 18
WANT
