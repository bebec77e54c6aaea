#!/usr/bin/env bash
# A closed httpx client sends the requests that waited, and keeps their connection open.
#
# Version   httpx 0.28.1, httpcore 1.0.7 (python3-httpx 0.28.1-1, python3-httpcore 1.0.7-1 of
#           Debian 13), Python 3.13; by hand the same with httpcore 1.0.9 and Python 3.14.
# Expected  A client with one connection, a request under way and two that wait for it; aclose().
#           The connection is closed and the request under way fails. Those that wait fail too, as
#           a request after aclose() does ("Cannot send a request, as the client has been
#           closed"): nothing is sent after aclose(), and no connection is left.
# Real      With the end of the request under way the other two are sent, on a new
#           connection that the closed client opens, and are answered. This connection stays open:
#           aclose() again does nothing, and keepalive_expiry, 1 s here, is looked at only when
#           a request is made, which a closed client refuses. It ends with the garbage collector.
# Matters   A service that closes its client and then its database, or says that it has
#           drained, still sends. What fails is the request that was nearly done, what goes through are
#           those that had not begun. The server has an idle connection of a client that is closed;
#           ss shows it as established. (encode/httpx issue 1332 of 2020 is about a client's
#           use after aclose(), which is now refused for new requests.)
# Seen      under way: ReadError; waited: 200; waited: 200
#           sent before aclose(): 1 request on 1 connection
#           sent after aclose(): 2 requests on 1 new connection
#           a request after aclose(): Cannot send a request, as the client has been closed.
#           open connections: 1; after aclose() again: 1; after keepalive_expiry: 1; client deleted: 0
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
  python3-httpx=0.28.1-1 python3-httpcore=1.0.7-1; } >/dev/null; then
  echo "the packages cannot be fetched" >&2
  exit 77
fi
for deb in debs/*.deb; do dpkg-deb -x "$deb" root; done
cat >play.py <<'PY'
import asyncio
import gc

import httpcore
import httpx

accepted, requests, connections = 0, 0, set()
answers = asyncio.Event()


async def serve(reader, writer):
    """Answers nothing before the client was closed."""
    global accepted, requests
    accepted += 1
    connections.add(writer)
    try:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            requests += 1
            await answers.wait()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    connections.discard(writer)
    writer.close()


async def get(client, url):
    try:
        return str((await client.get(url)).status_code)
    except httpx.HTTPError as e:
        return type(e).__name__


def count(n, what):
    return "%d %s%s" % (n, what, "" if n == 1 else "s")


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = "http://127.0.0.1:%d/" % server.sockets[0].getsockname()[1]
    client = httpx.AsyncClient(verify=False, trust_env=False, timeout=20,
                               limits=httpx.Limits(max_connections=1, keepalive_expiry=1))
    tasks = [asyncio.create_task(get(client, url)) for _ in range(3)]
    while requests == 0:
        await asyncio.sleep(0.01)
    await client.aclose()
    before, connected = requests, accepted
    answers.set()
    print("under way: %s; waited: %s; waited: %s" % tuple(await asyncio.gather(*tasks)))
    print("sent before aclose(): %s on %s" % (count(before, "request"), count(connected, "connection")))
    print("sent after aclose(): %s on %s" % (count(requests - before, "request"), count(accepted - connected, "new connection")))
    try:
        await client.get(url)
    except RuntimeError as e:
        print("a request after aclose():", e)

    async def left(longest):
        """The number of open connections, when there are none or after this time."""
        for _ in range(int(longest * 100)):
            if not connections:
                break
            await asyncio.sleep(0.01)
        return len(connections)

    said = ["open connections: %d" % await left(0.3)]
    await client.aclose()
    said.append("after aclose() again: %d" % await left(0.3))
    said.append("after keepalive_expiry: %d" % await left(2))
    del client, tasks
    gc.collect()
    said.append("client deleted: %d" % await left(2))
    print("; ".join(said))


assert (httpx.__version__, httpcore.__version__) == ("0.28.1", "1.0.7"), httpcore.__version__
asyncio.run(asyncio.wait_for(main(), 30))
PY
export PYTHONHOME=$work/root/usr PYTHONPATH=$work/root/usr/lib/python3/dist-packages
timeout 60 "$work/root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$work/root/usr/lib/x86_64-linux-gnu" \
  "$work/root/usr/bin/python3.13" play.py | tee seen
diff - seen <<'SEEN'
under way: ReadError; waited: 200; waited: 200
sent before aclose(): 1 request on 1 connection
sent after aclose(): 2 requests on 1 new connection
a request after aclose(): Cannot send a request, as the client has been closed.
open connections: 1; after aclose() again: 1; after keepalive_expiry: 1; client deleted: 0
SEEN
