#!/usr/bin/env bash
# A response of requests keeps its connection open: after it is read, closed, and its session closed.
#
# Version   python3-requests 2.32.3+dfsg-5+deb13u1 and python3-urllib3 2.3.0-3+deb13u2 of Debian
#           13, Python 3.13; by hand the same with requests 2.34.2 and urllib3 2.8.0.
# Expected  requests.get() has a session of its own and closes it: "Closes all adapters and as
#           such the session". The body has been read by then. Twenty answers in a list are
#           twenty objects in memory, without a connection, as with requests on urllib3 1.26.
# Real      Since urllib3 2 the pools close themselves when nothing refers to them, and
#           clear(), which Session.close() ends in, only drops the pool manager's references. A
#           response has one to its pool. Each answer that is kept holds an idle connection, also
#           after response.close() and after "with Session()". Only dropping the
#           response closes it. What was read from it (text, json) may stay.
# Matters   A job that collects answers, a cache of responses, or an exception that is kept (it has
#           the response) holds a descriptor and a place in the server's limit for each of them.
#           ss shows established connections, later CLOSE-WAIT, of sessions that are closed;
#           the code has no leak that a review finds. (Known: psf/requests issue 6573.)
# Seen      requests.get() 20 times, text kept: 0 open
#           requests.get() 20 times, responses kept: 20 open; response.close(): 20 open; dropped: 0 open
#           "with Session()", response kept: 1 open; session.close() again: 1 open; dropped: 0 open
#           error of raise_for_status() kept: 1 open; dropped: 0 open
#           urllib3 "with PoolManager()", response kept: 1 open; dropped: 0 open
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
  python3-requests=2.32.3+dfsg-5+deb13u1 python3-urllib3=2.3.0-3+deb13u2; } >/dev/null; then
  echo "the packages cannot be fetched" >&2
  exit 77
fi
for deb in debs/*.deb; do dpkg-deb -x "$deb" root; done
cat >play.py <<'PY'
import gc
import socket
import threading
import time

import requests
import urllib3

connections = set()


def serve(c):
    connections.add(c)
    try:
        while True:
            head = b""
            while b"\r\n\r\n" not in head:
                data = c.recv(65536)
                if not data:
                    return
                head += data
            status = b"503 Service Unavailable" if head.startswith(b"GET /busy") else b"200 OK"
            c.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\nok")
    finally:
        connections.discard(c)
        c.close()


def accept(listener):
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


def left():
    """The number of open connections, when there are none or after half a second."""
    gc.collect()
    for _ in range(50):
        if not connections:
            break
        time.sleep(0.01)
    return "%d open" % len(connections)


def error(session):
    try:
        session.get(url + "busy").raise_for_status()
    except requests.HTTPError as e:
        return e.with_traceback(None)


listener = socket.create_server(("127.0.0.1", 0), backlog=50)
threading.Thread(target=accept, args=(listener,), daemon=True).start()
url = "http://127.0.0.1:%d/" % listener.getsockname()[1]

kept = [requests.get(url).text for _ in range(20)]
assert kept == ["ok"] * 20
print("requests.get() 20 times, text kept:", left())

kept = [requests.get(url) for _ in range(20)]
said = ["requests.get() 20 times, responses kept: " + left()]
for response in kept:
    assert response.text == "ok"
    response.close()
said.append("response.close(): " + left())
del response, kept
print("; ".join(said + ["dropped: " + left()]))

with requests.Session() as session:
    kept = session.get(url)
said = ['"with Session()", response kept: ' + left()]
session.close()
said.append("session.close() again: " + left())
del kept
print("; ".join(said + ["dropped: " + left()]))

with requests.Session() as session:
    kept = error(session)
said = "error of raise_for_status() kept: " + left()
del kept
print("%s; dropped: %s" % (said, left()))

with urllib3.PoolManager() as manager:
    kept = manager.request("GET", url)
assert kept.data == b"ok"
said = 'urllib3 "with PoolManager()", response kept: ' + left()
del kept
print("%s; dropped: %s" % (said, left()))
PY
unset HTTP_PROXY http_proxy ALL_PROXY all_proxy
export PYTHONHOME=$work/root/usr PYTHONPATH=$work/root/usr/lib/python3/dist-packages
timeout 60 "$work/root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$work/root/usr/lib/x86_64-linux-gnu" \
  "$work/root/usr/bin/python3.13" play.py | tee seen
diff - seen <<'SEEN'
requests.get() 20 times, text kept: 0 open
requests.get() 20 times, responses kept: 20 open; response.close(): 20 open; dropped: 0 open
"with Session()", response kept: 1 open; session.close() again: 1 open; dropped: 0 open
error of raise_for_status() kept: 1 open; dropped: 0 open
urllib3 "with PoolManager()", response kept: 1 open; dropped: 0 open
SEEN
