#!/usr/bin/env bash
# "connection resets received" of netstat -s: resets that were sent, and time-outs where nothing came.
#
# Version   netstat of net-tools 2.10-0.1+deb12u2, nft of nftables 1.0.6-2+deb12u2, ss of iproute2
#           6.1.0-3 (Debian 12), Linux 6.18.44 (x86-64).
# Expected  `netstat -s` has "connection resets received" beside "resets sent": the first are RSTs
#           that ended a connection of ours, the second those that we sent. Where no RST arrives the
#           first stays, whatever is sent.
# Real      The number is EstabResets: transitions to CLOSED from ESTABLISHED or CLOSE_WAIT (RFC
#           4022), whoever caused them. A close with unread data or with SO_LINGER 0, ss -K, and a
#           connection that its time-out has ended (TCP_USER_TIMEOUT, keep-alive, retransmissions)
#           are all "received", though no RST came. A reset over loopback counts at both ends. An RST
#           that does arrive is not counted in FIN_WAIT1, FIN_WAIT2, LAST_ACK or SYN_SENT. The
#           kernel has no counter of the RSTs that arrive.
# Matters   A server that resets its clients, by closing before it has read all, looks as if the clients
#           reset it; one whose peers have vanished, as if they had answered. munin's graph and
#           who else reads that line say "resets" for it. TCPAbortOnClose, TCPAbortOnData and
#           TCPAbortOnTimeout (nstat) say which of them were one's own doing.
# Seen      2026-12-01
#           closed with unread data, the RST is dropped: netstat: 5 connection resets received, 5 resets sent; RSTs that arrived: 0
#           closed with SO_LINGER 0, the RST is dropped: netstat: 5 connection resets received, 5 resets sent; RSTs that arrived: 0
#           killed by ss -K, the RST is dropped: netstat: 5 connection resets received, 5 resets sent; RSTs that arrived: 0
#           TCP_USER_TIMEOUT, the peer is silent: netstat: 5 connection resets received, 0 resets sent; RSTs that arrived: 0
#           closed with unread data, the RST arrives: netstat: 10 connection resets received, 5 resets sent; RSTs that arrived: 5
#           the same, but the RST finds the client in FIN_WAIT2: netstat: 5 connection resets received, 5 resets sent; RSTs that arrived: 5
#           refused, the RST arrives: netstat: 0 connection resets received, 5 resets sent; RSTs that arrived: 5
set -euo pipefail
for need in ip netstat nft python3 ss unshare; do command -v "$need" >/dev/null || { echo "needs $need" >&2; exit 77; }; done
namespace=(unshare --user --map-root-user --net --)
"${namespace[@]}" true 2>/dev/null || { echo "needs user namespaces" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >play.py <<'PY'
import re
import socket
import struct
import subprocess
import time

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
TIMES = 5
TCP_USER_TIMEOUT = 18


def nft(rules):
    if subprocess.run(["nft", "-f", "-"], text=True, input=rules).returncode:
        raise SystemExit(77)


# One chain counts the RSTs that arrive; the other one drops what a case wants to have dropped.
nft("""
table inet lab {
  counter arrived { }
  chain input {
    type filter hook input priority 0
    tcp flags & rst == rst counter name arrived
  }
  chain output {
    type filter hook output priority 0
  }
}
""")


def numbers():
    said = subprocess.run(["netstat", "-st"], check=True, stdout=subprocess.PIPE, text=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}).stdout
    came = subprocess.run(["nft", "list", "counter", "inet", "lab", "arrived"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return [int(re.search(r"(\d+) connection resets received", said)[1]), int(re.search(r"(\d+) resets sent", said)[1]),
            int(re.search(r"packets (\d+)", came)[1])]


def gone(*ports):
    """Waits until these ends are not in the kernel's table any more."""
    end = time.monotonic() + 10
    while any(line.split()[1].endswith(":%04X" % local) and line.split()[2].endswith(":%04X" % remote)
              for line in open("/proc/net/tcp") for local, remote in ports):
        if time.monotonic() > end:
            raise SystemExit("a socket stays")
        time.sleep(0.02)


def play(name, do, drop=""):
    nft("flush chain inet lab output\n" + (drop and "add rule inet lab output %s drop\n" % drop))
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    before, kept = numbers(), []
    for _ in range(TIMES):
        client = socket.create_connection(listener.getsockname())
        server = listener.accept()[0]
        ends = client.getsockname()[1], server.getsockname()[1]
        kept += [client, server]
        do(client, server, ends)
    after = numbers()
    print("%s: netstat: %d connection resets received, %d resets sent; RSTs that arrived: %d"
          % (name, *(a - b for a, b in zip(after, before))), flush=True)
    nft("flush chain inet lab output\n")
    for s in kept:
        s.close()
    listener.close()


def unread(client, server, ends):
    """The server closes, and has not read what the client has sent."""
    client.sendall(b"x")
    server.recv(1, socket.MSG_PEEK)
    server.close()
    gone(ends[::-1])


def linger(client, server, ends):
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.close()
    gone(ends[::-1])


def killed(client, server, ends):
    subprocess.run(["ss", "-HKtn", "sport = :%d and dport = :%d" % ends[::-1]], check=True, stdout=subprocess.DEVNULL)
    gone(ends[::-1])


def vanished(client, server, ends):
    """The client's packets, acknowledgements too, are dropped from the first bytes on."""
    server.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, 100)
    nft("add rule inet lab output tcp sport %d drop\n" % ends[0])
    server.sendall(b"x")
    server.settimeout(10)
    try:
        server.recv(1)
        raise SystemExit("the client has sent something")
    except TimeoutError:
        pass
    gone(ends[::-1])


def client_state(ends):
    for line in open("/proc/net/tcp"):
        _, local, remote, state = line.split()[:4]
        if local.endswith(":%04X" % ends[0]) and remote.endswith(":%04X" % ends[1]):
            return state
    return None


def finished(client, server, ends):
    """The client has closed, and is in FIN_WAIT2 when the server's RST arrives."""
    client.sendall(b"x")
    client.shutdown(socket.SHUT_WR)
    end = time.monotonic() + 10
    while client_state(ends) != "05" and time.monotonic() < end:
        time.sleep(0.02)
    server.close()
    gone(ends, ends[::-1])


def refused(client, server, ends):
    """One more connection, to a port without a listener."""
    with socket.socket() as s:
        if s.connect_ex(("127.0.0.1", 1)) == 0:
            raise SystemExit("port 1 answers")


RST = "tcp flags & rst == rst"
play("closed with unread data, the RST is dropped", unread, RST)
play("closed with SO_LINGER 0, the RST is dropped", linger, RST)
play("killed by ss -K, the RST is dropped", killed, RST)
play("TCP_USER_TIMEOUT, the peer is silent", vanished)
play("closed with unread data, the RST arrives", unread)
play("the same, but the RST finds the client in FIN_WAIT2", finished)
play("refused, the RST arrives", refused)
PY
timeout 50 "${namespace[@]}" python3 play.py | tee seen
diff seen - <<'WANT'
closed with unread data, the RST is dropped: netstat: 5 connection resets received, 5 resets sent; RSTs that arrived: 0
closed with SO_LINGER 0, the RST is dropped: netstat: 5 connection resets received, 5 resets sent; RSTs that arrived: 0
killed by ss -K, the RST is dropped: netstat: 5 connection resets received, 5 resets sent; RSTs that arrived: 0
TCP_USER_TIMEOUT, the peer is silent: netstat: 5 connection resets received, 0 resets sent; RSTs that arrived: 0
closed with unread data, the RST arrives: netstat: 10 connection resets received, 5 resets sent; RSTs that arrived: 5
the same, but the RST finds the client in FIN_WAIT2: netstat: 5 connection resets received, 5 resets sent; RSTs that arrived: 5
refused, the RST arrives: netstat: 0 connection resets received, 5 resets sent; RSTs that arrived: 5
WANT
