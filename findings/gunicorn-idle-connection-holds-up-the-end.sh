#!/usr/bin/env bash
# An idle kept connection holds up the end of gunicorn's workers for the whole graceful timeout.
#
# Version   gunicorn 26.2.2-2 and python3-gevent 25.9.1-2+b1 of Debian unstable, Python 3.14.
# Expected  keepalive is "the number of seconds to wait for requests on a Keep-Alive
#           connection": 2 s here. After SIGTERM, or after max_requests, a worker has no
#           request, and one client that keeps an idle connection. It ends within those 2 s,
#           as the gevent worker does, and as gthread of 23.0.0 did. graceful_timeout is for
#           requests that are under way.
# Real      gthread and asgi stay until graceful_timeout (8 s here, 30 s if not set). gthread
#           sleeps until something happens on one of its connections, and looks at the idle times
#           only then: when a second client closes at 3 s, the first is closed too, and the
#           worker ends. asgi does not close idle connections at all. With max_requests and
#           one worker of gthread, nobody accepts meanwhile: the next client waits 8 s.
# Matters   One quiet client, or one proxy's pool, makes each deploy or restart take the 30 s, and
#           each recycling of a worker a gap in service of 30 s. Nothing is logged. Behind a
#           proxy that closes its idle connections sooner it is not seen.
#           (Known in part: gunicorn's pull request 3735 is about asgi's idle connections.)
# Seen      gthread: SIGTERM, no connection: soon
#           gthread: SIGTERM, one idle: graceful timeout
#           gthread: SIGTERM, two idle, one of them closes at 3 s: ends then
#           gthread: max_requests, one idle, next client served: graceful timeout
#           asgi: SIGTERM, no connection: soon
#           asgi: SIGTERM, one idle: graceful timeout
#           gevent: SIGTERM, no connection: soon
#           gevent: SIGTERM, one idle: keep-alive
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
  gunicorn=26.2.2-2 python3-gunicorn=26.2.2-2 python3-gevent=25.9.1-2+b1; } >/dev/null; then
  echo "the packages cannot be fetched" >&2
  exit 77
fi
for deb in debs/*.deb; do dpkg-deb -x "$deb" root; done
cat >app.py <<'PY'
def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
PY
cat >play.py <<'PY'
import os
import socket
import subprocess
import sys
import time

KEEPALIVE, GRACEFUL = 2, 8
python = sys.argv[1:]


def start(kind, *more):
    """gunicorn with one worker, on a listener of ours."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = "app:asgi" if kind == "asgi" else "app:wsgi"
    process = subprocess.Popen(
        python + ["-m", "gunicorn", "--worker-class", kind, "--threads", "1", "--bind", "fd://%d" % listener.fileno(),
                  "--keep-alive", str(KEEPALIVE), "--graceful-timeout", str(GRACEFUL), "--no-control-socket",
                  "--log-level", "error", *more, app], pass_fds=[listener.fileno()], cwd=os.getcwd())
    return process, listener.getsockname()


def get(address, header=""):
    """A connection that has had one answer."""
    c = socket.create_connection(address, timeout=30)
    c.sendall(("GET / HTTP/1.1\r\nHost: a\r\n%s\r\n" % header).encode())
    data = b""
    while not data.endswith(b"\r\n\r\nok"):
        got = c.recv(65536)
        assert got, data
        data += got
    return c


def word(seconds):
    for name, least, most in (("at once", 0, 1.6), ("keep-alive", KEEPALIVE - 0.3, KEEPALIVE + 2.5),
                              ("graceful timeout", GRACEFUL - 0.6, GRACEFUL + 2)):
        if least <= seconds <= most:
            return name
    return "after %.1f s" % seconds


def term(kind, what, play, *more):
    process, address = start(kind, *more)
    try:
        seconds = play(process, address)
    finally:
        process.terminate()
        process.wait()
    # Long before the graceful timeout, of which 3 s are over when one closes.
    said = word(seconds)
    if play is two and seconds < GRACEFUL - KEEPALIVE - 2:
        said = "ends then"
    elif play is none and seconds < KEEPALIVE + 2.5:
        said = "soon"
    print("%s: %s: %s" % (kind, what, said), flush=True)


def end(process, begin):
    process.wait(timeout=40)
    return time.monotonic() - begin


def last(address):
    """One more request, until the worker closes: it has put away the connections before it."""
    c = get(address, "Connection: close\r\n")
    assert c.recv(1) == b""
    c.close()


def none(process, address):
    last(address)
    begin = time.monotonic()
    process.terminate()
    return end(process, begin)


def idle(process, address):
    c = get(address)
    last(address)
    begin = time.monotonic()
    process.terminate()
    seconds = end(process, begin)
    c.close()
    return seconds


def two(process, address):
    c, other = get(address), get(address)
    last(address)
    process.terminate()
    try:
        process.wait(timeout=KEEPALIVE + 1)
        raise AssertionError("it ended before one of them closed")
    except subprocess.TimeoutExpired:
        pass
    begin = time.monotonic()
    other.close()
    seconds = end(process, begin)
    c.close()
    return seconds


def recycle(process, address):
    c = get(address)
    get(address).close()
    last(address)  # the third request: the worker accepts no more
    begin = time.monotonic()
    get(address).close()
    seconds = time.monotonic() - begin
    c.close()
    return seconds


term("gthread", "SIGTERM, no connection", none)
term("gthread", "SIGTERM, one idle", idle)
term("gthread", "SIGTERM, two idle, one of them closes at 3 s", two)
term("gthread", "max_requests, one idle, next client served", recycle, "--max-requests", "3")
term("asgi", "SIGTERM, no connection", none)
term("asgi", "SIGTERM, one idle", idle)
term("gevent", "SIGTERM, no connection", none)
term("gevent", "SIGTERM, one idle", idle)
PY
export PYTHONHOME=$work/root/usr PYTHONPATH=$work/root/usr/lib/python3/dist-packages PYTHONDONTWRITEBYTECODE=1
python=("$work/root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$work/root/usr/lib/x86_64-linux-gnu" "$work/root/usr/bin/python3.14")
timeout 120 "${python[@]}" play.py "${python[@]}" | tee seen
diff - seen <<'SEEN'
gthread: SIGTERM, no connection: soon
gthread: SIGTERM, one idle: graceful timeout
gthread: SIGTERM, two idle, one of them closes at 3 s: ends then
gthread: max_requests, one idle, next client served: graceful timeout
asgi: SIGTERM, no connection: soon
asgi: SIGTERM, one idle: graceful timeout
gevent: SIGTERM, no connection: soon
gevent: SIGTERM, one idle: keep-alive
SEEN
