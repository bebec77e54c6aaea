#!/usr/bin/env bash
# psutil without root counts all unnamed Unix sockets as one; gopsutil counts SO_REUSEPORT groups as one.
#
# Version   python3-psutil 5.9.4-1+b1 (Debian 12; 7.2.2 is the same), gopsutil v4.26.10, ss of iproute2
#           6.1.0-3, go1.26.8, Linux 6.18.44 (x86-64).
# Expected  psutil.net_connections(): "system-wide socket connections"; without root "pid" is None.
#           gopsutil's Connections is a port of it. For whoever may read /proc/net, and everybody
#           may, the number of rows is that of ss; only the owner is missing.
# Real      psutil puts the rows into a set, without the inode. Where the owner cannot be seen fd is -1
#           and pid None, so sockets with the same addresses are one row: twenty ends of Unix
#           socket pairs are one, four SO_REUSEPORT listeners are one, four UDP sockets of one port
#           are one. As root, and for one's own processes, all are there. gopsutil's key is made of
#           the type, the addresses and the state: listeners and UDP sockets of a SO_REUSEPORT
#           group are one row as root too, with the pid of one of them; Unix sockets are right.
# Matters   An agent runs as a user of its own. 10,000 leaked Unix sockets of a service are one for
#           it, and the graph is flat; the same call by root for a check says 10,000. A server with one
#           listener for each worker (nginx reuseport, QUIC, DNS) shows one, with one worker's pid: a
#           worker that has lost its listener is not seen.
# Seen      2026-12-01
#           ss, root: tcp 4, udp 4, unix 20
#           psutil, root: tcp 4, udp 4, unix 20
#           gopsutil, root: tcp 1, udp 1, unix 20
#           ss, another user: tcp 4, udp 4, unix 20
#           psutil, another user: tcp 1, udp 1, unix 1
#           gopsutil, another user: tcp 1, udp 1, unix 20
set -euo pipefail
[ "$(uname -m)" = x86_64 ] || { echo "needs Debian 12 on x86-64" >&2; exit 77; }
for need in apt-get dpkg-deb go ip python3 ss unshare; do command -v "$need" >/dev/null || { echo "needs $need" >&2; exit 77; }; done
[ "$(id -u)" = 0 ] || { echo "needs root, to be another user" >&2; exit 77; }
unshare --net true 2>/dev/null || { echo "needs network namespaces" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work" # the other user runs what is in it
cd "$work"
# Nothing is installed: the pinned package is unpacked here (python3-psutil==5.9.4-1+b1), with
# all that it needs.
: >status
mkdir -p debs/partial root
apt-get install -y -qq --no-install-recommends --download-only -o Dir::State::status="$work/status" \
  -o Dir::Cache::archives="$work/debs" -o APT::Sandbox::User=root python3-psutil=5.9.4-1+b1 >/dev/null ||
  { echo "python3-psutil=5.9.4-1+b1 cannot be fetched" >&2; exit 77; }
for deb in debs/*.deb; do dpkg-deb -x "$deb" root; done
export GOFLAGS=-mod=mod GOWORK=off
go mod init finding >/dev/null 2>&1
go get github.com/shirou/gopsutil/v4@v4.26.10 >/dev/null 2>&1
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/shirou/gopsutil/v4/net"
)

func main() {
	var n [3]int
	for i, kind := range []string{"tcp", "udp", "unix"} {
		all, err := net.Connections(kind)
		if err != nil {
			panic(err)
		}
		n[i] = len(all)
	}
	fmt.Printf("tcp %d, udp %d, unix %d\n", n[0], n[1], n[2])
}
GO
go mod tidy >/dev/null 2>&1
go build -o gops .
cat >count.py <<'PY'
import psutil

assert psutil.__version__ == "5.9.4", psutil.__version__
print(", ".join("%s %d" % (kind, len(psutil.net_connections(kind))) for kind in ("tcp", "udp", "unix")))
PY
cat >count-ss <<'SH'
#!/bin/sh
echo "tcp $(ss -Hta | wc -l), udp $(ss -Hua | wc -l), unix $(ss -Hxa | wc -l)"
SH
cat >count-psutil <<SH
#!/bin/sh
export PYTHONHOME=$work/root/usr PYTHONPATH=$work/root/usr/lib/python3/dist-packages
exec $work/root/lib64/ld-linux-x86-64.so.2 --library-path \
  $work/root/lib/x86_64-linux-gnu:$work/root/usr/lib/x86_64-linux-gnu $work/root/usr/bin/python3.11 -B count.py
SH
chmod 755 count-ss count-psutil gops
cat >play.py <<'PY'
import socket
import subprocess

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def group(kind):
    """Four sockets of one port."""
    sockets, at = [], ("127.0.0.1", 0)
    for _ in range(4):
        s = socket.socket(socket.AF_INET, kind)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        s.bind(at)
        at = s.getsockname()
        if kind == socket.SOCK_STREAM:
            s.listen()
        sockets.append(s)
    return sockets


held = [group(socket.SOCK_STREAM), group(socket.SOCK_DGRAM), [socket.socketpair() for _ in range(10)]]
for name, who in (("root", {}), ("another user", {"user": 65534, "group": 65534, "extra_groups": []})):
    for tool, command in (("ss", "./count-ss"), ("psutil", "./count-psutil"), ("gopsutil", "./gops")):
        out = subprocess.run([command], stdout=subprocess.PIPE, text=True, check=True, timeout=20, **who)
        print("%s, %s: %s" % (tool, name, out.stdout.strip()), flush=True)
PY
timeout 50 unshare --net python3 play.py | tee seen
diff seen - <<'WANT'
ss, root: tcp 4, udp 4, unix 20
psutil, root: tcp 4, udp 4, unix 20
gopsutil, root: tcp 1, udp 1, unix 20
ss, another user: tcp 4, udp 4, unix 20
psutil, another user: tcp 1, udp 1, unix 1
gopsutil, another user: tcp 1, udp 1, unix 20
WANT
