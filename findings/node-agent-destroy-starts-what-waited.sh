#!/usr/bin/env bash
# destroy() of Node's Agent ends the requests under way, and sends those that waited.
#
# Version   node:http of Node 20.20.2; undici 7.30.2 and agentkeepalive 4.6.0 (npm).
# Expected  Six requests through an agent with two connections: two are under way, four wait.
#           After agent.destroy() all six end with an error, and the agent connects no more,
#           as undici's Agent.destroy() does.
# Real      The two under way end with ECONNRESET. Their ends make room: the agent opens two new
#           connections after destroy(), and on them the four are sent and answered. With
#           keepAlive both connections stay in the pool. agentkeepalive is the same.
# Matters   destroy() at a shutdown, or to fail over, kills what the server was working on, and then
#           starts the rest: on the server that was to be left, and with open connections
#           at the end.
# Seen      node:http: 2 ECONNRESET, 4 answered; connections: 2 before, 2 opened after, 2 left
#           node:http without keepAlive: 2 ECONNRESET, 4 answered; connections: 2 before, 2 opened after, 0 left
#           agentkeepalive: 2 ECONNRESET, 4 answered; connections: 2 before, 2 opened after, 2 left
#           undici: 6 UND_ERR_DESTROYED; connections: 2 before, 0 opened after, 0 left
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --loglevel=error --no-audit --no-fund --prefix . undici@7.30.2 agentkeepalive@4.6.0 >/dev/null
cat >main.mjs <<'JS'
import http from 'node:http'
import { Agent, request } from 'undici'
import AgentKeepAlive from 'agentkeepalive'

async function run (name, agent, get) {
  // The server answers when it is let go. two resolves when it has two requests.
  let asked = 0
  let opened = 0
  let go
  let two
  const open = new Set()
  const free = new Promise(done => { go = done })
  const full = new Promise(done => { two = done })
  const server = http.createServer({ keepAliveTimeout: 60000 }, (req, res) => {
    if (++asked === 2) two()
    free.then(() => res.end('ok'))
  })
  server.on('connection', c => {
    opened++
    open.add(c)
    c.on('close', () => open.delete(c))
  })
  await new Promise(done => server.listen(0, '127.0.0.1', done))
  const { port } = server.address()
  const all = Array.from({ length: 6 }, () => get(agent, port).then(() => 'answered', err => err.code))
  await full
  const before = opened
  agent.destroy()
  go()
  const counts = {}
  for (const s of await Promise.all(all)) counts[s] = (counts[s] ?? 0) + 1
  for (let i = 0; i < 100 && open.size > 0; i++) await new Promise(done => setTimeout(done, 20)) // those that close have two seconds
  const said = Object.entries(counts).map(([s, n]) => `${n} ${s}`).join(', ')
  console.log(`${name}: ${said}; connections: ${before} before, ${opened - before} opened after, ${open.size} left`)
}
const get = (agent, port) => new Promise((resolve, reject) => {
  http.get({ agent, port, host: '127.0.0.1' }, res => {
    res.resume()
    res.on('end', resolve)
  }).on('error', reject)
})
const undici = async (dispatcher, port) => (await request(`http://127.0.0.1:${port}/`, { dispatcher })).body.text()

await run('node:http', new http.Agent({ keepAlive: true, maxSockets: 2 }), get)
await run('node:http without keepAlive', new http.Agent({ maxSockets: 2 }), get)
await run('agentkeepalive', new AgentKeepAlive({ maxSockets: 2, freeSocketTimeout: 30000 }), get)
await run('undici', new Agent({ connections: 2 }), undici)
process.exit(0)
JS
timeout 40 node main.mjs | tee output
diff - output <<'WANT'
node:http: 2 ECONNRESET, 4 answered; connections: 2 before, 2 opened after, 2 left
node:http without keepAlive: 2 ECONNRESET, 4 answered; connections: 2 before, 2 opened after, 0 left
agentkeepalive: 2 ECONNRESET, 4 answered; connections: 2 before, 2 opened after, 2 left
undici: 6 UND_ERR_DESTROYED; connections: 2 before, 0 opened after, 0 left
WANT
