#!/usr/bin/env bash
# A failed keepalive, a reset from the way and `ss -K` end an MPTCP connection a minute late.
#
# Version   Linux 6.18.44 (x86-64), nftables 1.0.6-2+deb12u2, ss of iproute2 6.1.0-3 (Debian 12).
# Expected  A socket of IPPROTO_MPTCP is used as one of TCP. With one path it ends as that
#           does: a keepalive that is not answered is ETIMEDOUT when its probes are spent, a reset
#           ECONNRESET at once, `ss -K` ECONNABORTED at once (man 7 tcp, man 8 ss).
# Real      Each of them ends the path alone. The socket of the program stays ESTABLISHED without one,
#           and poll says nothing, for net.mptcp.close_timeout more: 60 s, if nothing is set; 4 s here.
#           Then read fails with ENOTCONN, whatever the cause was. TCP_USER_TIMEOUT
#           cannot be set (ENOPROTOOPT). ss -t has no row of the connection meanwhile, ss -M has.
#           (Documentation/networking/mptcp-sysctl.rst has close_timeout as the time to wait for
#           another path; issue 128 of multipath-tcp/mptcp_net-next tells how it came.)
# Matters   Listeners of Go take MPTCP connections where a client asks for one (since go1.24). Who
#           finds dead peers by keepalive in 45 s has them for 105 s, and the error that
#           code and alarms know (ETIMEDOUT, ECONNRESET) does not come.
# Seen      2026-11-30
#           TCP, keepalive 1 s + 2 x 1 s, peer unreachable: ETIMEDOUT after 3 s
#           TCP, reset by a firewall: ECONNRESET after 0 s
#           TCP, ss -K: ECONNABORTED after 0 s
#           TCP, TCP_USER_TIMEOUT: can be set
#           MPTCP, keepalive 1 s + 2 x 1 s, peer unreachable: ENOTCONN 4 s later; meanwhile ss -t 0, ss -M 1
#           MPTCP, reset by a firewall: ENOTCONN 4 s later; meanwhile ss -t 0, ss -M 1
#           MPTCP, ss -K: ENOTCONN 4 s later; meanwhile ss -t 0, ss -M 1
#           MPTCP, TCP_USER_TIMEOUT: ENOPROTOOPT
set -euo pipefail
for need in ss nft ip unshare python3; do command -v "$need" >/dev/null || { echo "needs $need" >&2; exit 77; }; done
namespace=(unshare --user --map-root-user --net --)
"${namespace[@]}" true 2>/dev/null || { echo "needs user namespaces" >&2; exit 77; }
[ "$(cat /proc/sys/net/mptcp/enabled 2>/dev/null)" = 1 ] || { echo "needs a kernel with MPTCP" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >play.py <<'PY'
import errno
import select
import socket
import subprocess
import sys
import time

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
MPTCP = 262
CLOSE_TIMEOUT = 4
with open("/proc/sys/net/mptcp/close_timeout", "w") as f:
    f.write(str(CLOSE_TIMEOUT))
TABLE = """table inet t {
  chain in {
    type filter hook input priority 0
    tcp dport %d %s
  }
}
"""


def run(*args, **more):
    return subprocess.run(args, check=True, capture_output=True, text=True, **more).stdout


def rows(option, port):
    return len([r for r in run("ss", option, "dport", "= :%d" % port).splitlines() if "ESTAB" in r])


def keepalive(c, port):
    run("nft", "-f", "-", input=TABLE % (port, "drop"))


def reset(c, port):
    run("nft", "-f", "-", input=TABLE % (port, "reject with tcp reset"))
    c.send(b"x")


def kill(c, port):
    subprocess.run(["ss", "-K", "-t", "dport", "= :%d" % port], capture_output=True)


def play(proto, name, act):
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, proto)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    port = listener.getsockname()[1]
    c = socket.socket(socket.AF_INET, socket.SOCK_STREAM, proto)
    c.connect(listener.getsockname())
    a = listener.accept()[0]
    c.send(b"hello")
    a.recv(9)
    a.send(b"hello")
    c.recv(9)
    if act is keepalive:
        c.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in (socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 2):
            c.setsockopt(socket.IPPROTO_TCP, option, value)
    begin = gone = time.monotonic()
    act(c, port)
    more = ""
    if proto == MPTCP:
        while rows("-Htan", port) and time.monotonic() < begin + 10:  # until the path has ended
            time.sleep(0.02)
        gone = time.monotonic()
        more = "; meanwhile ss -t %d, ss -M %d" % (rows("-Htan", port), rows("-HMan", port))
    said = "nothing"
    if select.select([c], [], [], 15)[0]:
        try:
            said = repr(c.recv(9))
        except OSError as e:
            said = errno.errorcode[e.errno]
    took = round(time.monotonic() - gone)
    print("%s, %s: %s %s%s" % ("MPTCP" if proto == MPTCP else "TCP", name, said,
                               "%d s later" % took if proto == MPTCP else "after %d s" % took, more), flush=True)
    run("nft", "flush", "ruleset")
    for s in c, a, listener:
        s.close()


for proto in 0, MPTCP:
    play(proto, "keepalive 1 s + 2 x 1 s, peer unreachable", keepalive)
    play(proto, "reset by a firewall", reset)
    play(proto, "ss -K", kill)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, proto) as s:
        try:
            s.setsockopt(socket.IPPROTO_TCP, 18, 2000)  # TCP_USER_TIMEOUT
            said = "can be set"
        except OSError as e:
            said = errno.errorcode[e.errno]
    print("%s, TCP_USER_TIMEOUT: %s" % ("MPTCP" if proto == MPTCP else "TCP", said))
PY
timeout 60 "${namespace[@]}" python3 play.py | tee seen
diff - seen <<'WANT'
TCP, keepalive 1 s + 2 x 1 s, peer unreachable: ETIMEDOUT after 3 s
TCP, reset by a firewall: ECONNRESET after 0 s
TCP, ss -K: ECONNABORTED after 0 s
TCP, TCP_USER_TIMEOUT: can be set
MPTCP, keepalive 1 s + 2 x 1 s, peer unreachable: ENOTCONN 4 s later; meanwhile ss -t 0, ss -M 1
MPTCP, reset by a firewall: ENOTCONN 4 s later; meanwhile ss -t 0, ss -M 1
MPTCP, ss -K: ENOTCONN 4 s later; meanwhile ss -t 0, ss -M 1
MPTCP, TCP_USER_TIMEOUT: ENOPROTOOPT
WANT
