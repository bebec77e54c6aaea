#!/usr/bin/env bash
# One INCR, one lost answer: go-redis and redis-py increment by four, ioredis without an end.
#
# Version   github.com/redis/go-redis/v9 v9.23.0, github.com/gomodule/redigo v1.9.3,
#           github.com/redis/rueidis v1.0.79, go1.26.9; ioredis 6.0.0, redis 6.3.1 (node-redis; npm),
#           Node 20.20.2; python3-redis 6.4.0-3 with redis-server 5:8.0.6-3, both of Debian unstable.
# Expected  The server does INCR; its answer is lost, because the connection ends or it takes longer
#           than the client's limit, one second. A client cannot know whether it was done, so the
#           caller has an error, and decides. INCR, LPUSH or DECRBY must not be repeated
#           blindly; rueidis says in its README that it repeats only what reads.
# Real      As they come, go-redis (MaxRetries 3) and redis-py (3 retries since 6.0, 10 in newer
#           versions) send it four times in both cases, and report the error of the last: the counter
#           is at 4. ioredis sends it again after each reconnect (its README says so, of
#           autoResendUnfulfilledCommands). maxRetriesPerRequest, 20, does not end that: what it
#           counts begins anew with each connection that comes up; by hand 51 in 8 s. Nor does
#           commandTimeout: the caller has "Command timed out", and INCR is sent on. redigo,
#           rueidis and node-redis send it once.
# Matters   A failover, a proxy that restarts or one slow command: stock, quotas and IDs are off by
#           three per caller, queues have jobs four times, and a server that is too slow gets four
#           times the commands. Moving from redigo to go-redis, or redis-py from 5 to 6, brings it
#           in. (Known in part: go-redis pull requests 1121 and 1551, redis-py 3614 and 4082.)
# Seen      the connection ends: go-redis 4, redis-py 4, redigo 1, rueidis 1, node-redis 1
#           the connection ends: ioredis more than 4, and more after its caller had the error
#           no answer in time: go-redis 4, redis-py 4, redigo 1, rueidis 1, node-redis 1, ioredis 1
#           (2026-12-01)
set -euo pipefail
if ! { [ "$(uname -m)" = x86_64 ] && command -v go && command -v npm && command -v python3 && command -v apt-get && command -v dpkg-deb; } >/dev/null; then
  echo "needs Debian on x86-64, go, node, npm and python3" >&2
  exit 77
