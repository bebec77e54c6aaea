#!/usr/bin/env bash
# client_golang: a process that has no socket "received over the network" what its neighbours did.
#
# Version   github.com/prometheus/client_golang v1.25.0, go1.26.8, Linux 6.18.44 (x86-64).
# Expected  process_network_receive_bytes_total: "Number of bytes received by the process over the
#           network", beside process_open_fds of the same collector. A process without a socket
#           has 0, and the sum over the processes of a host is the traffic of the host.
# Real      It is InOctets (and OutOctets) of /proc/PID/net/netstat, which belongs to the network
#           namespace: every process on a host (or in a pod) reports all bytes of all, IPv4 only. They
#           count from the namespace's creation, not from the start of the process: it begins with
#           what was there, and does not begin anew when it is restarted, as the other process_ counters
#           do. Traffic over loopback counts, IPv6 does not.
# Matters   "Which service sends so much?": all of them, the same number, and the sum over the jobs
#           of a host is a multiple of it. A side-car shows the traffic of what it stands beside. In
#           a network of IPv6 it is 0 for all.
# Seen      2026-12-01
#           at first: first: 0 sockets, received 0.0 MB, sent 0.0 MB
#           at first: second: 0 sockets, received 0.0 MB, sent 0.0 MB
#           1 MB between others: first: 0 sockets, received 1.0 MB, sent 1.0 MB
#           1 MB between others: second: 0 sockets, received 1.0 MB, sent 1.0 MB
#           1 MB of IPv6 more: first: 0 sockets, received 1.0 MB, sent 1.0 MB
#           just started: third: 0 sockets, received 1.0 MB, sent 1.0 MB
set -euo pipefail
for need in go ip python3 unshare; do command -v "$need" >/dev/null || { echo "needs $need" >&2; exit 77; }; done
namespace=(unshare --user --map-root-user --net --)
"${namespace[@]}" true 2>/dev/null || { echo "needs user namespaces" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-mod=mod GOWORK=off
go mod init finding >/dev/null 2>&1
go get github.com/prometheus/client_golang@v1.25.0 >/dev/null 2>&1
cat >main.go <<'GO'
// A process with the collector that every exporter registers, and without a socket.
package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

func main() {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		families, err := registry.Gather()
		if err != nil {
			panic(err)
		}
		sockets := 0
		links, _ := filepath.Glob("/proc/self/fd/*")
		for _, link := range links {
			if to, _ := os.Readlink(link); strings.HasPrefix(to, "socket:") {
				sockets++
			}
		}
		bytes := map[string]float64{}
		for _, f := range families {
			bytes[f.GetName()] = f.GetMetric()[0].GetCounter().GetValue()
		}
		fmt.Printf("%d sockets, received %.1f MB, sent %.1f MB\n", sockets,
			bytes["process_network_receive_bytes_total"]/1e6, bytes["process_network_transmit_bytes_total"]/1e6)
	}
}
GO
go mod tidy >/dev/null 2>&1
go build -o finding .
cat >play.py <<'PY'
import socket
import subprocess

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def start():
    return subprocess.Popen(["./finding"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)


def say(what, *processes):
    for name, p in processes:
        p.stdin.write("\n")
        print("%s: %s: %s" % (what, name, p.stdout.readline().strip()), flush=True)


def traffic(family, address):
    """This program sends 1,000,000 bytes to itself."""
    with socket.create_server((address, 0), family=family) as l, socket.create_connection(l.getsockname()[:2]) as c, l.accept()[0] as s:
        for _ in range(100):
            c.sendall(bytes(10000))
            left = 10000
            while left:
                left -= len(s.recv(left))


first, second = start(), start()
say("at first", ("first", first), ("second", second))
traffic(socket.AF_INET, "127.0.0.1")
say("1 MB between others", ("first", first), ("second", second))
traffic(socket.AF_INET6, "::1")
say("1 MB of IPv6 more", ("first", first))
third = start()
say("just started", ("third", third))
for p in (first, second, third):
    p.stdin.close()
    p.wait()
PY
timeout 50 "${namespace[@]}" python3 play.py | tee seen
diff seen - <<'WANT'
at first: first: 0 sockets, received 0.0 MB, sent 0.0 MB
at first: second: 0 sockets, received 0.0 MB, sent 0.0 MB
1 MB between others: first: 0 sockets, received 1.0 MB, sent 1.0 MB
1 MB between others: second: 0 sockets, received 1.0 MB, sent 1.0 MB
1 MB of IPv6 more: first: 0 sockets, received 1.0 MB, sent 1.0 MB
just started: third: 0 sockets, received 1.0 MB, sent 1.0 MB
WANT
