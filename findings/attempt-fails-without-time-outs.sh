#!/usr/bin/env bash
# AttemptFails has no connect that the program gave up, and no handshake that the server gave up.
#
# Version   Linux 6.18.44 (x86-64), nft of nftables 1.0.6-2+deb12u2 (Debian 12).
# Expected  RFC 4022, tcpAttemptFails: transitions to CLOSED from SYN-SENT or SYN-RCVD, and to
#           LISTEN from SYN-RCVD. `netstat -s` calls it "failed connection attempts". So each
#           connection that was attempted and did not come about counts once at its end:
#           refused, timed out, or given up; and a half-open one that the server gives up
#           counts at the server.
# Real      It counts what a packet or the kernel's own time-out has ended: a RST, ICMP, the last
#           of tcp_syn_retries, and a RST in SYN_RECV. A program that closes its
#           socket in SYN_SENT counts nothing, and so does a SYN_RECV that the server gives up
#           after its last SYN-ACK. The first is how nearly all clients end a connect that takes
#           too long: their own time-out ends before the kernel's (one or two minutes).
# Matters   A back end that is behind a filter that drops, or that is gone: every request of every
#           client fails, and the counter of failed attempts (nstat, netstat -s, sar -n ETCP's
#           atmptf/s, the exporters) stays at 0. The same server merely stopped makes it jump. An
#           alert on it, or "opened minus failed", is right only for refusals; the others show in
#           TCPSynRetrans and TCPTimeouts.
# Seen      2026-12-01
#           client, no listener: ECONNREFUSED: ActiveOpens 5, PassiveOpens 0, AttemptFails 5, EstabResets 0
#           client, rejected by ICMP: ECONNREFUSED: ActiveOpens 5, PassiveOpens 0, AttemptFails 5, EstabResets 0
#           client, dropped, the kernel's time-out: ETIMEDOUT: ActiveOpens 5, PassiveOpens 0, AttemptFails 5, EstabResets 0
#           client, dropped, the program's time-out: time-out of the program: ActiveOpens 5, PassiveOpens 0, AttemptFails 0, EstabResets 0
#           server, the client's ACK is lost for good: connected: ActiveOpens 5, PassiveOpens 0, AttemptFails 0, EstabResets 0
#           server, the client resets it in SYN_RECV: reset: ActiveOpens 5, PassiveOpens 0, AttemptFails 5, EstabResets 5
set -euo pipefail
for need in ip nft python3 unshare; do command -v "$need" >/dev/null || { echo "needs $need" >&2; exit 77; }; done
namespace=(unshare --user --map-root-user --net --)
"${namespace[@]}" true 2>/dev/null || { echo "needs user namespaces" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >play.py <<'PY'
import errno
import socket
import subprocess
import time

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
if subprocess.run(["nft", "-f", "-"], text=True, input="""
table inet filter {
  chain output {
    type filter hook output priority 0
    tcp dport 1001 drop
    tcp dport 1002 reject
    tcp dport 1003 tcp flags & (syn | ack | rst) == ack drop
  }
}
""").returncode:
    raise SystemExit(77)
for name, n in (("tcp_syn_retries", 1), ("tcp_synack_retries", 1)):
    with open("/proc/sys/net/ipv4/" + name, "w") as f:
        f.write(str(n))
TIMES = 5


def counters():
    names, values = [line.split()[1:] for line in open("/proc/net/snmp") if line.startswith("Tcp:")]
    have = dict(zip(names, map(int, values)))
    return [have[name] for name in ("ActiveOpens", "PassiveOpens", "AttemptFails", "EstabResets")]


def states():
    """Counts the sockets that are in SYN_SENT (02) or SYN_RECV (03)."""
    return sum(line.split()[3] in ("02", "03") for line in open("/proc/net/tcp") if "st" not in line.split())


def until(what):
    end = time.monotonic() + 20
    while not what():
        if time.monotonic() > end:
            raise SystemExit("waited too long")
        time.sleep(0.02)


def play(name, do):
    before = counters()
    said = {do() for _ in range(TIMES)}
    until(lambda: states() == 0)
    after = counters()
    print("%s: %s: ActiveOpens %d, PassiveOpens %d, AttemptFails %d, EstabResets %d"
          % (name, " ".join(said), *(a - b for a, b in zip(after, before))), flush=True)


def connect(port, timeout):
    def do():
        with socket.socket() as s:
            s.settimeout(timeout)
            try:
                s.connect(("127.0.0.1", port))
            except TimeoutError as e:
                return "ETIMEDOUT" if e.errno == errno.ETIMEDOUT else "time-out of the program"
            except OSError as e:
                return errno.errorcode[e.errno]
            return "connected"
    return do


play("client, no listener", connect(1000, None))
play("client, rejected by ICMP", connect(1002, None))
play("client, dropped, the kernel's time-out", connect(1001, None))
play("client, dropped, the program's time-out", connect(1001, 0.1))

held = []


def half_open():
    """Connects, but the ACK that would complete the handshake is dropped."""
    s = socket.create_connection(("127.0.0.1", 1003))
    held.append(s)
    return "connected"


with socket.create_server(("127.0.0.1", 1003), backlog=64):
    play("server, the client's ACK is lost for good", half_open)
    for s in held:
        s.close()
    held.clear()

    def half_open_reset():
        with socket.create_connection(("127.0.0.1", 1003)) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        return "reset"
    play("server, the client resets it in SYN_RECV", half_open_reset)
PY
timeout 50 "${namespace[@]}" python3 play.py | tee seen
diff seen - <<'WANT'
client, no listener: ECONNREFUSED: ActiveOpens 5, PassiveOpens 0, AttemptFails 5, EstabResets 0
client, rejected by ICMP: ECONNREFUSED: ActiveOpens 5, PassiveOpens 0, AttemptFails 5, EstabResets 0
client, dropped, the kernel's time-out: ETIMEDOUT: ActiveOpens 5, PassiveOpens 0, AttemptFails 5, EstabResets 0
client, dropped, the program's time-out: time-out of the program: ActiveOpens 5, PassiveOpens 0, AttemptFails 0, EstabResets 0
server, the client's ACK is lost for good: connected: ActiveOpens 5, PassiveOpens 0, AttemptFails 0, EstabResets 0
server, the client resets it in SYN_RECV: reset: ActiveOpens 5, PassiveOpens 0, AttemptFails 5, EstabResets 5
WANT
