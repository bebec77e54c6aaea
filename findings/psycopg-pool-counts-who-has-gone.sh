#!/usr/bin/env bash
# psycopg_pool counts those who have given up as waiting: max_waiting then refuses everybody.
#
# Version   python3-psycopg-pool 3.2.6-1 of Debian 13, psycopg 3.2.6, Python 3.13; by hand the same
#           with the packages of psycopg 3.3.5 and Python 3.14. A server of a few lines speaks as
#           much of PostgreSQL's protocol as this needs.
# Expected  requests_waiting: "number of requests currently waiting in a queue to receive a
#           connection"; max_waiting: with that many waiting, new requests fail at once
#           with TooManyRequests. A request that ends with PoolTimeout does not wait any more:
#           requests_waiting is 0 again, and the next one may wait.
# Real      It stays in the queue until a connection comes back to the pool. With one connection in
#           use, max_waiting 2 and callers one after the other, two get PoolTimeout, and then each
#           gets TooManyRequests at once ("has already 2 requests waiting"), though nobody
#           waits. The same with a server that is down, and in the async pool, there also with tasks that
#           were cancelled.
# Matters   In an outage or behind one long query the pool turns from "wait" to "refuse" for good,
#           whatever the load is, and the metric shows a queue that is not there: an
#           alarm or a scaler that looks at requests_waiting sees the number of all failures since
#           the last connection came back. What max_waiting limits is those failures.
# Seen      ConnectionPool, connection in use: PoolTimeout PoolTimeout TooManyRequests TooManyRequests
#             nobody waits, requests_waiting is 2; with the connection back: 0
#           ConnectionPool, server down: PoolTimeout PoolTimeout TooManyRequests TooManyRequests
#             nobody waits, requests_waiting is 2
#           AsyncConnectionPool, connection in use: PoolTimeout PoolTimeout TooManyRequests TooManyRequests
#             nobody waits, requests_waiting is 2; with the connection back: 0
#           AsyncConnectionPool, connection in use, tasks cancelled: cancelled cancelled TooManyRequests TooManyRequests
#             nobody waits, requests_waiting is 2; with the connection back: 0
# Run       2026-12-01, three times.
set -euo pipefail
if ! { [ "$(uname -m)" = x86_64 ] && command -v apt-get && command -v dpkg-deb; } >/dev/null; then
  echo "needs Debian on x86-64" >&2
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# Nothing is installed: the pinned packages are unpacked here, with all that they need. The
# lists of Debian 13 come from the mirror that apt uses here, and stay here.
mkdir -p debs/partial lists/partial none root
: >status
mirror=$(apt-get indextargets --format "\$(REPO_URI)" | grep -v security | sort -u | head -n 1)
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >sources.list
apt=(-qq -o Dir::State::status="$work/status" -o Dir::State::Lists="$work/lists" -o Dir::Etc::sourcelist="$work/sources.list"
  -o Dir::Etc::sourceparts="$work/none" -o Dir::Etc::preferencesparts="$work/none" -o Dir::Cache::archives="$work/debs"
  -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
if ! { apt-get update "${apt[@]}" && apt-get install "${apt[@]}" -y --no-install-recommends --download-only \
  python3-psycopg-pool=3.2.6-1 python3-psycopg=3.2.6-1; } >/dev/null; then
  echo "the packages cannot be fetched" >&2
  exit 77
fi
for deb in debs/*.deb; do dpkg-deb -x "$deb" root; done
cat >play.py <<'PY'
import asyncio
import ctypes.util
import logging
import socket
import struct
import threading
import time

# What was unpacked is in no list of ldconfig's.
ctypes.util.find_library = {"pq": "libpq.so.5", "c": "libc.so.6"}.get
import psycopg_pool  # noqa: E402

logging.disable(logging.CRITICAL)


def message(kind, body):
    return kind + struct.pack("!i", len(body) + 4) + body


HELLO = message(b"R", bytes(4)) + b"".join(
    message(b"S", name + b"\0" + value + b"\0") for name, value in
    ((b"server_version", b"17.0"), (b"client_encoding", b"UTF8"), (b"standard_conforming_strings", b"on"))
) + message(b"K", bytes(8)) + message(b"Z", b"I")


def serve(c):
    """Accepts the client, and waits for its end."""
    with c:
        c.recv(65536)
        c.sendall(HELLO)
        while data := c.recv(65536):
            if data[:1] == b"X":
                return


def accept(listener):
    while True:
        try:
            c = listener.accept()[0]
        except OSError:
            return
        threading.Thread(target=serve, args=(c,), daemon=True).start()


def server():
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=accept, args=(listener,), daemon=True).start()
    return listener, "host=127.0.0.1 port=%d user=a dbname=a sslmode=disable gssencmode=disable" % listener.getsockname()[1]


options = dict(min_size=1, max_size=1, max_waiting=2, timeout=0.3, open=False, kwargs={"autocommit": True})


def waiting(pool):
    return pool.get_stats()["requests_waiting"]


def ask(pool):
    try:
        pool.putconn(pool.getconn())
        return "a connection"
    except psycopg_pool.PoolTimeout as e:
        return type(e).__name__
    except psycopg_pool.TooManyRequests as e:
        assert "has already 2 requests waiting" in str(e), e
        return type(e).__name__


def play():
    listener, conninfo = server()
    pool = psycopg_pool.ConnectionPool(conninfo, **options)
    pool.open(wait=True, timeout=10)
    held = pool.getconn()
    print("ConnectionPool, connection in use:", *(ask(pool) for _ in range(4)))
    said = "  nobody waits, requests_waiting is %d" % waiting(pool)
    pool.putconn(held)
    deadline = time.monotonic() + 10
    while pool.get_stats().get("pool_available", 0) == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    print(said + "; with the connection back: %d" % waiting(pool))
    pool.close()
    listener.close()

    unused = socket.create_server(("127.0.0.1", 0))  # bound, and closed: its port refuses
    port = unused.getsockname()[1]
    unused.close()
    pool = psycopg_pool.ConnectionPool("host=127.0.0.1 port=%d user=a dbname=a" % port, **options)
    pool.open()
    print("ConnectionPool, server down:", *(ask(pool) for _ in range(4)))
    print("  nobody waits, requests_waiting is %d" % waiting(pool))
    pool.close()


async def play_async(name, limit):
    listener, conninfo = server()
    pool = psycopg_pool.AsyncConnectionPool(conninfo, **options)
    await pool.open(wait=True, timeout=10)
    held = await pool.getconn()
    said = []
    for _ in range(4):
        try:
            await asyncio.wait_for(pool.getconn(timeout=10 if limit else None), limit)
            said.append("a connection")
        except (psycopg_pool.PoolTimeout, psycopg_pool.TooManyRequests) as e:
            said.append(type(e).__name__)
        except TimeoutError:  # wait_for has cancelled it
            said.append("cancelled")
    print(name, *said)
    said = "  nobody waits, requests_waiting is %d" % waiting(pool)
    await pool.putconn(held)
    deadline = time.monotonic() + 10
    while pool.get_stats().get("pool_available", 0) == 0 and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    print(said + "; with the connection back: %d" % waiting(pool))
    await pool.close()
    listener.close()


play()
asyncio.run(play_async("AsyncConnectionPool, connection in use:", None))
asyncio.run(play_async("AsyncConnectionPool, connection in use, tasks cancelled:", 0.3))
PY
export PYTHONHOME=$work/root/usr PYTHONPATH=$work/root/usr/lib/python3/dist-packages
timeout 60 "$work/root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$work/root/usr/lib/x86_64-linux-gnu" \
  "$work/root/usr/bin/python3.13" play.py | tee seen
diff - seen <<'SEEN'
ConnectionPool, connection in use: PoolTimeout PoolTimeout TooManyRequests TooManyRequests
  nobody waits, requests_waiting is 2; with the connection back: 0
ConnectionPool, server down: PoolTimeout PoolTimeout TooManyRequests TooManyRequests
  nobody waits, requests_waiting is 2
AsyncConnectionPool, connection in use: PoolTimeout PoolTimeout TooManyRequests TooManyRequests
  nobody waits, requests_waiting is 2; with the connection back: 0
AsyncConnectionPool, connection in use, tasks cancelled: cancelled cancelled TooManyRequests TooManyRequests
  nobody waits, requests_waiting is 2; with the connection back: 0
SEEN
