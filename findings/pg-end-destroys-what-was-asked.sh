#!/usr/bin/env bash
# Client.end() of pg does not wait for queries that were made before it; Pool.end() does.
#
# Version   pg 8.23.1 (npm), Node 20.20.2, over a server of a few lines that speaks as much of
#           PostgreSQL's protocol as this needs.
# Expected  A query is made and then end(), without an await between them: queries of a client
#           are queued, and end() takes its place in the queue, or waits for the one under way.
#           The server gets the query and then Terminate ('X').
# Real      Client: the query fails with "Connection terminated" in both cases, at once and
#           100 ms later. The server has got it, and then sees EOF without Terminate. end()
#           resolves without an error. Pool: the query is answered, then Terminate.
# Matters   A last INSERT without await is reported as failed although the server has it, and
#           may do it. A program that moves from pool.query to one client gets this with the
#           same two lines.
# Seen      client, end at once: Connection terminated, server had 1 queries, 0 Terminate
#           client, end 100 ms later: Connection terminated, server had 1 queries, 0 Terminate
#           client, end after the answer: answered, server had 1 queries, 1 Terminate
#           pool, end at once: answered, server had 1 queries, 1 Terminate
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --loglevel=error --no-audit --no-fund --prefix . pg@8.23.1 >/dev/null
cat >main.mjs <<'JS'
import net from 'node:net'
import pg from 'pg'

const later = ms => new Promise(done => setTimeout(done, ms))
const ready = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]) // ReadyForQuery, idle
const authenticated = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0])
const complete = Buffer.concat([Buffer.from([0x43, 0, 0, 0, 13]), Buffer.from('SELECT 0\0')])

// The server answers a query after 300 ms. gone resolves at the end of its connection.
let queries, terminates, gone
const server = net.createServer(c => {
  queries = terminates = 0
  gone = new Promise(done => c.on('close', done))
  c.on('error', () => {})
  let got = Buffer.alloc(0)
  let started = false
  c.on('data', data => {
    got = Buffer.concat([got, data])
    for (;;) {
      const at = started ? 1 : 0 // the first message has no type
      if (got.length < at + 4) return
      const end = at + got.readUInt32BE(at)
      if (got.length < end) return
      const type = started ? String.fromCharCode(got[0]) : ''
      got = got.subarray(end)
      if (!started) {
        started = true
        c.write(Buffer.concat([authenticated, ready]))
      }
      if (type === 'Q') {
        queries++
        setTimeout(() => c.writable && c.write(Buffer.concat([complete, ready])), 300)
      }
      if (type === 'X') terminates++
    }
  })
})
await new Promise(done => server.listen(0, '127.0.0.1', done))
const options = { host: '127.0.0.1', port: server.address().port, user: 'a', database: 'a', password: 'a', ssl: false }

async function run (name, db, wait) {
  if (db instanceof pg.Client) await db.connect()
  const asked = db.query('SELECT').then(() => 'answered', err => err.message)
  if (wait === 'answer') await asked
  else if (wait > 0) await later(wait)
  await db.end()
  const said = await asked
  await gone
  console.log(`${name}: ${said}, server had ${queries} queries, ${terminates} Terminate`)
}
await run('client, end at once', new pg.Client(options), 0)
await run('client, end 100 ms later', new pg.Client(options), 100)
await run('client, end after the answer', new pg.Client(options), 'answer')
await run('pool, end at once', new pg.Pool(options), 0)
process.exit(0)
JS
node main.mjs | tee output
diff - output <<'WANT'
client, end at once: Connection terminated, server had 1 queries, 0 Terminate
client, end 100 ms later: Connection terminated, server had 1 queries, 0 Terminate
client, end after the answer: answered, server had 1 queries, 1 Terminate
pool, end at once: answered, server had 1 queries, 1 Terminate
WANT
