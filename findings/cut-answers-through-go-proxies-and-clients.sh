#!/usr/bin/env bash
# goproxy ends a cut answer as if it were complete; hertz takes a reset for the end of one.
#
# Version   github.com/elazarl/goproxy v1.9.4, github.com/cloudwego/hertz v0.10.4 (client);
#           beside them httputil.ReverseProxy and net/http of go1.26.8.
# Expected  A server sends 200 and half a body, and its connection ends by FIN or RST. What is
#           chunked is cut in both cases, and what has no length (it ends with the connection)
#           is cut by a RST: the client gets an error, behind a proxy, too.
# Real      goproxy ends its own answer with the last chunk: its client reads 200, the half,
#           and no error. ReverseProxy cuts its answer, and the client has the error. hertz's
#           client returns the half and no error where a RST ends a body without length.
# Matters   The half passes for the whole, and no counter of errors goes up. Whether a body
#           without length is whole can be seen by FIN or RST only.
# Seen      chunked, FIN: net/http error, ReverseProxy error, goproxy complete, hertz error
#           chunked, RST: net/http error, ReverseProxy error, goproxy complete, hertz error
#           no length, FIN: net/http complete, ReverseProxy complete, goproxy complete, hertz complete
#           no length, RST: net/http error, ReverseProxy error, goproxy complete, hertz complete
set -euo pipefail
command -v go >/dev/null || { echo "needs go" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-mod=mod GOWORK=off
go mod init finding >/dev/null 2>&1
go get github.com/elazarl/goproxy@v1.9.4 github.com/cloudwego/hertz@v0.10.4 >/dev/null 2>&1
cat >main.go <<'GO'
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/cloudwego/hertz/pkg/app/client"
	"github.com/cloudwego/hertz/pkg/common/hlog"
	"github.com/cloudwego/hertz/pkg/protocol"
	"github.com/elazarl/goproxy"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// cut sends the head and half a body for each connection, and ends it by FIN or RST.
func cut(half string, reset bool) *url.URL {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
					return
				}
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n"+half)
				time.Sleep(200 * time.Millisecond) // the half is read before the end
				if reset {
					_ = c.(*net.TCPConn).SetLinger(0)
				}
			}()
		}
	}()
	return &url.URL{Scheme: "http", Host: l.Addr().String(), Path: "/"}
}

// say names what a reader of an answer got.
func say(status int, body string, err error) string {
	switch {
	case err != nil:
		return "error"
	case status == http.StatusOK && body == "hello":
		return "complete"
	}
	return fmt.Sprintf("%d %q", status, body)
}

func get(to string, through *url.URL) string {
	t := &http.Transport{}
	if through != nil {
		t.Proxy = http.ProxyURL(through)
	}
	resp, err := (&http.Client{Transport: t}).Get(to)
	if err != nil {
		return say(0, "", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return say(resp.StatusCode, string(body), err)
}

func main() {
	hlog.SetLevel(hlog.LevelFatal)
	log.SetOutput(io.Discard)
	forward := httptest.NewServer(goproxy.NewProxyHttpServer())
	through, err := url.Parse(forward.URL)
	check(err)
	for _, c := range []struct {
		name, half string
		reset      bool
	}{
		{"chunked, FIN", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", false},
		{"chunked, RST", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", true},
		{"no length, FIN", "\r\nhello", false},
		{"no length, RST", "\r\nhello", true},
	} {
		to := cut(c.half, c.reset)
		reverse := httptest.NewServer(httputil.NewSingleHostReverseProxy(to))
		hertz, err := client.NewClient()
		check(err)
		var req protocol.Request
		var resp protocol.Response
		req.SetRequestURI(to.String())
		err = hertz.Do(context.Background(), &req, &resp)
		fmt.Printf("%s: net/http %s, ReverseProxy %s, goproxy %s, hertz %s\n", c.name,
			get(to.String(), nil), get(reverse.URL, nil), get(to.String(), through),
			say(resp.StatusCode(), string(resp.Body()), err))
		reverse.Close()
	}
}
GO
go mod tidy >/dev/null 2>&1
go build -o finding .
./finding 2>errors | tee output
diff - output <<'WANT'
chunked, FIN: net/http error, ReverseProxy error, goproxy complete, hertz error
chunked, RST: net/http error, ReverseProxy error, goproxy complete, hertz error
no length, FIN: net/http complete, ReverseProxy complete, goproxy complete, hertz complete
no length, RST: net/http error, ReverseProxy error, goproxy complete, hertz complete
WANT
