// Package loadgen plays a scenario's load: it calls one side's code on a
// schedule, whether or not earlier calls have returned, and counts what became of the requests.
//
// The code of the side does the requests; this package only watches, through
// the httptrace hooks in the context that it passes. It never opens, closes or
// wraps a connection itself.
package loadgen

import (
	"cmp"
	"context"
	"net"
	"time"

	"socketlab/internal/scenario"
)

// Target is what the code of a side is told: where to go, and the settings of
// the script, already scaled by the speed. What a side makes of the settings
// is its lesson.
type Target struct {
	// URL is the server's address as http://127.0.0.1:8080/. Where there is a
	// name server, its host is a name.
	URL string
	// Addr is the server's address as host and port, for code that dials by
	// itself.
	Addr string
	// Servers are the addresses of the other servers, by name.
	Servers map[string]string
	// DNS is the address of the name server; "" without one.
	DNS string
	// CA is the certificate that the server's is to be checked against, as PEM;
	// "" where the server speaks no TLS.
	CA string

	MaxIdleConns        int
	MaxIdleConnsPerHost int
	IdleConnTimeout     time.Duration
	// Timeout is for one request, from dial to the end of the body.
	Timeout time.Duration
	// PoolSize limits a pool of raw connections.
	PoolSize int
	// Send is the size of each request's body in bytes.
	Send int
	// Every is the time between two of what is done again and again.
	Every time.Duration

	// Speed is that of the run; 0 is 1. Code that has a duration of its own asks
	// Scaled for it.
	Speed float64
}

// Scaled returns the duration of the code that belongs to the times of the script: d
// at the speed of the run.
func (t Target) Scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) / cmp.Or(t.Speed, 1))
}

// At is where a load goes.
type At struct {
	// Addr is the server's host and port.
	Addr string
	// Secure says that it speaks TLS; its certificate is checked against CA.
	Secure bool
	CA     string
	// Servers are the addresses of the other servers, by name, and DNS is that
	// of a name server.
	Servers map[string]string
	DNS     string
}

// Name is the name that a name server of the lab resolves to the server.
const Name = "shop.test"

// Caller is one side's code, made once for a whole load.
type Caller interface {
	// Call makes one request. It passes ctx on to whatever it dials and
	// sends, returns nil only if a whole good answer arrived, and is called
	// by many goroutines at once.
	Call(ctx context.Context) error
}

// Reporter is a Caller that says something of itself in numbers, such as how many
// connections of its pool are in which state. Each is a metric, values.NAME.
type Reporter interface {
	// Values returns the numbers of now, by name: lower-case words joined by
	// underscores. It is called at each sample, while calls go on.
	Values() map[string]float64
}

// NewTarget returns the target that is there, with a script's settings at a speed.
func NewTarget(at At, s scenario.Client, speed float64) Target {
	scheme, host := "http://", at.Addr
	if at.Secure {
		scheme = "https://"
	}
	if _, port, err := net.SplitHostPort(at.Addr); err == nil && at.DNS != "" {
		host = net.JoinHostPort(Name, port)
	}
	return Target{
		URL:                 scheme + host + "/",
		Addr:                at.Addr,
		Servers:             at.Servers,
		DNS:                 at.DNS,
		CA:                  at.CA,
		MaxIdleConns:        s.MaxIdleConns,
		MaxIdleConnsPerHost: s.MaxIdleConnsPerHost,
		IdleConnTimeout:     s.IdleConnTimeout.D(),
		Timeout:             s.Timeout.D(),
		PoolSize:            s.PoolSize,
		Send:                s.Send,
		Every:               s.Every.D(),
		Speed:               speed,
	}
}

// CallerFunc is a [Caller] that is one function.
type CallerFunc func(ctx context.Context) error

// Call calls f.
func (f CallerFunc) Call(ctx context.Context) error { return f(ctx) }
