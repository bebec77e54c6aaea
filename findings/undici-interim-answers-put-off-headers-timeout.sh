#!/usr/bin/env bash
# Interim answers put off undici's headersTimeout without limit.
#
# Version   undici 7.30.2 and got 14.6.6 (npm), Node 20.20.2.
# Expected  headersTimeout is "the amount of time, in milliseconds, the parser will wait to
#           receive the complete HTTP headers". A server sends 102 Processing every 400 ms and
#           the answer after 3.2 s. With headersTimeout 1000 the request ends with
#           UND_ERR_HEADERS_TIMEOUT after one to two seconds, as got's timeout.response does
#           after one, and Transport.ResponseHeaderTimeout in Go.
# Real      The request ends with 200 after 3.2 s: each interim answer (102, 103) starts the
#           timeout anew. Without them it ends with UND_ERR_HEADERS_TIMEOUT.
# Matters   A slow server that sends 102 to keep its clients holds their connections as long
#           as it likes. headersTimeout is no bound of the time to the answer; an AbortSignal is.
# Seen      undici, silent: UND_ERR_HEADERS_TIMEOUT before the answer
#           undici, 102: 200 with the answer
#           undici, 103: 200 with the answer
#           got, 102: ETIMEDOUT before the answer
set -euo pipefail
command -v npm >/dev/null || { echo "needs node and npm" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --loglevel=error --no-audit --no-fund --prefix . undici@7.30.2 got@14.6.6 >/dev/null
cat >main.mjs <<'JS'
import http from 'node:http'
import { request } from 'undici'
import got from 'got'

// The answer comes after 3.2 s; before it an interim answer every 400 ms, if one is asked for.
let answered = false
const server = http.createServer((req, res) => {
  const code = req.url.slice(1)
  let left = 7
  const tick = setInterval(() => {
    if (left-- > 0) {
      if (code === '102') res.writeProcessing()
      if (code === '103') res.writeEarlyHints({ link: '</a>; rel=preload' })
      return
    }
    clearInterval(tick)
    answered = true
    res.end('ok')
  }, 400)
  res.on('close', () => clearInterval(tick))
})
await new Promise(done => server.listen(0, '127.0.0.1', done))
const url = `http://127.0.0.1:${server.address().port}/`

async function run (name, call) {
  answered = false
  let said
  try { said = await call() } catch (err) { said = err.code }
  console.log(`${name}: ${said} ${answered ? 'with' : 'before'} the answer`)
}
const undici = code => async () => {
  const res = await request(url + code, { headersTimeout: 1000 })
  await res.body.dump()
  return res.statusCode
}
await run('undici, silent', undici(''))
await run('undici, 102', undici('102'))
await run('undici, 103', undici('103'))
await run('got, 102', async () =>
  (await got(url + '102', { timeout: { response: 1000 }, retry: { limit: 0 } })).statusCode)
process.exit(0)
JS
node main.mjs | tee output
diff - output <<'WANT'
undici, silent: UND_ERR_HEADERS_TIMEOUT before the answer
undici, 102: 200 with the answer
undici, 103: 200 with the answer
got, 102: ETIMEDOUT before the answer
WANT