fi
work=$(mktemp -d)
redis=
trap 'if [ -n "$redis" ]; then kill "$redis" 2>/dev/null || true; wait "$redis" 2>/dev/null || true; fi; rm -rf "$work"' EXIT
cd "$work"
# Nothing is installed: the pinned packages are unpacked here. The lists of unstable come from
# the mirror that apt uses here, and stay here.
mkdir -p debs/partial lists/partial none root
: >status
mirror=$(apt-get indextargets --format "\$(REPO_URI)" | grep -v security | sort -u | head -n 1)
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >sources.list
apt=(-qq -o Dir::State::status="$work/status" -o Dir::State::Lists="$work/lists" -o Dir::Etc::sourcelist="$work/sources.list"
  -o Dir::Etc::sourceparts="$work/none" -o Dir::Etc::preferencesparts="$work/none" -o Dir::Cache::archives="$work/debs"
  -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
if ! { apt-get update "${apt[@]}" && apt-get install "${apt[@]}" -y --no-install-recommends --download-only redis-server=5:8.0.6-3 &&
  cd debs && apt-get download "${apt[@]}" python3-redis=6.4.0-3 python3-async-timeout; } >/dev/null; then
  echo "the packages cannot be fetched" >&2
  exit 77
fi
cd "$work"
for deb in debs/*.deb; do dpkg-deb -x "$deb" root; done
npm install --loglevel=error --no-audit --no-fund --prefix . ioredis@6.0.0 redis@6.3.1 >/dev/null
export GOFLAGS=-mod=mod GOWORK=off
go mod init finding >/dev/null 2>&1
go get github.com/redis/go-redis/v9@v9.23.0 github.com/gomodule/redigo@v1.9.3 github.com/redis/rueidis@v1.0.79 >/dev/null 2>&1
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/gomodule/redigo/redis"
	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"
)

const limit = time.Second

func main() {
	ctx, addr, key := context.Background(), "127.0.0.1:"+os.Args[2], os.Args[3]
	var err error
	switch os.Args[1] {
	case "go-redis":
		err = goredis.NewClient(&goredis.Options{Addr: addr, ReadTimeout: limit}).Incr(ctx, key).Err()
	case "redigo":
		pool := &redis.Pool{Dial: func() (redis.Conn, error) { return redis.Dial("tcp", addr, redis.DialReadTimeout(limit)) }}
		_, err = pool.Get().Do("INCR", key)
	case "rueidis":
		var c rueidis.Client
		if c, err = rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{addr}, ForceSingleClient: true}); err != nil {
			panic(err)
		}
		timed, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		err = c.Do(timed, c.B().Incr().Key(key).Build()).Error()
	}
	if err != nil {
		fmt.Println("error")
	}
}
GO
go mod tidy >/dev/null 2>&1
go build -o finding .
cat >ioredis.cjs <<'JS'
const Redis = require('ioredis')
const [port, key] = process.argv.slice(2)
const client = new Redis({ host: '127.0.0.1', port: Number(port), commandTimeout: 1000 })
client.on('error', () => {})
client.once('ready', () => client.incr(key).catch(() => console.log('error')))
setTimeout(() => process.exit(), 8000)
JS
cat >node-redis.cjs <<'JS'
const { createClient } = require('redis')
const [port, key] = process.argv.slice(2)
const client = createClient({ socket: { host: '127.0.0.1', port: Number(port), socketTimeout: 1000 } })
client.on('error', () => {})
client.connect().then(() => client.incr(key)).catch(() => console.log('error'))
setTimeout(() => process.exit(), 6000)
JS
cat >redis-py.py <<'PY'
import sys

import redis

try:
    redis.Redis(host="127.0.0.1", port=int(sys.argv[1]), socket_timeout=1).incr(sys.argv[2])
except redis.RedisError:
    print("error")
PY
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
lib=$work/root/usr/lib/x86_64-linux-gnu
"$work/root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$lib" "$work/root/usr/bin/redis-server" \
  --bind 127.0.0.1 --port "$port" --save '' --dir "$work" >log 2>&1 &
redis=$!
cat >play.py <<'PY'
import os
import socket
import subprocess
import sys
import threading
import time

server = ("127.0.0.1", int(sys.argv[1]))


def value(key):
    with socket.create_connection(server) as c:
        c.sendall(b"GET " + key.encode() + b"\r\n")
        lines = c.makefile("rb")
        return int(lines.readline()[1:]) > 0 and int(lines.readline())


def end(*sockets):
    for s in sockets:
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def back(c, s, lost, closes):
    try:
        while data := s.recv(65536):
            if lost and data.startswith(b":"):  # the answer to INCR
                if closes:
                    break
                continue
            c.sendall(data)
    except OSError:
        pass
    end(c, s)


def forth(c, closes):
    """Passes everything on, but for the answer to INCR."""
    s, lost = socket.create_connection(server), []
    threading.Thread(target=back, args=(c, s, lost, closes), daemon=True).start()
    try:
        while data := c.recv(65536):
            if b"incr" in data.lower():
                lost.append(1)
            s.sendall(data)
    except OSError:
        pass
    end(c, s)


def proxy(closes):
    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            threading.Thread(target=forth, args=(listener.accept()[0], closes), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return str(listener.getsockname()[1])


clients = {
    "go-redis": ["./finding", "go-redis"],
    "redis-py": ["python3", "redis-py.py"],
    "redigo": ["./finding", "redigo"],
    "rueidis": ["./finding", "rueidis"],
    "node-redis": ["node", "node-redis.cjs"],
    "ioredis": ["node", "ioredis.cjs"],
}
until = time.monotonic() + 10
while True:
    try:
        socket.create_connection(server).close()
        break
    except OSError:
        assert time.monotonic() < until
        time.sleep(0.05)
env = dict(os.environ, PYTHONPATH="root/usr/lib/python3/dist-packages")
running = {}
for case, closes in (("ends", True), ("late", False)):
    to = proxy(closes)
    for name, command in clients.items():
        key = case + "." + name
        running[key] = subprocess.Popen(command + [to, key], stdout=subprocess.PIPE, env=env)
key = "ends.ioredis"
assert running[key].stdout.readline() == b"error\n"
first = value(key)
while time.monotonic() < until + 10 and value(key) < max(first + 3, 5):
    time.sleep(0.05)
goes_on = value(key) >= first + 3
for p in running.values():
    p.wait()


def words(case, names):
    return ", ".join("%s %d" % (name, value(case + "." + name)) for name in names)


names = list(clients)
print("the connection ends:", words("ends", names[:5]))
print("the connection ends: ioredis %s, and %s after its caller had the error" % (
    "more than 4" if value(key) > 4 else value(key), "more" if goes_on else "no more"))
print("no answer in time:", words("late", names))
PY
timeout 60 python3 play.py "$port" | tee seen
diff seen - <<'SEEN'
the connection ends: go-redis 4, redis-py 4, redigo 1, rueidis 1, node-redis 1
the connection ends: ioredis more than 4, and more after its caller had the error
no answer in time: go-redis 4, redis-py 4, redigo 1, rueidis 1, node-redis 1, ioredis 1
SEEN
