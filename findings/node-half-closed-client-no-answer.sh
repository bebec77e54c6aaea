#!/usr/bin/env bash
# A Node server drops its answer to a client that has closed its writing side.
#
# Version   Node 20.20.2 (node:http), fastify 5.12.8.
# Expected  A client sends a whole GET and then a FIN (shutdown(SHUT_WR), `nc -N`), and reads.
#           A half-closed client still wants its answer, and http.Server opens its listener
#           with allowHalfOpen: the answer comes, as it does from Go's net/http.
# Real      If the handler answers in the same turn, the answer comes. If it answers 100 ms
#           later, the client reads a clean EOF without one byte: node:http ends its side as
#           soon as it sees the FIN. res.end() does not fail, and no 'error' is emitted; only
#           'close' without 'finish' shows it. server.httpAllowHalfOpen = true, which the
#           manual of node:http does not have, brings the answer.
# Matters   Health checks and proxies that half-close work while handlers are quick, and get
#           an empty answer from the first slow one.
# Seen      node:http, at once: answered
#           node:http, after 100 ms: no answer, handler ran, events: close
#           node:http with httpAllowHalfOpen, after 100 ms: answered
#           fastify, after 100 ms: no answer, handler ran
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --loglevel=error --no-audit --no-fund --prefix . fastify@5.12.8 >/dev/null
cat >main.mjs <<'JS'
import http from 'node:http'
import net from 'node:net'
import Fastify from 'fastify'

const later = ms => new Promise(done => setTimeout(done, ms))

// ask sends a request and a FIN, and returns what came until the server's EOF.
const ask = port => new Promise((resolve, reject) => {
  const c = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  let got = ''
  c.end('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  c.on('data', data => { got += data })
  c.on('end', () => resolve(got))
  c.on('error', reject)
})
const said = got => got.startsWith('HTTP/1.1 200 ') && got.includes('ok')
  ? 'answered' : got === '' ? 'no answer' : JSON.stringify(got)

async function plain (name, ms, halfOpen) {
  let note = ''
  const server = http.createServer(async (req, res) => {
    const events = []
    for (const event of ['finish', 'close', 'error']) res.on(event, () => events.push(event))
    setTimeout(() => { note = `, handler ran, events: ${events.join(' ')}` }, ms + 100)
    if (ms > 0) await later(ms)
    res.end('ok')
  })
  if (halfOpen) server.httpAllowHalfOpen = true
  await new Promise(done => server.listen(0, '127.0.0.1', done))
  const got = said(await ask(server.address().port))
  await later(300) // the handler is done
  console.log(`${name}: ${got}${got === 'answered' ? '' : note}`)
  server.close()
}
await plain('node:http, at once', 0, false)
await plain('node:http, after 100 ms', 100, false)
await plain('node:http with httpAllowHalfOpen, after 100 ms', 100, true)

const app = Fastify()
let ran = ''
app.get('/', async () => { await later(100); ran = ', handler ran'; return 'ok' })
await app.listen({ port: 0, host: '127.0.0.1' })
const got = said(await ask(app.server.address().port))
await later(300)
console.log(`fastify, after 100 ms: ${got}${ran}`)
process.exit(0)
JS
node main.mjs | tee output
diff - output <<'WANT'
node:http, at once: answered
node:http, after 100 ms: no answer, handler ran, events: close
node:http with httpAllowHalfOpen, after 100 ms: answered
fastify, after 100 ms: no answer, handler ran
WANT
