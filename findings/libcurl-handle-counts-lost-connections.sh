#!/usr/bin/env bash
# libcurl counts the connections that a handle has lost, over all of its requests.
#
# Version   libcurl 7.88.1 (Debian 12's libcurl3-gnutls), through python3-pycurl 7.45.2-3.
# Expected  A reused connection turns out to be dead: libcurl sends the request again on a new
#           one, at most five times for a request. A server that closes each connection at its
#           second request costs each request one try more, and none fails.
# Real      The five are for the life of the easy handle: a request that succeeds gives none
#           back. The sixth request that meets a dead connection is not sent again, and fails
#           with CURLE_SEND_ERROR (55), "Connection died, tried 5 times before giving up",
#           though it was tried once. With that the count begins anew. A handle that is reset
#           (curl_easy_reset) after each request does not have it.
# Matters   A handle that is kept for years, as a connection pool is meant to be, fails about
#           every sixth time that a server's idle timeout hits a request, and the text of the
#           error says that it happened five times in a row.
# Seen      one handle: ok ok ok ok ok ok 55 ok ok ok ok ok ok 55 ok
#           one handle, reset after each request: ok ok ok ok ok ok ok ok ok ok ok ok ok ok ok
set -euo pipefail
[ "$(uname -m)" = x86_64 ] && command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || { echo "needs Debian 12 on x86-64" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# Nothing is installed: the pinned package is unpacked here (python3-pycurl==7.45.2-3), with
# all that it needs.
: >status
mkdir -p debs/partial root
apt-get install -y -qq --no-install-recommends --download-only -o Dir::State::status="$work/status" \
  -o Dir::Cache::archives="$work/debs" -o APT::Sandbox::User=root python3-pycurl=7.45.2-3 >/dev/null ||
  { echo "python3-pycurl=7.45.2-3 cannot be fetched" >&2; exit 77; }
for deb in debs/*.deb; do dpkg-deb -x "$deb" root; done
cat >play.py <<'PY'
import io
import socket
import threading

import pycurl


def serve(c):
    """Answers a connection's first request, and closes it at the second."""
    with c:
        for answer in (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b""):
            head = b""
            while b"\r\n\r\n" not in head:
                data = c.recv(65536)
                if not data:
                    return
                head += data
            c.sendall(answer)


def accept(listener):
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=accept, args=(listener,), daemon=True).start()
url = "http://127.0.0.1:%d/" % listener.getsockname()[1]


def play(reset):
    handle, said = pycurl.Curl(), []
    for _ in range(15):
        handle.setopt(pycurl.URL, url)
        handle.setopt(pycurl.TIMEOUT, 10)
        handle.setopt(pycurl.WRITEDATA, io.BytesIO())
        try:
            handle.perform()
            said.append("ok")
        except pycurl.error as e:
            said.append(str(e.args[0]))
        if reset:
            handle.reset()
    return " ".join(said)


assert "libcurl/7.88.1" in pycurl.version, pycurl.version
print("one handle:", play(False))
print("one handle, reset after each request:", play(True))
PY
lib=$work/root/lib/x86_64-linux-gnu:$work/root/usr/lib/x86_64-linux-gnu
PYTHONHOME=$work/root/usr PYTHONPATH=$work/root/usr/lib/python3/dist-packages timeout 60 \
  "$work/root/lib64/ld-linux-x86-64.so.2" --library-path "$lib" "$work/root/usr/bin/python3.11" play.py | tee seen
diff seen - <<'SEEN'
one handle: ok ok ok ok ok ok 55 ok ok ok ok ok ok 55 ok
one handle, reset after each request: ok ok ok ok ok ok ok ok ok ok ok ok ok ok ok
SEEN
