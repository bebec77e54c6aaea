#!/usr/bin/env bash
# undici ends its requests under way when an HTTP/2 server announces its shutdown.
#
# Version   undici 7.30.2, got 14.6.6 (http2-wrapper) and node:http2 of Node 20.20.2; the
#           server is net/http of go1.26.8.
# Expected  http.Server.Shutdown sends GOAWAY (NO_ERROR, last stream: the newest it has) and answers what
#           is under way: RFC 9113 (6.8) lets such streams run to their end. A client opens no
#           new stream on that session, and gets its answers.
# Real      undici ends every request of the session at once with UND_ERR_SOCKET ("GOAWAY" frame
#           received with code 0) and closes the connection, POST too. Its code says neither that the
#           server went on, nor that the shutdown was orderly. The server, which waits for its
#           handlers, sees them cancelled. got and node:http2 have all answers.
# Matters   Each rolling restart, and each connection that reaches its maximum age behind a
#           proxy, costs the requests under way, although the server drains as it should. With
#           pipelining (the number of streams per session) these are many.
# Seen      undici, 1 GET: 1 UND_ERR_SOCKET; server: 0 ran to the end, 1 cancelled
#           undici, 1 POST: 1 UND_ERR_SOCKET; server: 0 ran to the end, 1 cancelled
#           undici, pipelining 10, 10 GET: 10 UND_ERR_SOCKET; server: 0 ran to the end, 10 cancelled
#           got, 10 GET: 10 answered; server: 10 ran to the end, 0 cancelled
#           node:http2, 10 GET: 10 answered; server: 10 ran to the end, 0 cancelled
set -euo pipefail
command -v npm >/dev/null && command -v go >/dev/null || { echo "needs node, npm and go" >&2; exit 77; }
export GOTOOLCHAIN=go1.26.8 # the version above
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --loglevel=error --no-audit --no-fund --prefix . undici@7.30.2 got@14.6.6 >/dev/null
cat >go.mod <<'MOD'
module finding

go 1.26
MOD
cat >main.go <<'GO'
// The server shuts down when as many requests are under way as its argument says. It
// prints its port, and at the end how many handlers ran to their end.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

func main() {
	wanted, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	var under, ran, cancelled atomic.Int32
	full := make(chan bool)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/warm" {
			return
		}
		if int(under.Add(1)) == wanted {
			close(full)
		}
		<-full
		select {
		case <-time.After(time.Second):
			io.WriteString(w, "ok")
			ran.Add(1)
		case <-r.Context().Done():
			cancelled.Add(1)
		}
	}))
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	fmt.Println(s.Listener.Addr().(*net.TCPAddr).Port)
	<-full
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Config.Shutdown(ctx); err != nil {
		panic(err)
	}
	for ran.Load()+cancelled.Load() < int32(wanted) {
		time.Sleep(10 * time.Millisecond)
	}
	fmt.Printf("server: %d ran to the end, %d cancelled\n", ran.Load(), cancelled.Load())
}
GO
go build -o server .
cat >main.mjs <<'JS'
import { spawn } from 'node:child_process'
import http2 from 'node:http2'
import readline from 'node:readline'
import { Agent, request } from 'undici'
import got from 'got'

// run makes n requests on one session while its server shuts down.
async function run (name, n, make) {
  const server = spawn('./server', [n], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = readline.createInterface({ input: server.stdout })[Symbol.asyncIterator]()
  const port = (await lines.next()).value
  const get = make(`https://127.0.0.1:${port}`)
  await get('/warm') // the session is there, and its settings are known
  const said = await Promise.all(Array.from({ length: n }, () => get('/').then(
    body => body === 'ok' ? 'answered' : `other: ${body}`, err => err.code)))
  const counts = {}
  for (const s of said) counts[s] = (counts[s] ?? 0) + 1
  const text = Object.entries(counts).map(([s, times]) => `${times} ${s}`).join(', ')
  console.log(`${name}: ${text}; ${(await lines.next()).value}`)
}
const undici = (method, options) => url => {
  const dispatcher = new Agent({ allowH2: true, connect: { rejectUnauthorized: false }, ...options })
  return async path => (await request(url + path, { dispatcher, method, body: method === 'POST' ? 'x' : null })).body.text()
}
const session = url => {
  const s = http2.connect(url, { rejectUnauthorized: false })
  s.on('error', () => {})
  return path => new Promise((resolve, reject) => {
    const stream = s.request({ ':path': path })
    let body = ''
    stream.setEncoding('utf8')
    stream.on('data', data => { body += data })
    stream.on('end', () => resolve(body))
    stream.on('error', reject)
  })
}
await run('undici, 1 GET', 1, undici('GET'))
await run('undici, 1 POST', 1, undici('POST'))
await run('undici, pipelining 10, 10 GET', 10, undici('GET', { pipelining: 10 }))
await run('got, 10 GET', 10, url => path => got(url + path, { http2: true, https: { rejectUnauthorized: false }, retry: { limit: 0 } }).text())
await run('node:http2, 10 GET', 10, session)
process.exit(0)
JS
node --no-warnings main.mjs | tee output
diff - output <<'WANT'
undici, 1 GET: 1 UND_ERR_SOCKET; server: 0 ran to the end, 1 cancelled
undici, 1 POST: 1 UND_ERR_SOCKET; server: 0 ran to the end, 1 cancelled
undici, pipelining 10, 10 GET: 10 UND_ERR_SOCKET; server: 0 ran to the end, 10 cancelled
got, 10 GET: 10 answered; server: 10 ran to the end, 0 cancelled
node:http2, 10 GET: 10 answered; server: 10 ran to the end, 0 cancelled
WANT
