// Probe measures what the net/http that it is built with does with connections. It
// prints a JSON array of what was measured and what was seen.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	type row struct{ What, Seen string }
	var rows []row
	for _, m := range measurements {
		seen, err := m.measure()
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", m.what, err)
			os.Exit(1)
		}
		rows = append(rows, row{m.what, seen})
	}
	if err := json.NewEncoder(os.Stdout).Encode(rows); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// measurements are the rows of the table, in its order.
var measurements = []struct {
	what    string
	measure func() (string, error)
}{
	{"50 requests, 16 KiB left unread: opened", func() (string, error) { return opened(50, unread(16<<10), get) }},
	{"50 requests, 256 KiB left unread: opened", func() (string, error) { return opened(50, unread(256<<10), get) }},
	{"50 requests, 257 KiB left unread: opened", func() (string, error) { return opened(50, unread(257<<10), get) }},
	{"20 requests, a body that comes over 20 ms: opened", func() (string, error) { return opened(20, trickle(20), get) }},
	{"20 requests, a body that comes over 150 ms: opened", func() (string, error) { return opened(20, trickle(150), get) }},
	{"20 responses over 20 ms, closed unread: sent to their end", func() (string, error) { return sentWhole(false) }},
	{"the same with DisableKeepAlives: sent to their end", func() (string, error) { return sentWhole(true) }},
	{"20 requests, 16 KiB, context cancelled before Close: opened", func() (string, error) { return opened(20, unread(16<<10), cancelFirst) }},
	{"20 requests, 16 KiB, context cancelled after Close: opened", func() (string, error) { return opened(20, unread(16<<10), cancelLast) }},
	{"20 requests, a client each, closed unread: left open", leftOpen},
	{"MaxConnsPerHost 1, a slow stream closed unread: each request takes", behindACap},
	{"retryablehttp 0.7.8, three answers of 503 with 64 KiB, then 200: opened", retried},
	{"20 CONNECT that a proxy answers with 403, bodies read: opened", refusedTunnels},
	{"HTTP/2 over a DialTLSContext that returns a wrapped *tls.Conn", wrapped},
	{"HTTP/2, 50 at once, 10 streams a connection: opened", func() (string, error) { return streams(0) }},
	{"the same with MaxConnsPerHost 1: opened", func() (string, error) { return streams(1) }},
	{"a server whose handler leaves an Expect: 100-continue body unread", expectContinue},
	{"the type of an HTTP/2 stream error", streamError},
}
