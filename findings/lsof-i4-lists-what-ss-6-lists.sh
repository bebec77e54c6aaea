#!/usr/bin/env bash
# IPv4 clients of a dual-stack listener: lsof has them under -i4, ss, netstat and fuser under -6.
#
# Version   lsof 4.95.0-1, ss of iproute2 6.1.0-3, netstat of net-tools 2.10-0.1+deb12u2, fuser of
#           psmisc 23.6-1 (Debian 12), Linux 6.18.44 (x86-64).
# Expected  lsof(8): an IPv4 address that "is mapped in an IPv6 address" has type IPv6, "and its
#           display will be selected by '6', not '4'". So lsof -i4 and -i6 divide the
#           sockets as ss -4 and -6 do: by the socket's family, which is that of its listener.
# Real      lsof shows the type IPv6, but selects by the address: an accepted connection from
#           an IPv4 client is under -i4 and not under -i6, and its listener under -i6 and not under
#           -i4. ss, netstat and fuser have both under -6 alone.
# Matters   Servers in Go, Java and Node listen on both families. How many IPv4 connections has the
#           server: "ss -4" says 0, "lsof -i4" all; how many IPv6 ones: "ss -6" counts the IPv4
#           clients too, "lsof -i6" does not. fuser -4 finds no server at the port where lsof -i4 finds
#           one, and lsof -i4 says that the server which has the connections does not listen.
# Seen      2026-12-01
#           the server: 1 dual-stack listener, 3 connections from 127.0.0.1, 2 from ::1
#           ss -4: 0 listening, 0 established
#           netstat -4: 0 listening, 0 established
#           lsof -i4: 0 listening, 3 established
#           fuser -4: nobody
#           ss -6: 1 listening, 5 established
#           netstat -6: 1 listening, 5 established
#           lsof -i6: 1 listening, 2 established
#           fuser -6: the server
set -euo pipefail
for need in fuser ip lsof netstat python3 ss unshare; do command -v "$need" >/dev/null || { echo "needs $need" >&2; exit 77; }; done
namespace=(unshare --user --map-root-user --net --)
"${namespace[@]}" true 2>/dev/null || { echo "needs user namespaces" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >play.py <<'PY'
import os
import socket
import subprocess

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
listener = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
port = listener.getsockname()[1]
held = []
for address, n in (("127.0.0.1", 3), ("::1", 2)):
    for _ in range(n):
        client = socket.create_connection((address, port))
        held += [client, listener.accept()[0]]


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          env=dict(os.environ, LC_ALL="C")).stdout.splitlines()


def count(lines):
    """The listener and the server's ends; local addresses end with the server's port."""
    ends = [line.split("->")[0] for line in lines]
    return "%d listening, %d established" % (
        sum("LISTEN" in line for line in lines),
        sum("ESTAB" in line and end.split()[-1].endswith(":%d" % port) for line, end in zip(lines, ends)))


def local(lines):
    """Of ss and netstat: the lines whose local address has the server's port."""
    return count([line + " x:%d" % port for line in lines
                  if any(f.endswith(":%d" % port) for f in line.split()[3:4])])


me = str(os.getpid())
print("the server: 1 dual-stack listener, 3 connections from 127.0.0.1, 2 from ::1")
for v in "46":
    print("ss -%s: %s" % (v, local(run("ss", "-Htan" + v))))
    print("netstat -%s: %s" % (v, local(run("netstat", "-tan", "-" + v))))
    print("lsof -i%s: %s" % (v, count(run("lsof", "-nP", "-a", "-p", me, "-i%sTCP" % v))))
    print("fuser -%s: %s" % (v, "the server" if me in " ".join(run("fuser", "-" + v, "-n", "tcp", str(port))).split() else "nobody"))
PY
timeout 50 "${namespace[@]}" python3 play.py | tee seen
diff seen - <<'WANT'
the server: 1 dual-stack listener, 3 connections from 127.0.0.1, 2 from ::1
ss -4: 0 listening, 0 established
netstat -4: 0 listening, 0 established
lsof -i4: 0 listening, 3 established
fuser -4: nobody
ss -6: 1 listening, 5 established
netstat -6: 1 listening, 5 established
lsof -i6: 1 listening, 2 established
fuser -6: the server
WANT
