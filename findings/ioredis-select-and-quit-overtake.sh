#!/usr/bin/env bash
# With auto pipelining select() and quit() of ioredis overtake the commands before them.
#
# Version   ioredis 6.0.0 (npm), Node 20.20.2, Redis 7.0.15 (redis-server 5:7.0.15-1~deb12u10 of Debian 12).
# Expected  One client has one connection, and its commands are done in the order of the calls.
#           With enableAutoPipelining, says the README, "all commands issued during an event
#           loop are enqueued in a pipeline", and "no other code change is necessary".
# Real      select and quit are among the commands that are not put into the pipeline, and they are
#           sent at once, before it. What was set before select(1) is set in database 1, with OK
#           for each; so is what other code, which shares the client, sets in the same turn.
#           What was set before quit() fails with "Connection is closed.": the server has closed
#           before it came.
# Matters   A switch that is turned on for speed (the README: 35 to 50 % more) moves writes to another
#           database, without an error. At a shutdown the last commands are lost; without the
#           switch quit() is the way to have them done. (Known in part: ioredis issue 1505,
#           and pull request 1504, which names select as a reason not to make it the default.)
# Seen      plain: set a, set b, select 1, set c: OK OK OK OK; database 0 has a b, database 1 has c
#           plain: set a, set b, quit: OK OK; database 0 has a b, database 1 has nothing
#           auto pipelining: set a, set b, select 1, set c: OK OK OK OK; database 0 has nothing, database 1 has a b c
#           auto pipelining: set a, set b, quit: 2 x Connection is closed.; database 0 has nothing, database 1 has nothing
#           (2026-12-01)
set -euo pipefail
if ! { [ "$(uname -m)" = x86_64 ] && command -v npm && command -v apt-get && command -v dpkg-deb; } >/dev/null; then
  echo "needs Debian 12 on x86-64, node and npm" >&2
  exit 77
fi
work=$(mktemp -d)
redis=
trap 'if [ -n "$redis" ]; then kill "$redis" 2>/dev/null || true; wait "$redis" 2>/dev/null || true; fi; rm -rf "$work"' EXIT
cd "$work"
# The pinned server is not installed, but unpacked here, with all that it needs.
: >status
mkdir -p debs/partial root
apt-get install -y -qq --no-install-recommends --download-only -o Dir::State::status="$work/status" \
  -o Dir::Cache::archives="$work/debs" -o APT::Sandbox::User=root redis-server=5:7.0.15-1~deb12u10 >/dev/null ||
  { echo "redis-server=5:7.0.15-1~deb12u10 cannot be fetched" >&2; exit 77; }
for deb in debs/*.deb; do dpkg-deb -x "$deb" root; done
npm install --loglevel=error --no-audit --no-fund --prefix . ioredis@6.0.0 >/dev/null
port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })')
lib=$work/root/lib/x86_64-linux-gnu:$work/root/usr/lib/x86_64-linux-gnu
"$work/root/lib64/ld-linux-x86-64.so.2" --library-path "$lib" "$work/root/usr/bin/redis-server" \
  --bind 127.0.0.1 --port "$port" --save '' --dir "$work" >log 2>&1 &
redis=$!
cat >main.cjs <<'JS'
const Redis = require('ioredis')
const server = { host: '127.0.0.1', port: Number(process.argv[2]) }

async function has (look, db) {
  await look.select(db)
  return `database ${db} has ${(await look.keys('*')).sort().join(' ') || 'nothing'}`
}

async function play (enableAutoPipelining, calls) {
  const client = new Redis({ ...server, enableAutoPipelining, retryStrategy: () => null })
  client.on('error', () => {})
  await new Promise(resolve => client.once('ready', resolve))
  const results = await Promise.allSettled(calls.map(([name, ...args]) => client[name](...args)))
  client.disconnect()
  // What quit() itself says is left out: its answer and the end of the connection come together.
  const words = results.filter((_, i) => calls[i][0] !== 'quit').map(r => r.value ?? r.reason.message)
  const same = words.every(w => w === words[0]) && words[0] !== 'OK'
  const look = new Redis(server)
  const found = [await has(look, 0), await has(look, 1)]
  await look.flushall()
  await look.quit()
  console.log(`${enableAutoPipelining ? 'auto pipelining' : 'plain'}: ` +
    calls.map(([name, arg = '']) => `${name} ${arg}`.trim()).join(', ') +
    `: ${same ? `${words.length} x ${words[0]}` : words.join(' ')}; ${found.join(', ')}`)
}

async function main () {
  const first = new Redis(server) // tries again until the server is up
  first.on('error', () => {})
  await first.ping()
  await first.quit()
  for (const auto of [false, true]) {
    await play(auto, [['set', 'a', 1], ['set', 'b', 1], ['select', 1], ['set', 'c', 1]])
    await play(auto, [['set', 'a', 1], ['set', 'b', 1], ['quit']])
  }
}
main()
JS
timeout 60 node main.cjs "$port" | tee seen
diff seen - <<'SEEN'
plain: set a, set b, select 1, set c: OK OK OK OK; database 0 has a b, database 1 has c
plain: set a, set b, quit: OK OK; database 0 has a b, database 1 has nothing
auto pipelining: set a, set b, select 1, set c: OK OK OK OK; database 0 has nothing, database 1 has a b c
auto pipelining: set a, set b, quit: 2 x Connection is closed.; database 0 has nothing, database 1 has nothing
SEEN
