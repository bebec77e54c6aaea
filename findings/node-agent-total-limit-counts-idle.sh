#!/usr/bin/env bash
# maxTotalSockets of Node's Agent counts idle connections, and closes none for who waits.
#
# Version   node:http of Node 20.20.2; agentkeepalive 4.6.0 (npm).
# Expected  An agent with keepAlive and maxTotalSockets 2 has two idle connections to host A.
#           A request to host B: the agent closes an idle one and connects to B.
# Real      The request to B waits, while nothing is under way, and a request to A that is made
#           later is answered at once. It goes on when A closes a connection. The request's own
#           timeout (500 ms) does not run, for it has no socket yet. agentkeepalive is the same.
# Matters   A limit that is there to save descriptors stops all traffic to one host, without
#           an error and without load, as long as the idle connections live. The option timeout of the
#           agent bounds the wait, for it closes what is idle for so long.
# Seen      node:http: after 1.5 s B waits, B with a timeout waits, A answered
#           node:http: A closed, B answered, B with a timeout answered
#           node:http, agent timeout 1000: B answered
#           agentkeepalive: after 1.5 s B waits, B with a timeout waits, A answered
#           agentkeepalive: A closed, B answered, B with a timeout answered
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --loglevel=error --no-audit --no-fund --prefix . agentkeepalive@4.6.0 >/dev/null
cat >main.mjs <<'JS'
import http from 'node:http'
import AgentKeepAlive from 'agentkeepalive'

const later = ms => new Promise(done => setTimeout(done, ms))

// serve answers at once and keeps its connections for a minute.
async function serve () {
  const server = http.createServer({ keepAliveTimeout: 60000 }, (req, res) => res.end('ok'))
  const sockets = new Set()
  server.on('connection', c => sockets.add(c))
  await new Promise(done => server.listen(0, '127.0.0.1', done))
  return { port: server.address().port, sockets }
}

// ask makes a request. Its state is waits, answered, timeout or an error's code.
function ask (agent, to, options) {
  const asked = { state: 'waits' }
  asked.done = new Promise(done => {
    const end = state => { asked.state = state; done() }
    const req = http.get({ agent, host: '127.0.0.1', port: to.port, ...options }, res => {
      res.resume()
      res.on('end', () => end('answered'))
    })
    req.on('error', err => end(err.code))
    req.on('timeout', () => { end('timeout'); req.destroy() })
  })
  return asked
}

// idle makes two idle connections to a new host A.
async function idle (agent) {
  const a = await serve()
  await Promise.all([ask(agent, a).done, ask(agent, a).done])
  await later(50) // both are back in the agent
  if (a.sockets.size !== 2) throw new Error(`${a.sockets.size} connections to A`)
  return a
}

async function run (name, agent) {
  const a = await idle(agent)
  const b = await serve()
  const plain = ask(agent, b)
  const timed = ask(agent, b, { timeout: 500 })
  await later(1500)
  const more = ask(agent, a)
  await more.done
  console.log(`${name}: after 1.5 s B ${plain.state}, B with a timeout ${timed.state}, A ${more.state}`)
  for (const c of a.sockets) c.end()
  await Promise.all([plain.done, timed.done])
  console.log(`${name}: A closed, B ${plain.state}, B with a timeout ${timed.state}`)
}
const options = { keepAlive: true, maxTotalSockets: 2 }
await run('node:http', new http.Agent(options))
const bounded = new http.Agent({ ...options, timeout: 1000 })
await idle(bounded)
const asked = ask(bounded, await serve())
await asked.done
console.log(`node:http, agent timeout 1000: B ${asked.state}`)
await run('agentkeepalive', new AgentKeepAlive({ ...options, freeSocketTimeout: 30000 }))
process.exit(0)
JS
timeout 40 node main.mjs | tee output
diff - output <<'WANT'
node:http: after 1.5 s B waits, B with a timeout waits, A answered
node:http: A closed, B answered, B with a timeout answered
node:http, agent timeout 1000: B answered
agentkeepalive: after 1.5 s B waits, B with a timeout waits, A answered
agentkeepalive: A closed, B answered, B with a timeout answered
WANT
