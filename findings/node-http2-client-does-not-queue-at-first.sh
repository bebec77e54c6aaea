#!/usr/bin/env bash
# The HTTP/2 client of Node queues requests over the stream limit, but not on a new session.
#
# Version   node:http2 of Node 20.20.2, both ends; Go 1.26.8 (net/http) as the other client.
# Expected  A server allows 10 streams at once (SETTINGS_MAX_CONCURRENT_STREAMS). A client
#           connects and makes 50 requests at once on one session: the session holds 40 back
#           until streams end, as it does later, and as net/http does. All are answered.
# Real      10 are answered, and 40 end with ERR_HTTP2_STREAM_ERROR (REFUSED_STREAM). Until the
#           server's SETTINGS have come the session knows no limit and sends all; what the
#           server refuses it does not repeat. The event 'connect' comes before them. After
#           'remoteSettings' the same 50 are all answered.
# Matters   After each reconnect, or at the start, the first burst fails, and only it: RFC
#           9113 (8.7) calls a refused stream safe to repeat, but the client leaves that to
#           its caller.
# Seen      node, at once: 10 answered, 40 ERR_HTTP2_STREAM_ERROR
#           node, after connect: 10 answered, 40 ERR_HTTP2_STREAM_ERROR
#           node, after remoteSettings: 50 answered
#           go, at once: 50 answered
set -euo pipefail
command -v node >/dev/null && command -v go >/dev/null || { echo "needs node and go" >&2; exit 77; }
export GOTOOLCHAIN=go1.26.8 # the version above
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >go.mod <<'MOD'
module finding

go 1.26
MOD
cat >main.go <<'GO'
package main

import (
	"fmt"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
)

func main() {
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	c := http.Client{Transport: &http.Transport{Protocols: &p}}
	var answered atomic.Int32
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			resp, err := c.Get(os.Args[1])
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				return
			}
			resp.Body.Close()
			answered.Add(1)
		})
	}
	all.Wait()
	fmt.Printf("go, at once: %d answered\n", answered.Load())
}
GO
go build -o client .
cat >main.mjs <<'JS'
import http2 from 'node:http2'
import { once } from 'node:events'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const server = http2.createServer({ settings: { maxConcurrentStreams: 10 } },
  (req, res) => setTimeout(() => res.end('ok'), 100))
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${server.address().port}`

const ask = session => new Promise(resolve => {
  const req = session.request({ ':path': '/' })
  req.on('response', () => resolve('answered'))
  req.on('error', err => resolve(err.code))
  req.resume()
  req.end()
})
async function run (name, event) {
  const session = http2.connect(url)
  if (event) await once(session, event)
  const said = {}
  for (const word of await Promise.all(Array.from({ length: 50 }, () => ask(session)))) {
    said[word] = (said[word] ?? 0) + 1
  }
  console.log(`node, ${name}: ${Object.entries(said).sort().reverse().map(([word, n]) => `${n} ${word}`).join(', ')}`)
  session.destroy()
}
await run('at once')
await run('after connect', 'connect')
await run('after remoteSettings', 'remoteSettings')
process.stdout.write((await promisify(execFile)('./client', [url + '/'])).stdout)
process.exit(0)
JS
node main.mjs | tee output
diff - output <<'WANT'
node, at once: 10 answered, 40 ERR_HTTP2_STREAM_ERROR
node, after connect: 10 answered, 40 ERR_HTTP2_STREAM_ERROR
node, after remoteSettings: 50 answered
go, at once: 50 answered
WANT
