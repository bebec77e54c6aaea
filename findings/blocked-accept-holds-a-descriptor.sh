#!/usr/bin/env bash
# Linux 6.18: threads of one process that wait in accept(2), as that of a
# java.net.ServerSocket does (seen of OpenJDK 17; Python's socketserver waits in poll(2)).
#
# Expected: no descriptor is taken before there is a connection: open(2) fails with EMFILE
# when /proc/PID/fd lists as many as RLIMIT_NOFILE allows. A non-blocking accept(2) of an
# empty queue is EAGAIN, how many descriptors there are does not matter to it.
#
# Real behaviour: accept4 takes the number of a descriptor before it looks for a connection
# (__sys_accept4 in net/socket.c), and keeps it while it waits. Each waiting thread is one
# descriptor less for the process, and /proc/PID/fd lists none of them: with three threads
# open fails at 29 of 32. These three still accept a connection each when nothing else can
# have a descriptor. At the limit a non-blocking accept is EMFILE although no
# connection waits.
#
# Why it matters: what counts descriptors by /proc/PID/fd (lsof, exporters, alerts at 100 %
# of the limit) never sees such a process at its limit: it fails before, by as many as it has
# threads in accept. And a server that logs "accept: too many open files" may not have a client that waits.
#
# Output seen (Linux 6.18.44, Python 3.11.7), three times:
#   no thread in accept: open fails at 32 of 32 listed
#   3 threads in accept: open fails at 29 of 32 listed
#   at the limit they accept 3 connections of 3
#   at the limit accept of an empty queue: EMFILE
#
# It needs python3 and no privilege, and installs nothing: it is the kernel that is looked at. It ends with 1 if the kernel behaves otherwise.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat >"$dir/finding.py" <<'PY'
import errno
import os
import resource
import socket
import threading
import time

LIMIT, THREADS = 32, 3

os.closerange(3, 1024)
listener = socket.create_server(("127.0.0.1", 0))
ask, go = os.pipe()
if os.fork() == 0:  # another process, which has descriptors for its connections
    os.close(go)
    os.read(ask, 1)
    clients = [socket.create_connection(listener.getsockname()) for _ in range(THREADS)]
    os.read(ask, 1)  # until the other process ends
    os._exit(0)
resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
folder = os.open("/proc/self/fd", os.O_RDONLY)  # to list without another descriptor


def open_all():
    held = []
    try:
        while True:
            held.append(os.open(os.devnull, os.O_RDONLY))
    except OSError as e:
        assert e.errno == errno.EMFILE, e
    return held


def listed():
    """How many descriptors the process has, as the kernel lists them."""
    return sum(os.path.lexists(f"/proc/self/fd/{n}") for n in range(1024))


held = open_all()
print(f"no thread in accept: open fails at {listed()} of {LIMIT} listed")
for fd in held:
    os.close(fd)

accepted = []
threads = [threading.Thread(target=lambda: accepted.append(listener.accept()[0])) for _ in range(THREADS)]
for t in threads:
    t.start()


def waits(thread):
    """Whether it is in accept4 (288 on amd64, 242 on arm64)."""
    with open(f"/proc/self/task/{thread.native_id}/syscall") as f:
        return f.read().split()[0] in ("288", "242")


while not all(waits(t) for t in threads):
    time.sleep(0.01)
held = open_all()
print(f"{THREADS} threads in accept: open fails at {listed()} of {LIMIT} listed")
os.write(go, b"x")
for t in threads:
    t.join()
print(f"at the limit they accept {len(accepted)} connections of {THREADS}")
try:
    listener.setblocking(False)
    listener.accept()
except OSError as e:
    print(f"at the limit accept of an empty queue: {errno.errorcode[e.errno]}")
os._exit(0)
PY
timeout 60 python3 -u "$dir/finding.py" | tee "$dir/output"
diff - "$dir/output" <<'WANT'
no thread in accept: open fails at 32 of 32 listed
3 threads in accept: open fails at 29 of 32 listed
at the limit they accept 3 connections of 3
at the limit accept of an empty queue: EMFILE
WANT
