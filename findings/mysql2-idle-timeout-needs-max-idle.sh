#!/usr/bin/env bash
# idleTimeout of a mysql2 pool does nothing, unless maxIdle is less than connectionLimit.
#
# Version   mysql2 3.24.6 (npm), Node 20.20.2; the server is mysql2's own.
# Expected  idleTimeout is "the idle connections timeout, in milliseconds", 60000 by default: a
#           connection that was idle for longer is closed (looked for once a second). maxIdle,
#           by default the same as connectionLimit, is the number of idle connections that is
#           kept even before that.
# Real      With maxIdle as it is by default, the timer that looks for idle connections is never
#           started: none is closed, by whatever idleTimeout. With maxIdle 5 of 6 all are closed,
#           not those over 5. So the README's example (10 of 10, 60000) has no idle timeout.
# Matters   A pool that once had a peak keeps all its connections until the server closes them
#           (wait_timeout, eight hours), or a firewall drops them silently, which is what an
#           idleTimeout below the firewall's was set for. Known as a question (issue 1984 of the
#           project), without an answer.
# Seen      connectionLimit 6, idleTimeout 500: 6 open, 6 after five seconds
#           connectionLimit 6, idleTimeout 500, maxIdle 6: 6 open, 6 after five seconds
#           connectionLimit 6, idleTimeout 500, maxIdle 5: 6 open, 0 after five seconds
#           (2026-12-01)
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --loglevel=error --no-audit --no-fund --prefix . mysql2@3.24.6 >/dev/null
cat >main.mjs <<'JS'
import mysql from 'mysql2'
import { createPool } from 'mysql2/promise'

const later = ms => new Promise(done => setTimeout(done, ms))
let open = 0
const server = mysql.createServer()
server.on('error', () => {})
server.on('connection', c => {
  open++
  c.stream.on('close', () => open--)
  c.on('error', () => {})
  c.on('query', () => setTimeout(() => { c.writeOk(); c.sequenceId = 0 }, 200))
  c.serverHandshake({
    protocolVersion: 10,
    serverVersion: '8.0.0',
    connectionId: open,
    statusFlags: 2,
    characterSet: 8,
    capabilityFlags: 0xffffff ^ 0x800, // all but TLS
    authCallback: (_, answer) => { answer(null); c.sequenceId = 0 }
  })
})
await new Promise(done => server.listen(0, '127.0.0.1', done))

async function play (options) {
  const pool = createPool({ host: '127.0.0.1', port: server._server.address().port, user: 'a', connectionLimit: 6, ...options })
  await Promise.all([1, 2, 3, 4, 5, 6].map(() => pool.query('DO 0')))
  const first = open
  for (let i = 0; i < 50 && open; i++) await later(100)
  console.log(`connectionLimit 6, ${Object.entries(options).map(o => o.join(' ')).join(', ')}: ${first} open, ${open} after five seconds`)
  await pool.end()
  while (open) await later(10)
}
await play({ idleTimeout: 500 })
await play({ idleTimeout: 500, maxIdle: 6 })
await play({ idleTimeout: 500, maxIdle: 5 })
process.exit(0)
JS
timeout 60 node main.mjs | tee seen
diff seen - <<'SEEN'
connectionLimit 6, idleTimeout 500: 6 open, 6 after five seconds
connectionLimit 6, idleTimeout 500, maxIdle 6: 6 open, 6 after five seconds
connectionLimit 6, idleTimeout 500, maxIdle 5: 6 open, 0 after five seconds
SEEN
