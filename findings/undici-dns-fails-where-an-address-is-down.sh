#!/usr/bin/env bash
# undici's dns interceptor fails half of the requests if one of two addresses is down.
#
# Version   undici 7.30.2 (npm), Node 20.20.2.
# Expected  A name has two IPv4 addresses, and on one of them nothing listens. Without the
#           interceptor undici tries the next address (as node:net does), and so each request
#           is answered. With it, too: dualStack "will also attempt a
#           happy-eyeballs-like approach to connect to the available addresses in case of a
#           connection failure".
# Real      It takes the addresses in turn for each request, and after ECONNREFUSED it tries only one
#           of the other family. There is none: every second request fails, though the
#           connection to the good address is open and idle. The address that is down stays in
#           the cache, for all ten requests. With a good IPv6 address in the place of the second none fails.
# Matters   The interceptor is added to save look-ups. With it one instance of two that is down
#           is half of the requests failed, instead of none, until the TTL (10 s by default) is over.
# Seen      no interceptor: 10 answered, 0 ECONNREFUSED, 1 connections
#           dns: 5 answered, 5 ECONNREFUSED, 1 connections, 1 look-ups
#           dns, dualStack false: 5 answered, 5 ECONNREFUSED, 1 connections, 1 look-ups
#           dns, dead IPv4 and good IPv6: 10 answered, 0 ECONNREFUSED, 1 connections, 1 look-ups
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --loglevel=error --no-audit --no-fund --prefix . undici@7.30.2 >/dev/null
cat >main.mjs <<'JS'
import http from 'node:http'
import { Agent, interceptors, request } from 'undici'

let conns = 0
const server = http.createServer((req, res) => res.end('ok'))
server.on('connection', () => conns++)
await new Promise(done => server.listen(0, '127.0.0.1', done))
const { port } = server.address()
const six = http.createServer((req, res) => res.end('ok'))
six.on('connection', () => conns++)
await new Promise(done => six.listen(port, '::1', done).on('error', err => { console.error(`needs ::1: ${err.code}`); process.exit(77) }))

let lookups = 0
// names is a look-up that always has the same addresses. On 127.0.0.2 nothing listens.
const names = (...addresses) => (host, options, done) => {
  lookups++
  const list = addresses.map(address => ({ address, family: address === '::1' ? 6 : 4, ttl: 10000 }))
  options.all === false ? done(null, list[0].address, list[0].family) : done(null, list)
}
async function run (name, dispatcher) {
  conns = lookups = 0
  const said = { answered: 0, ECONNREFUSED: 0 }
  for (let i = 0; i < 10; i++) {
    try {
      const res = await request(`http://two.test:${port}/`, { dispatcher })
      await res.body.text()
      said.answered++
      await new Promise(done => setTimeout(done, 5)) // a turn of the event loop, so that it is idle
    } catch (err) { said[err.code] = (said[err.code] ?? 0) + 1 }
  }
  const text = Object.entries(said).map(([s, n]) => `${n} ${s}`).join(', ')
  console.log(`${name}: ${text}, ${conns} connections${name.startsWith('dns') ? `, ${lookups} look-ups` : ''}`)
}
const two = names('127.0.0.1', '127.0.0.2')
const dns = options => new Agent().compose(interceptors.dns(options))
await run('no interceptor', new Agent({ connect: { lookup: names('127.0.0.2', '127.0.0.1') } }))
await run('dns', dns({ lookup: two }))
await run('dns, dualStack false', dns({ lookup: two, dualStack: false, affinity: 4 }))
await run('dns, dead IPv4 and good IPv6', dns({ lookup: names('127.0.0.2', '::1') }))
process.exit(0)
JS
node main.mjs >output || exit $?
cat output
diff - output <<'WANT'
no interceptor: 10 answered, 0 ECONNREFUSED, 1 connections
dns: 5 answered, 5 ECONNREFUSED, 1 connections, 1 look-ups
dns, dualStack false: 5 answered, 5 ECONNREFUSED, 1 connections, 1 look-ups
dns, dead IPv4 and good IPv6: 10 answered, 0 ECONNREFUSED, 1 connections, 1 look-ups
WANT
