#!/usr/bin/env bash
# One command of go-redis to a server that is down dials twenty times.
#
# Version   github.com/redis/go-redis/v9 v9.23.0; github.com/gomodule/redigo v1.9.3 beside it;
#           go1.26.8.
# Expected  Options.MaxRetries is the "maximum number of retries before giving up", 3 by default.
#           One GET to a port where nothing listens dials four times. A host that does not answer
#           holds it for 4 x DialTimeout, and with MaxRetries -1 ("disables retries") for one.
# Real      20 dials: each of the four attempts dials five times (DialerRetries, 5 by default), so
#           the two options multiply. With MaxRetries -1 five dials are left. A host that does not
#           answer holds one GET for 20 or 5 times DialTimeout, and the pauses (200 ms here; the
#           default is 5 s, and 20 times that is 100 s). Redigo dials once.
# Matters   A server that comes back gets twenty times the connects that callers have made, and a
#           caller without a deadline waits twenty times the timeout that it has set. Each line of the
#           log says "failed to dial after 5 attempts", not 20.
# Seen      refused: go-redis: 20 dials
#           refused: go-redis, MaxRetries -1: 5 dials
#           refused: go-redis, DialerRetries 1: 4 dials
#           refused: redigo: 1 dials
#           no answer: go-redis: 20 dials, at least 20 x DialTimeout
#           no answer: go-redis, MaxRetries -1: 5 dials, at least 5 x DialTimeout
#           no answer: redigo: 1 dials, at least 1 x DialTimeout
set -euo pipefail
command -v go >/dev/null || { echo "needs go" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-mod=mod GOWORK=off
go mod init finding >/dev/null 2>&1
go get github.com/redis/go-redis/v9@v9.23.0 github.com/gomodule/redigo@v1.9.3 >/dev/null 2>&1
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gomodule/redigo/redis"
	goredis "github.com/redis/go-redis/v9"
)

const dialTimeout = 200 * time.Millisecond

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// port binds a port of loopback that refuses connections, or, with a full
// backlog, does not answer. The socket lives as long as the process.
func port(full bool) string {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	check(err)
	check(syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	name, err := syscall.Getsockname(fd)
	check(err)
	addr := fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
	if !full {
		return addr
	}
	check(syscall.Listen(fd, 0))
	for range 10 {
		if _, err := net.DialTimeout("tcp", addr, dialTimeout); err != nil {
			return addr
		}
	}
	panic("the backlog takes more than it should")
}

// report counts the dials of one GET.
func report(title string, full bool, get func(dials *atomic.Int32) error) {
	var dials atomic.Int32
	begin := time.Now()
	if get(&dials) == nil {
		panic("answered")
	}
	took := time.Since(begin)
	fmt.Printf("%s: %d dials", title, dials.Load())
	if n := time.Duration(dials.Load()); full && took >= n*dialTimeout {
		fmt.Printf(", at least %d x DialTimeout", n)
	}
	fmt.Println()
	fmt.Fprintln(os.Stderr, "took", took.Round(10*time.Millisecond))
}

func main() {
	for _, full := range []bool{false, true} {
		title, addr := "refused", port(full)
		if full {
			title = "no answer"
		}
		options := []struct {
			name string
			goredis.Options
		}{
			{"go-redis", goredis.Options{}},
			{"go-redis, MaxRetries -1", goredis.Options{MaxRetries: -1}},
			{"go-redis, DialerRetries 1", goredis.Options{DialerRetries: 1}},
		}
		if full {
			options = options[:2]
		}
		for _, o := range options {
			report(title+": "+o.name, full, func(dials *atomic.Int32) error {
				opt := o.Options
				opt.Addr, opt.DialTimeout = addr, dialTimeout
				dial := goredis.NewDialer(&opt) // the dialer that is used without Dialer
				opt.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
					dials.Add(1)
					return dial(ctx, network, addr)
				}
				c := goredis.NewClient(&opt)
				defer c.Close()
				return c.Get(context.Background(), "k").Err()
			})
		}
		report(title+": redigo", full, func(dials *atomic.Int32) error {
			p := &redis.Pool{Dial: func() (redis.Conn, error) {
				dials.Add(1)
				return redis.Dial("tcp", addr, redis.DialConnectTimeout(dialTimeout))
			}}
			defer p.Close()
			c := p.Get()
			defer c.Close()
			_, err := c.Do("GET", "k")
			return err
		})
	}
}
GO
go mod tidy >/dev/null 2>&1
go build -o finding .
./finding 2>log | tee output
diff - output <<'WANT'
refused: go-redis: 20 dials
refused: go-redis, MaxRetries -1: 5 dials
refused: go-redis, DialerRetries 1: 4 dials
refused: redigo: 1 dials
no answer: go-redis: 20 dials, at least 20 x DialTimeout
no answer: go-redis, MaxRetries -1: 5 dials, at least 5 x DialTimeout
no answer: redigo: 1 dials, at least 1 x DialTimeout
WANT
