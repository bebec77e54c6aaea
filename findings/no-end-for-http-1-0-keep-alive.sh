#!/usr/bin/env bash
# Tornado, gevent and aiohttp never end a streamed answer to an HTTP/1.0 client that keeps alive.
#
# Version   python3-tornado 6.2.0-3+deb12u4, python3-gevent 22.10.2-3, python3-aiohttp
#           3.8.4-1+deb12u2, python3-waitress 2.1.2-2+deb12u1 of Debian 12.
# Expected  GET of HTTP/1.0 with Connection: keep-alive, and a handler that streams a body without
#           Content-Length. HTTP/1.0 has no chunks, so only the close can end the body: the server
#           closes, as it does without keep-alive, and as waitress does.
# Real      The three send the body without length and without chunks, and leave the
#           connection open. Tornado and gevent even say Connection: keep-alive. The answer has no
#           end: the client waits until a time limit (3 s here).
# Matters   The client has all bytes at once and does not know it. Each such call takes as long as
#           the client's or the server's idle time, and holds a connection meanwhile. The same
#           URL is quick with HTTP/1.1, and with 1.0 without keep-alive, and so is every answer whose
#           length is known.
# Seen      tornado: closed; with keep-alive: 18 bytes, no length, keep-alive, open after 3 s
#           gevent: closed; with keep-alive: 18 bytes, no length, keep-alive, open after 3 s
#           aiohttp: closed; with keep-alive: 18 bytes, no length, open after 3 s
#           waitress: closed; with keep-alive: 18 bytes, no length, closed
set -euo pipefail
[ "$(uname -m)" = x86_64 ] && command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || { echo "needs Debian 12 on x86-64" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# Nothing is installed: the pinned packages are unpacked here, with all that they need.
: >status
mkdir -p debs/partial root
apt-get install -y -qq --no-install-recommends --download-only -o Dir::State::status="$work/status" \
  -o Dir::Cache::archives="$work/debs" -o APT::Sandbox::User=root python3-tornado=6.2.0-3+deb12u4 \
  python3-gevent=22.10.2-3 python3-aiohttp=3.8.4-1+deb12u2 python3-waitress=2.1.2-2+deb12u1 >/dev/null ||
  { echo "the packages cannot be fetched" >&2; exit 77; }
for deb in debs/*.deb; do dpkg-deb -x "$deb" root; done
cat >serve.py <<'PY'
import socket
import sys

which, listener = sys.argv[1], socket.socket(fileno=int(sys.argv[2]))
parts = [b"part0\n", b"part1\n", b"part2\n"]


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield from parts


if which == "tornado":
    import tornado.httpserver
    import tornado.ioloop
    import tornado.web

    class Handler(tornado.web.RequestHandler):
        async def get(self):
            for part in parts:
                self.write(part)
                await self.flush()

    listener.setblocking(False)
    tornado.httpserver.HTTPServer(tornado.web.Application([("/", Handler)])).add_socket(listener)
    tornado.ioloop.IOLoop.current().start()
elif which == "gevent":
    import gevent.socket
    from gevent.pywsgi import WSGIServer

    WSGIServer(gevent.socket.socket(fileno=listener.detach()), app, log=None).serve_forever()
elif which == "aiohttp":
    from aiohttp import web

    async def handler(request):
        answer = web.StreamResponse()
        await answer.prepare(request)
        for part in parts:
            await answer.write(part)
        return answer

    application = web.Application()
    application.router.add_get("/", handler)
    web.run_app(application, sock=listener, print=None, access_log=None)
else:
    import waitress

    waitress.serve(app, sockets=[listener], _quiet=True)
PY
cat >play.py <<'PY'
import re
import socket
import subprocess
import sys


def ask(address, fields):
    """Returns the body's bytes, what the head says of its end, and how it ended."""
    with socket.create_connection(address) as c:
        c.settimeout(3)
        c.sendall(b"GET / HTTP/1.0\r\nHost: x\r\n" + fields + b"\r\n")
        answer, end = b"", "closed"
        try:
            while data := c.recv(65536):
                answer += data
        except socket.timeout:
            end = "open after 3 s"
    head, _, body = answer.partition(b"\r\n\r\n")
    said = [f"{len(body)} bytes"]
    said.append("with length" if re.search(rb"(?i)content-length|chunked", head) else "no length")
    if re.search(rb"(?i)connection: keep-alive", head):
        said.append("keep-alive")
    return ", ".join(said), end


for which in ("tornado", "gevent", "aiohttp", "waitress"):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = subprocess.Popen([*sys.argv[1:], "serve.py", which, str(listener.fileno())], pass_fds=[listener.fileno()])
        with socket.create_connection(listener.getsockname()) as c:  # wait until it answers
            c.settimeout(30)
            c.sendall(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n")
            while c.recv(65536):
                pass
        plain, kept = ask(listener.getsockname(), b""), ask(listener.getsockname(), b"Connection: keep-alive\r\n")
        print(f"{which}: {plain[1]}; with keep-alive: {kept[0]}, {kept[1]}", flush=True)
        server.kill()
        server.wait()
PY
lib=$work/root/lib/x86_64-linux-gnu:$work/root/usr/lib/x86_64-linux-gnu
python=("$work/root/lib64/ld-linux-x86-64.so.2" --library-path "$lib" "$work/root/usr/bin/python3.11")
PYTHONHOME=$work/root/usr PYTHONPATH=$work/root/usr/lib/python3/dist-packages timeout 90 "${python[@]}" play.py "${python[@]}" | tee seen
diff seen - <<'SEEN'
tornado: closed; with keep-alive: 18 bytes, no length, keep-alive, open after 3 s
gevent: closed; with keep-alive: 18 bytes, no length, keep-alive, open after 3 s
aiohttp: closed; with keep-alive: 18 bytes, no length, open after 3 s
waitress: closed; with keep-alive: 18 bytes, no length, closed
SEEN
