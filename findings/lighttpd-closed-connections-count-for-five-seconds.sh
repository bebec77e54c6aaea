#!/usr/bin/env bash
# A connection that lighttpd has closed as idle counts five seconds longer, unless its client notices.
#
# Version   lighttpd 1.4.85-1 of Debian unstable; by hand the same with 1.4.69 of Debian 12.
# Expected  server.max-connections 4 is reached by four idle kept connections; a fifth client
#           connects, sends a request and waits. server.max-keep-alive-idle, after which an idle
#           connection is dropped, is 2 s. So its answer comes after two or three seconds, as
#           with h2o and HAProxy (by hand: at their timeouts, 4.0 and 3.0 s).
# Real      So it is if the four clients close when they see the FIN. If they do not look, as the
#           pools of many clients do not look at an idle connection, the answer comes five seconds
#           later: lighttpd has only shut its side down, and waits that long for the
#           client's FIN, with the place taken. In ss the four are in FIN-WAIT-2 (in CLOSE-WAIT at
#           the clients), and one LISTEN with a queue of 1; not one connection is established that
#           lighttpd would still serve.
# Matters   A smaller max-keep-alive-idle is what one sets so that idle clients give way. It cannot
#           bring that below five seconds; with 0 (no keep-alive) an answer says "Connection:
#           close", and clients do notice. Those who wait have a connection, a time limit, and no
#           error: what they see is a server that does not answer for seven seconds.
# Seen      clients that close at a FIN: answered, after the idle timeout; of the four 4 had a FIN
#           clients that do not look: at the idle timeout of the four 4 in FIN-WAIT-2, and not answered
#           clients that do not look: answered, five seconds after the idle timeout
#           (2026-12-01)
set -euo pipefail
if ! { [ "$(uname -m)" = x86_64 ] && command -v apt-get && command -v dpkg-deb && command -v python3 && command -v ss; } >/dev/null; then
  echo "needs Debian on x86-64, python3 and ss" >&2
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 711 "$work"
cd "$work"
# Nothing is installed: the pinned package is unpacked here, with all that it needs. The lists
# of unstable come from the mirror that apt uses here, and stay here.
mkdir -p debs/partial lists/partial none root www
: >status
mirror=$(apt-get indextargets --format "\$(REPO_URI)" | grep -v security | sort -u | head -n 1)
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >sources.list
apt=(-qq -o Dir::State::status="$work/status" -o Dir::State::Lists="$work/lists" -o Dir::Etc::sourcelist="$work/sources.list"
  -o Dir::Etc::sourceparts="$work/none" -o Dir::Etc::preferencesparts="$work/none" -o Dir::Cache::archives="$work/debs"
  -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
if ! { apt-get update "${apt[@]}" && apt-get install "${apt[@]}" -y --no-install-recommends --download-only lighttpd=1.4.85-1; } >/dev/null; then
  echo "lighttpd=1.4.85-1 cannot be fetched" >&2
  exit 77
fi
for deb in debs/*.deb; do dpkg-deb -x "$deb" root; done
echo ok >www/index.txt
cat >play.py <<'PY'
import os
import select
import socket
import subprocess
import time

here = os.getcwd()
lib = ["%s/root/%s" % (here, d) for d in ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu")]
program = ["%s/root/usr/lib64/ld-linux-x86-64.so.2" % here, "--library-path", ":".join(lib),
           here + "/root/usr/sbin/lighttpd", "-D", "-f", here + "/conf", "-m", here + "/root/usr/lib/lighttpd"]
REQUEST = b"GET /index.txt HTTP/1.1\r\nHost: a\r\n\r\n"


def states(port):
    out = subprocess.run(["ss", "-tnH", "state", "all", "( sport = :%d )" % port], capture_output=True, text=True).stdout
    return [line.split()[0] for line in out.splitlines()]


def play(look):
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    with open("conf", "w") as f:
        f.write('server.document-root = "%s/www"\nserver.bind = "127.0.0.1"\nserver.port = %d\n' % (here, port))
        f.write("server.max-connections = 4\nserver.max-keep-alive-idle = 2\n")
    with open("log", "a") as log:
        lighttpd = subprocess.Popen(program, stdout=log, stderr=log)
    try:
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                assert time.monotonic() < end and lighttpd.poll() is None
                time.sleep(0.05)
        four = [socket.create_connection(("127.0.0.1", port)) for _ in range(4)]
        for c in four:
            c.settimeout(10)
            c.sendall(REQUEST)
            got = b""
            while not got.endswith(b"\r\n\r\nok\n"):
                data = c.recv(65536)
                assert data
                got += data
        fifth = socket.create_connection(("127.0.0.1", port))
        fifth.sendall(REQUEST)
        begin = time.monotonic()
        if look:
            fins = 0
            while time.monotonic() < begin + 4 and fins < 4:
                for c in select.select([c for c in four if c.fileno() >= 0], [], [], 0.1)[0]:
                    fins += c.recv(1) == b""
                    c.close()
            fifth.settimeout(2)
            answered = fifth.recv(65536).startswith(b"HTTP/1.1 200")
            took = time.monotonic() - begin
            print("clients that close at a FIN: %s, %s; of the four %d had a FIN" % (
                "answered" if answered else "not answered",
                "after the idle timeout" if 2 <= took < 4.9 else "after %.1f s" % took, fins))
            return
        while time.monotonic() < begin + 10 and states(port).count("FIN-WAIT-2") < 4:
            time.sleep(0.05)
        idle = time.monotonic()
        answered = bool(select.select([fifth], [], [], 3)[0])
        print("clients that do not look: at the idle timeout of the four %d in FIN-WAIT-2, and %s" %
              (states(port).count("FIN-WAIT-2"), "answered" if answered else "not answered"))
        fifth.settimeout(10)
        answered = fifth.recv(65536).startswith(b"HTTP/1.1 200")
        took = time.monotonic() - idle
        print("clients that do not look: %s, %s after the idle timeout" %
              ("answered" if answered else "not answered", "five seconds" if 4 <= took < 7 else "%.1f s" % took))
    finally:
        lighttpd.terminate()
        lighttpd.wait()


play(True)
play(False)
PY
timeout 60 python3 play.py | tee seen
diff seen - <<'SEEN'
clients that close at a FIN: answered, after the idle timeout; of the four 4 had a FIN
clients that do not look: at the idle timeout of the four 4 in FIN-WAIT-2, and not answered
clients that do not look: answered, five seconds after the idle timeout
SEEN
