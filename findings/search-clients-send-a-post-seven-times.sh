#!/usr/bin/env bash
# The clients of Elasticsearch and OpenSearch send a POST that creates a document up to seven times.
#
# Version   github.com/elastic/elastic-transport-go/v8 v8.11.0 (what go-elasticsearch sends with),
#           github.com/opensearch-project/opensearch-go/v4 v4.8.1, go1.26.9; @elastic/transport
#           9.4.0 (what @elastic/elasticsearch sends with), @opensearch-project/opensearch 3.9.0
#           (npm), Node 20.20.2.
# Expected  RFC 9110, 9.2.2: a client does not repeat a request of a non-idempotent method by itself,
#           unless it knows that it was not done. They know their server's API: POST /index/_doc
#           makes a new document each time, PUT with an ID does not. net/http and undici, over
#           which they send, repeat no POST. "maxRetries" is for what may be repeated.
# Real      All of them, as they come: a node that takes the request and closes (a restart) gets it
#           4 times, from opensearch-go 7 times, within milliseconds; @elastic/transport
#           alone waits in between. The same after 503, which a proxy sends for a node that
#           may have done it. The OpenSearch client for Node repeats after requestTimeout, too:
#           4 requests, and the caller waits 4 times as long as it was told.
# Matters   One lost answer makes up to seven documents with different IDs, and a slow cluster gets four
#           times the load, at the worst moment. One has to set the number of retries to 0 for what
#           is not idempotent, or give the IDs. (Known in part, by its duplicates: issue 1085 of
#           elasticsearch-py, 690 of logstash-output-elasticsearch.)
# Seen      closed without an answer: elastic Go 4, opensearch Go 7, elastic Node 4, opensearch Node 4
#           503: elastic Go 4, opensearch Go 7, elastic Node 4, opensearch Node 4
#           429: elastic Go 1, opensearch Go 1, elastic Node 1, opensearch Node 1
#           no answer in time: elastic Node 1, opensearch Node 4 (after 4 x requestTimeout)
#           (2026-12-01)
set -euo pipefail
for tool in go npm; do command -v "$tool" >/dev/null || { echo "needs go, node and npm" >&2; exit 77; }; done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --loglevel=error --no-audit --no-fund --prefix . @elastic/transport@9.4.0 @opensearch-project/opensearch@3.9.0 >/dev/null
export GOFLAGS=-mod=mod GOWORK=off
go mod init finding >/dev/null 2>&1
go get github.com/elastic/elastic-transport-go/v8@v8.11.0 github.com/opensearch-project/opensearch-go/v4@v4.8.1 >/dev/null 2>&1
cat >main.go <<'GO'
package main

import (
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
	"github.com/opensearch-project/opensearch-go/v4/opensearchtransport"
)

// main posts one document with the named client; whether that succeeds is of no interest.
func main() {
	node, err := url.Parse(os.Args[2])
	if err != nil {
		panic(err)
	}
	var client interface {
		Perform(*http.Request) (*http.Response, error)
	}
	if os.Args[1] == "elastic" {
		client, err = elastictransport.New(elastictransport.Config{URLs: []*url.URL{node}})
	} else {
		client, err = opensearchtransport.New(opensearchtransport.Config{URLs: []*url.URL{node}})
	}
	if err != nil {
		panic(err)
	}
	req, err := http.NewRequest("POST", "/orders/_doc", strings.NewReader(`{"order":1}`))
	if err != nil {
		panic(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if res, err := client.Perform(req); err == nil {
		res.Body.Close()
	}
}
GO
go mod tidy >/dev/null 2>&1
go build -o finding .
cat >main.cjs <<'JS'
const http = require('node:http')
const { promisify } = require('node:util')
const run = promisify(require('node:child_process').execFile)
const { Transport, WeightedConnectionPool, UndiciConnection } = require('@elastic/transport')
const { Client } = require('@opensearch-project/opensearch')

let mode, requests
const server = http.createServer((req, res) => {
  req.resume()
  req.on('end', () => {
    if (req.method !== 'POST') return res.end()
    requests++
    if (mode === 'close') return req.socket.destroy()
    if (mode === 'silent') return
    res.statusCode = Number(mode)
    res.end()
  })
})
const clients = {
  'elastic Go': node => run('./finding', ['elastic', node]),
  'opensearch Go': node => run('./finding', ['opensearch', node]),
  'elastic Node': node => {
    const connectionPool = new WeightedConnectionPool({ Connection: UndiciConnection })
    connectionPool.addConnection(node)
    const transport = new Transport({ connectionPool, requestTimeout: 1000 })
    return transport.request({ method: 'POST', path: '/orders/_doc', body: { order: 1 } })
  },
  'opensearch Node': node => new Client({ node, requestTimeout: 1000 }).index({ index: 'orders', body: { order: 1 } })
}
async function play (title, how, names) {
  const said = []
  for (const name of names) {
    mode = how
    requests = 0
    const begin = Date.now()
    await clients[name]('http://127.0.0.1:' + server.address().port).then(() => {}, () => {})
    const times = Math.floor((Date.now() - begin) / 1000)
    said.push(`${name} ${requests}` + (how === 'silent' && times > 1 ? ` (after ${times} x requestTimeout)` : ''))
  }
  console.log(`${title}: ${said.join(', ')}`)
}
server.listen(0, '127.0.0.1', async () => {
  const all = Object.keys(clients)
  await play('closed without an answer', 'close', all)
  await play('503', '503', all)
  await play('429', '429', all)
  await play('no answer in time', 'silent', all.slice(2))
  process.exit(0)
})
JS
timeout 60 node main.cjs | tee seen
diff seen - <<'SEEN'
closed without an answer: elastic Go 4, opensearch Go 7, elastic Node 4, opensearch Node 4
503: elastic Go 4, opensearch Go 7, elastic Node 4, opensearch Node 4
429: elastic Go 1, opensearch Go 1, elastic Node 1, opensearch Node 1
no answer in time: elastic Node 1, opensearch Node 4 (after 4 x requestTimeout)
SEEN
