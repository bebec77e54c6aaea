#!/usr/bin/env bash
# undici closes the connection after each GET or DELETE that has a body.
#
# Version   undici 7.30.2 (npm), Node 20.20.2.
# Expected  Twenty requests one after another use one connection, whatever their method: the
#           body has a Content-Length, is sent whole, and both ends speak keep-alive.
# Real      GET, DELETE and OPTIONS with a body: twenty connections for twenty requests. The
#           request does not say Connection: close; it is the client that closes after the
#           answer. DELETE without a body, POST and QUERY with one: one connection. With the
#           option reset: false on the request: one connection.
# Matters   Search and scroll APIs take GET and DELETE with a body. A program that calls them
#           with undici has no keep-alive there, although its agent has, and leaves a
#           TIME_WAIT for each call at its own end.
# Seen      GET without a body: 1 connection
#           GET with a body: 20 connections, Connection: keep-alive
#           DELETE without a body: 1 connection
#           DELETE with a body: 20 connections, Connection: keep-alive
#           OPTIONS with a body: 20 connections, Connection: keep-alive
#           POST with a body: 1 connection
#           QUERY with a body: 1 connection
#           DELETE with a body and reset false: 1 connection
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --loglevel=error --no-audit --no-fund --prefix . undici@7.30.2 >/dev/null
cat >main.mjs <<'JS'
import net from 'node:net'
import { Agent, request } from 'undici'

// A server of a few lines, so that it takes any method.
let conns = 0
let asked
const server = net.createServer(c => {
  conns++
  c.on('error', () => {})
  let got = ''
  c.on('data', data => {
    got += data
    const end = got.indexOf('\r\n\r\n')
    if (end < 0) return
    const length = Number(/content-length: (\d+)/i.exec(got)?.[1] ?? 0)
    if (got.length < end + 4 + length) return
    asked = /connection: (\S+)/i.exec(got)?.[1]
    got = ''
    c.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  })
})
await new Promise(done => server.listen(0, '127.0.0.1', done))
const url = `http://127.0.0.1:${server.address().port}/`

async function run (name, options) {
  conns = 0
  const dispatcher = new Agent()
  for (let i = 0; i < 20; i++) {
    const res = await request(url, { dispatcher, ...options })
    await res.body.text()
    await new Promise(done => setTimeout(done, 5)) // a turn of the event loop, so that it is idle
  }
  console.log(`${name}: ${conns === 1 ? '1 connection' : `${conns} connections, Connection: ${asked}`}`)
  await dispatcher.close()
}
const body = '{"query":{}}'
await run('GET without a body', { method: 'GET' })
await run('GET with a body', { method: 'GET', body })
await run('DELETE without a body', { method: 'DELETE' })
await run('DELETE with a body', { method: 'DELETE', body })
await run('OPTIONS with a body', { method: 'OPTIONS', body })
await run('POST with a body', { method: 'POST', body })
await run('QUERY with a body', { method: 'QUERY', body })
await run('DELETE with a body and reset false', { method: 'DELETE', body, reset: false })
process.exit(0)
JS
node main.mjs | tee output
diff - output <<'WANT'
GET without a body: 1 connection
GET with a body: 20 connections, Connection: keep-alive
DELETE without a body: 1 connection
DELETE with a body: 20 connections, Connection: keep-alive
OPTIONS with a body: 20 connections, Connection: keep-alive
POST with a body: 1 connection
QUERY with a body: 1 connection
DELETE with a body and reset false: 1 connection
WANT
