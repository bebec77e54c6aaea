#!/usr/bin/env bash
# http-proxy-middleware ends an answer that its backend has cut as if it were complete.
#
# Version   http-proxy-middleware 3.0.11 (npm), Node 20.20.2.
# Expected  A backend sends 200 with half a chunked body, and is then reset (its process dies
#           with unread data, or it is killed by a load balancer). The proxy cuts its own
#           answer: its client gets an error (ECONNRESET, "aborted"), as it does when it asks
#           the backend itself. The status cannot be changed any more.
# Real      The proxy appends "Error occurred while trying to proxy: HOST" to the body, sends
#           the last chunk. The client sees 200, a complete message, and the sentence as the
#           end of its data.
# Matters   A download or a JSON document that was cut passes for a whole one at each client
#           and cache behind the proxy, and no counter of failed answers goes up. An 'error'
#           handler of one's own (on: { error }) that destroys the response brings the error back.
# Seen      backend itself: 200 "hello", ECONNRESET
#           proxy: 200 "helloError occurred while trying to proxy: HOST/", complete
#           proxy with an error handler: 200 "hello", ECONNRESET
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --loglevel=error --no-audit --no-fund --prefix . http-proxy-middleware@3.0.11 >/dev/null
cat >main.mjs <<'JS'
import http from 'node:http'
import { createProxyMiddleware } from 'http-proxy-middleware'

const listen = async server => {
  await new Promise(done => server.listen(0, '127.0.0.1', done))
  return server.address().port
}
// The backend sends half an answer, waits until it is read, and resets.
const backend = await listen(http.createServer((req, res) => {
  res.write('hello')
  setTimeout(() => res.socket.resetAndDestroy(), 200)
}))
const proxy = async options => {
  const forward = createProxyMiddleware({ target: `http://127.0.0.1:${backend}`, ...options })
  return await listen(http.createServer((req, res) => forward(req, res, () => {})))
}
const ask = (name, port) => new Promise(resolve => {
  let done = false
  const say = text => { // the first end or error; a reset may be both of the message and of the request
    if (!done) console.log(`${name}: ${text}`)
    done = true
    resolve()
  }
  const req = http.get({ port, host: '127.0.0.1' }, res => {
    let got = ''
    const body = () => JSON.stringify(got.replace(/127\.0\.0\.1:\d+/, 'HOST'))
    res.on('data', data => { got += data })
    res.on('end', () => say(`${res.statusCode} ${body()}, ${res.complete ? 'complete' : 'not complete'}`))
    res.on('error', err => say(`${res.statusCode} ${body()}, ${err.code}`))
  })
  req.on('error', err => { if (!req.res) say(err.code) })
})
await ask('backend itself', backend)
await ask('proxy', await proxy({}))
await ask('proxy with an error handler', await proxy({ on: { error: (err, req, res) => { res.destroy(err) } } }))
process.exit(0)
JS
node main.mjs | tee output
diff - output <<'WANT'
backend itself: 200 "hello", ECONNRESET
proxy: 200 "helloError occurred while trying to proxy: HOST/", complete
proxy with an error handler: 200 "hello", ECONNRESET
WANT
