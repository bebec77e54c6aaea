#!/usr/bin/env bash
# Closing an aiohttp session cancels the tasks that wait for a connection, and nobody learns of it.
#
# Version   aiohttp 3.14.3 (python3-aiohttp 3.14.3-1+b1 of Debian unstable), Python 3.14.
# Expected  A session with one connection, a request under way and two that wait for it; close().
#           Each call that cannot be done ends with an error that a caller handles: the one under way
#           with ClientConnectionError ("Connector is closed"), those that wait with the same, or
#           with RuntimeError ("Session is closed") as a call after close() does. CancelledError
#           is for tasks that someone has cancelled.
# Real      Those that wait end with asyncio.CancelledError, which is no Exception: neither "except
#           ClientError" nor "except Exception" gets it, and the task counts as cancelled though
#           nobody has called its cancel(). A TaskGroup takes it for that: it ends
#           without an error, and two of three jobs have not been done. The same calls after close(),
#           or with a free connection, have an error.
# Matters   At a shutdown, or where one place closes a session that others use, the jobs that
#           wait at the connection limit vanish without a log line, a retry or a failed group. Under a
#           light load, as in tests, no request waits and each has its error.
# Seen      one connection: ClientConnectionError: Connector is closed.
#           one connection, waits: no Exception, task cancelled
#           one connection, waits: no Exception, task cancelled
#           one connection: the TaskGroup ended without an error, nobody called cancel()
#           three connections: ClientConnectionError: Connector is closed.
#           three connections: ClientConnectionError: Connector is closed.
#           three connections: ClientConnectionError: Connector is closed.
#           three connections: the TaskGroup ended without an error, nobody called cancel()
#           after close(): RuntimeError: Session is closed
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
# lists of unstable come from the mirror that apt uses here, and stay here.
mkdir -p debs/partial lists/partial none root
: >status
mirror=$(apt-get indextargets --format "\$(REPO_URI)" | grep -v security | sort -u | head -n 1)
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >sources.list
apt=(-qq -o Dir::State::status="$work/status" -o Dir::State::Lists="$work/lists" -o Dir::Etc::sourcelist="$work/sources.list"
  -o Dir::Etc::sourceparts="$work/none" -o Dir::Etc::preferencesparts="$work/none" -o Dir::Cache::archives="$work/debs"
  -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
if ! { apt-get update "${apt[@]}" && apt-get install "${apt[@]}" -y --no-install-recommends --download-only \
  python3-aiohttp=3.14.3-1+b1; } >/dev/null; then
  echo "the packages cannot be fetched" >&2
  exit 77
fi
for deb in debs/*.deb; do dpkg-deb -x "$deb" root; done
cat >play.py <<'PY'
import asyncio

import aiohttp


async def job(session, url, said, i):
    try:
        async with session.get(url) as response:
            said[i] = await response.text()
    except Exception as e:
        said[i] = "%s: %s" % (type(e).__name__, e)


async def play(name, url, limit, asked):
    said = ["no Exception"] * 4
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=limit))

    async def close():
        for _ in range(limit):
            await asked.get()  # the server has this many requests, and answers none
        await asyncio.sleep(0)
        await session.close()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(job(session, url, said, i)) for i in range(3)]
        group.create_task(close())
    for i, task in enumerate(tasks):
        print("%s%s: %s%s" % (name, ", waits" if i >= limit else "", said[i], ", task cancelled" if task.cancelled() else ""))
    called = any(task.cancelling() for task in tasks)
    print("%s: the TaskGroup ended without an error, %s called cancel()" % (name, "someone" if called else "nobody"))
    await job(session, url, said, 3)
    return said[3]


async def main():
    asked = asyncio.Queue()

    async def mute(reader, writer):
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                asked.put_nowait(None)
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    url = "http://127.0.0.1:%d/" % server.sockets[0].getsockname()[1]
    await play("one connection", url, 1, asked)
    print("after close():", await play("three connections", url, 3, asked))


assert aiohttp.__version__ == "3.14.3", aiohttp.__version__
asyncio.run(asyncio.wait_for(main(), 30))
PY
export PYTHONHOME=$work/root/usr PYTHONPATH=$work/root/usr/lib/python3/dist-packages
timeout 60 "$work/root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$work/root/usr/lib/x86_64-linux-gnu" \
  "$work/root/usr/bin/python3.14" play.py | tee seen
diff - seen <<'SEEN'
one connection: ClientConnectionError: Connector is closed.
one connection, waits: no Exception, task cancelled
one connection, waits: no Exception, task cancelled
one connection: the TaskGroup ended without an error, nobody called cancel()
three connections: ClientConnectionError: Connector is closed.
three connections: ClientConnectionError: Connector is closed.
three connections: ClientConnectionError: Connector is closed.
three connections: the TaskGroup ended without an error, nobody called cancel()
after close(): RuntimeError: Session is closed
SEEN
