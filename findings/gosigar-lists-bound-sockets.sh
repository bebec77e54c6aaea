#!/usr/bin/env bash
# gosigar on a newer kernel lists TCP sockets that ss -a and /proc/net/tcp do not have: the bound ones.
#
# Version   github.com/elastic/gosigar v0.14.4, github.com/prometheus/procfs v0.23.0, go1.26.8, ss of
#           iproute2 6.1.0-3 (Debian 12), Linux 6.18.44 (x86-64).
# Expected  `ss -ta`, /proc/net/tcp and gosigar's NetlinkInetDiag ("all sockets in any TCP state")
#           ask the same kernel for all TCP sockets, and list the same. A socket that was bound and
#           neither listens nor connects is in no list: one sees it by its descriptor alone.
# Real      gosigar asks with all bits of the mask of states set. From Linux 6.8 on bit 13 of it
#           means the bound sockets, which are reported in state CLOSE: so the same program
#           lists them, as UNCONN, since the kernel was renewed. ss asks for the states it
#           knows (6.1: 0 to 11), and /proc/net/tcp never has them.
# Matters   Its number of sockets is no longer that of ss, and grows with what is not a connection. But it
#           is the list to look at for ports that are taken and that nobody seems to have: a client that
#           binds before it connects, and leaks such sockets, takes a port with each, and bind fails
#           with EADDRINUSE while ss -a and netstat show nothing at the port.
# Seen      2026-12-01
#           1 listener, 1 connection, 7 bound sockets, 3 that are not bound
#           ss -ta: 1 LISTEN, 2 ESTAB
#           gosigar: 1 LISTEN, 2 ESTAB, 7 UNCONN
#           /proc/net/tcp: 1 LISTEN, 2 ESTAB
#           bind to the port of a bound one: EADDRINUSE
set -euo pipefail
for need in go ip python3 ss unshare; do command -v "$need" >/dev/null || { echo "needs $need" >&2; exit 77; }; done
namespace=(unshare --user --map-root-user --net --)
"${namespace[@]}" true 2>/dev/null || { echo "needs user namespaces" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-mod=mod GOWORK=off
go mod init finding >/dev/null 2>&1
go get github.com/elastic/gosigar@v0.14.4 github.com/prometheus/procfs@v0.23.0 >/dev/null 2>&1
cat >main.go <<'GO'
package main

import (
	"fmt"
	"sort"
	"strings"

	"github.com/elastic/gosigar/sys/linux"
	"github.com/prometheus/procfs"
)

func show(name string, counts map[string]int) {
	var parts []string
	for state, n := range counts {
		parts = append(parts, fmt.Sprintf("%d %s", n, state))
	}
	sort.Strings(parts)
	fmt.Printf("%s: %s\n", name, strings.Join(parts, ", "))
}

func main() {
	all, err := linux.NetlinkInetDiag(linux.NewInetDiagReq())
	if err != nil {
		panic(err)
	}
	counts := map[string]int{}
	for _, s := range all {
		counts[linux.TCPState(s.State).String()]++
	}
	show("gosigar", counts)
	proc, err := procfs.NewFS("/proc")
	if err != nil {
		panic(err)
	}
	table, err := proc.NetTCP()
	if err != nil {
		panic(err)
	}
	counts = map[string]int{}
	for _, s := range table {
		counts[linux.TCPState(s.St).String()]++
	}
	show("/proc/net/tcp", counts)
}
GO
go mod tidy >/dev/null 2>&1
go build -o finding .
cat >play.py <<'PY'
import collections
import errno
import socket
import subprocess

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server = listener.accept()[0]
bound = [socket.socket() for _ in range(7)]
for s in bound:
    s.bind(("127.0.0.1", 0))
fresh = [socket.socket() for _ in range(3)]
out = subprocess.run(["ss", "-Htan"], check=True, stdout=subprocess.PIPE, text=True).stdout
counts = collections.Counter(line.split()[0] for line in out.splitlines())
print("1 listener, 1 connection, 7 bound sockets, 3 that are not bound")
print("ss -ta:", ", ".join(sorted("%d %s" % (n, state) for state, n in counts.items())), flush=True)
subprocess.run(["./finding"], check=True)
try:
    fresh[0].bind(bound[0].getsockname())
except OSError as e:
    print("bind to the port of a bound one:", errno.errorcode[e.errno])
PY
timeout 50 "${namespace[@]}" python3 play.py | tee seen
diff seen - <<'WANT'
1 listener, 1 connection, 7 bound sockets, 3 that are not bound
ss -ta: 1 LISTEN, 2 ESTAB
gosigar: 1 LISTEN, 2 ESTAB, 7 UNCONN
/proc/net/tcp: 1 LISTEN, 2 ESTAB
bind to the port of a bound one: EADDRINUSE
WANT
