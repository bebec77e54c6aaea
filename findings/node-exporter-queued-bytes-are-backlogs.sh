#!/usr/bin/env bash
# node_exporter: every idle listener is 4096 "tx_queued_bytes", every waiting client an "rx_queued" one.
#
# Version   github.com/prometheus/node_exporter v1.12.1, go1.26.8, Linux 6.18.44 (x86-64).
# Expected  node_tcp_connection_states with state rx_queued_bytes and tx_queued_bytes: the bytes
#           that are received and not read, and written and not acknowledged, of all TCP
#           sockets. The README says that they come from /proc/net/tcp and tcp6; there tx_queue of
#           a listener is 0. Without a connection both are 0.
# Real      They come from sock_diag, and are summed over all states. Of a listener the two fields
#           are the length of its accept queue and its backlog (the Recv-Q and Send-Q of ss -tl). So
#           three idle listeners are 12288 bytes to be sent. A client that waits to be accepted and
#           has sent nothing is one received byte, and so is each connection in CLOSE_WAIT from
#           which nothing is unread (the FIN takes a number, as a byte does).
# Matters   A host with 50 listeners shows 200 kB that are never sent, for ever, and a jump of
#           4096 for each service that starts: real unsent bytes cannot be seen beside it, nor
#           compared between hosts. A full accept queue of 4096 clients, which is an outage, is
#           4 kB of input. A leak of 1000 in CLOSE_WAIT is 1000 bytes more.
# Seen      2026-12-01
#           nothing but the exporter's own listener: rx_queued_bytes 0, tx_queued_bytes 4096
#           3 listeners, backlog 4096: rx_queued_bytes +0, tx_queued_bytes +12288; /proc/net/tcp: rx_queue 0, tx_queue 0
#           5 clients wait to be accepted, nothing sent: rx_queued_bytes +5, tx_queued_bytes +12288; /proc/net/tcp: rx_queue 5, tx_queue 0
#           5 clients accepted, nothing sent: rx_queued_bytes +0, tx_queued_bytes +12288; /proc/net/tcp: rx_queue 0, tx_queue 0
#           5 in CLOSE_WAIT, nothing unread: rx_queued_bytes +5, tx_queued_bytes +12288; /proc/net/tcp: rx_queue 5, tx_queue 0
#           all closed: rx_queued_bytes +0, tx_queued_bytes +0; /proc/net/tcp: rx_queue 0, tx_queue 0
set -euo pipefail
for need in go ip python3 unshare; do command -v "$need" >/dev/null || { echo "needs $need" >&2; exit 77; }; done
namespace=(unshare --user --map-root-user --net --)
"${namespace[@]}" true 2>/dev/null || { echo "needs user namespaces" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
GOBIN=$work GOFLAGS=-mod=mod GOWORK=off go install github.com/prometheus/node_exporter@v1.12.1 >/dev/null 2>&1
cat >play.py <<'PY'
import re
import socket
import subprocess
import time
import urllib.request

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
with socket.create_server(("127.0.0.1", 0)) as s:
    web = "127.0.0.1:%d" % s.getsockname()[1]
exporter = subprocess.Popen(["./node_exporter", "--collector.disable-defaults", "--collector.tcpstat",
                             "--web.listen-address=" + web], stderr=subprocess.DEVNULL)


def queued():
    """What the exporter says: received and not read, written and not acknowledged."""
    end = time.monotonic() + 10
    while True:
        try:
            with urllib.request.urlopen("http://%s/metrics" % web, timeout=5) as answer:
                page = answer.read().decode()
            break
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
    return [int(re.search(r'^node_tcp_connection_states\{state="%s_queued_bytes"\} (\d+)$' % which, page, re.M)[1])
            for which in ("rx", "tx")]


def kernel():
    """The same two sums, from /proc/net/tcp, without the exporter's own connections."""
    sums = [0, 0]
    own = ":%04X" % int(web.split(":")[1])
    for line in open("/proc/net/tcp"):
        _, local, remote, _, queues = line.split()[:5]
        sent, _, received = queues.partition(":")
        if received and not local.endswith(own) and not remote.endswith(own):
            sums = [sums[0] + int(received, 16), sums[1] + int(sent, 16)]
    return sums


def states(state):
    return sum(line.split()[3] == state for line in open("/proc/net/tcp"))


def until(what):
    end = time.monotonic() + 5
    while not what():
        if time.monotonic() > end:
            raise SystemExit("waited too long")
        time.sleep(0.02)


def say(what):
    now, table = queued(), kernel()
    print("%s: rx_queued_bytes %+d, tx_queued_bytes %+d; /proc/net/tcp: rx_queue %d, tx_queue %d"
          % (what, now[0] - before[0], now[1] - before[1], *table), flush=True)


try:
    before = queued()
    print("nothing but the exporter's own listener: rx_queued_bytes %d, tx_queued_bytes %d" % tuple(before))
    listeners = [socket.create_server(("127.0.0.1", 0), backlog=4096) for _ in range(3)]
    say("3 listeners, backlog 4096")
    clients = [socket.create_connection(listeners[0].getsockname()) for _ in range(5)]
    say("5 clients wait to be accepted, nothing sent")
    accepted = [listeners[0].accept()[0] for _ in clients]
    say("5 clients accepted, nothing sent")
    for c in clients:
        c.close()
    until(lambda: states("08") == 5)
    say("5 in CLOSE_WAIT, nothing unread")
    for s in accepted + listeners:
        s.close()
    say("all closed")
finally:
    exporter.terminate()
    exporter.wait()
PY
timeout 50 "${namespace[@]}" python3 play.py | tee seen
diff seen - <<'WANT'
nothing but the exporter's own listener: rx_queued_bytes 0, tx_queued_bytes 4096
3 listeners, backlog 4096: rx_queued_bytes +0, tx_queued_bytes +12288; /proc/net/tcp: rx_queue 0, tx_queue 0
5 clients wait to be accepted, nothing sent: rx_queued_bytes +5, tx_queued_bytes +12288; /proc/net/tcp: rx_queue 5, tx_queue 0
5 clients accepted, nothing sent: rx_queued_bytes +0, tx_queued_bytes +12288; /proc/net/tcp: rx_queue 0, tx_queue 0
5 in CLOSE_WAIT, nothing unread: rx_queued_bytes +5, tx_queued_bytes +12288; /proc/net/tcp: rx_queue 5, tx_queue 0
all closed: rx_queued_bytes +0, tx_queued_bytes +0; /proc/net/tcp: rx_queue 0, tx_queue 0
WANT
