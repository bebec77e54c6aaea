#!/usr/bin/env bash
# close() of the NATS client for Node drops what was just published; nats.go sends it.
#
# Version   nats 2.29.3 (npm), Node 20.20.2; github.com/nats-io/nats.go v1.55.0, go1.26.8.
# Expected  Five publish() and then close(), awaited: the five messages are in the client's
#           buffer, and an orderly close writes it before it closes the connection, as
#           Conn.Close of nats.go does. "The returned promise resolves when the connection
#           closes", and "this call will terminate all pending requests and subscriptions"
#           does not name messages.
# Real      nats.go: the server gets five. Node: it gets none, close() resolves without an
#           error, and so does closed(). With a turn of the event loop between the last
#           publish() and close(), with flush(), or with drain() in place of close(): five.
# Matters   A short program (a cron job, a hook at exit) that was ported from Go publishes
#           nothing, and reports success. With any other await before close() it works.
# Seen      node, close: 0 of 5, no error
#           node, a turn and close: 5 of 5, no error
#           node, flush and close: 5 of 5, no error
#           node, drain: 5 of 5, no error
#           go, Close: 5 of 5
set -euo pipefail
command -v npm >/dev/null && command -v go >/dev/null || { echo "needs node, npm and go" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-mod=mod GOWORK=off
npm install --loglevel=error --no-audit --no-fund --prefix . nats@2.29.3 >/dev/null
go mod init finding >/dev/null 2>&1
go get github.com/nats-io/nats.go@v1.55.0 >/dev/null 2>&1
cat >main.go <<'GO'
package main

import (
	"os"

	"github.com/nats-io/nats.go"
)

func main() {
	nc, err := nats.Connect(os.Args[1])
	if err != nil {
		panic(err)
	}
	for range 5 {
		if err := nc.Publish("a", []byte("x")); err != nil {
			panic(err)
		}
	}
	nc.Close()
}
GO
go mod tidy >/dev/null 2>&1
go build -o publish .
cat >main.mjs <<'JS'
import net from 'node:net'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { connect } from 'nats'

// As much of a NATS server as a publisher needs. ended resolves at the client's EOF.
let text, ended
const server = net.createServer(c => {
  text = ''
  ended = new Promise(done => c.on('close', done))
  c.on('error', () => {})
  c.on('data', data => {
    text += data
    for (const _ of String(data).matchAll(/^PING\r$/gm)) c.write('PONG\r\n')
  })
  c.write('INFO {"server_id":"a","version":"2.10.0","max_payload":1048576,"headers":true,"proto":1}\r\n')
})
await new Promise(done => server.listen(0, '127.0.0.1', done))
const servers = `127.0.0.1:${server.address().port}`
const count = async () => {
  await ended
  return `${[...text.matchAll(/^PUB a 1\r$/gm)].length} of 5`
}

async function run (name, end) {
  const nc = await connect({ servers })
  const closed = nc.closed()
  for (let i = 0; i < 5; i++) nc.publish('a', 'x')
  await end(nc)
  const err = await closed
  console.log(`node, ${name}: ${await count()}, ${err ? err.message : 'no error'}`)
}
await run('close', nc => nc.close())
await run('a turn and close', async nc => { await new Promise(setImmediate); await nc.close() })
await run('flush and close', async nc => { await nc.flush(); await nc.close() })
await run('drain', nc => nc.drain())
await promisify(execFile)('./publish', [`nats://${servers}`])
console.log(`go, Close: ${await count()}`)
process.exit(0)
JS
node main.mjs | tee output
diff - output <<'WANT'
node, close: 0 of 5, no error
node, a turn and close: 5 of 5, no error
node, flush and close: 5 of 5, no error
node, drain: 5 of 5, no error
go, Close: 5 of 5
WANT
