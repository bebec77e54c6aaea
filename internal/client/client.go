// Package client plays a scenario's load: it calls one side's code on a
// schedule, whether or not earlier calls have returned, and keeps the books.
//
// The code of the side does the requests; this package only watches, through
// the httptrace hooks in the context that it passes. It never opens, closes or
// wraps a connection itself.
package client

import (
	"context"
	"time"

	"socketlab/internal/scenario"
)

// Target is what the code of a side is told: where to go, and the settings of
// the script, already scaled by the speed. What a side makes of the settings
// is its lesson.
type Target struct {
	// URL is the server's address as http://127.0.0.1:8080/.
	URL string
	// Addr is the same as host and port, for code that dials by itself.
	Addr string

	MaxIdleConns        int
	MaxIdleConnsPerHost int
	IdleConnTimeout     time.Duration
	// Timeout is for one request, from dial to the end of the body.
	Timeout time.Duration
	// PoolSize limits a pool of raw connections.
	PoolSize int
}

// Caller is one side's code, made once for a whole load.
type Caller interface {
	// Call makes one request. It passes ctx on to whatever it dials and
	// sends, returns nil only if a whole good answer arrived, and is called
	// by many goroutines at once.
	Call(ctx context.Context) error
}

// NewTarget returns the target at addr with a script's settings.
func NewTarget(addr string, s scenario.Client) Target {
	return Target{
		URL:                 "http://" + addr + "/",
		Addr:                addr,
		MaxIdleConns:        s.MaxIdleConns,
		MaxIdleConnsPerHost: s.MaxIdleConnsPerHost,
		IdleConnTimeout:     s.IdleConnTimeout.D(),
		Timeout:             s.Timeout.D(),
		PoolSize:            s.PoolSize,
	}
}
