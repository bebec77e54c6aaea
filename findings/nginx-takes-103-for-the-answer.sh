#!/usr/bin/env bash
# nginx takes 103 Early Hints for the answer, and with keep-alive to its backend sends nothing.
#
# Version   nginx 1.22.1 (nginx-light 1.22.1-9+deb12u11 of Debian 12); the backend is net/http of
#           go1.26.8, WriteHeader(103) and then 200.
# Expected  A client "MUST be able to parse one or more 1xx responses received prior to a final
#           response, even if the client does not expect one" (RFC 9110, 15.2), and a proxy
#           passes them on or leaves them out. The browser gets 200. To an HTTP/1.0 client, as nginx
#           is to its backend by default, a server sends no 1xx at all (the same section).
# Real      net/http sends "HTTP/1.0 103 Early Hints" to HTTP/1.0 clients too. nginx makes the 103 its own answer,
#           without a body's length, and passes on all that follows up to the end of the connection
#           as its body: the head of the real answer with status line and all. Most clients take
#           that for 103 and 200, and so it seems to work. With proxy_http_version 1.1 and
#           Connection "", which nginx's manual asks for to keep connections to the backend, that end
#           does not come: the client gets no byte in 5 s (proxy_read_timeout is 60 s).
# Matters   A handler that begins to send hints is quick when asked itself. Behind nginx it
#           works or does not answer, and what decides is the keep-alive to the backend. nginx's log has the
#           status 103 for each call that worked.
# Seen      net/http, HTTP/1.1: HTTP/1.1 103, HTTP/1.1 200
#           net/http, HTTP/1.0: HTTP/1.0 103, HTTP/1.0 200
#           nginx: HTTP/1.1 103, HTTP/1.0 200; log: 103
#           nginx, keep-alive to the backend: no byte in 5 s
#           nginx, keep-alive to the backend, no hints: HTTP/1.1 200; log: 200
set -euo pipefail
[ "$(uname -m)" = x86_64 ] && command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || { echo "needs Debian 12 on x86-64" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# Nothing is installed: the pinned package is unpacked here, with all that it needs.
: >status
mkdir -p debs/partial root
apt-get install -y -qq --no-install-recommends --download-only -o Dir::State::status="$work/status" \
  -o Dir::Cache::archives="$work/debs" -o APT::Sandbox::User=root nginx-light=1.22.1-9+deb12u11 >/dev/null ||
  { echo "nginx-light=1.22.1-9+deb12u11 cannot be fetched" >&2; exit 77; }
for deb in debs/*.deb; do dpkg-deb -x "$deb" root; done
cat >go.mod <<'MOD'
module finding

go 1.26.0
MOD
cat >main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

const config = `daemon off; pid pid; error_log stderr crit; worker_processes 1; events {}
http {
  log_format status $status; access_log access.log status;
  client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t; uwsgi_temp_path t; scgi_temp_path t;
  server {
    listen %s;
    location / { proxy_pass http://%s; %s }
  }
}
`

var statusLine = regexp.MustCompile(`HTTP/1\.[01] \d+`)

// ask sends a GET and names the status lines of what comes.
func ask(addr, path, version string) string {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	fmt.Fprintf(c, "GET %s HTTP/%s\r\nHost: x\r\nConnection: close\r\n\r\n", path, version)
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	answer, err := io.ReadAll(c)
	if len(answer) == 0 && err != nil {
		return "no byte in 5 s"
	}
	return strings.Join(statusLine.FindAllString(string(answer), -1), ", ")
}

// nginx says what a client of an nginx before the backend gets, and its log.
func nginx(backend, path, settings string) string {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err.Error()
	}
	addr := l.Addr().String()
	_ = l.Close()
	dir, err := os.MkdirTemp(".", "nginx")
	if err != nil {
		return err.Error()
	}
	dir, _ = filepath.Abs(dir)
	_ = os.WriteFile(dir+"/conf", fmt.Appendf(nil, config, addr, backend, settings), 0o600)
	p := exec.Command(os.Args[1], append(os.Args[2:], "-p", dir, "-e", "stderr", "-c", "conf", "-g", "user root;")...)
	p.Stderr = os.Stderr
	if err := p.Start(); err != nil {
		return err.Error()
	}
	defer func() { _ = p.Process.Signal(os.Interrupt); _ = p.Wait() }()
	for range 100 {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	said := ask(addr, path, "1.1")
	if log, _ := os.ReadFile(dir + "/access.log"); strings.HasPrefix(said, "HTTP") {
		said += "; log: " + strings.TrimSpace(string(log))
	}
	return said
}

func main() {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hints" {
			w.Header().Set("Link", "</style.css>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			time.Sleep(50 * time.Millisecond)
		}
		_, _ = io.WriteString(w, "ok")
	}))
	backend := l.Addr().String()
	const keep = `proxy_http_version 1.1; proxy_set_header Connection "";`
	fmt.Println("net/http, HTTP/1.1:", ask(backend, "/hints", "1.1"))
	fmt.Println("net/http, HTTP/1.0:", ask(backend, "/hints", "1.0"))
	fmt.Println("nginx:", nginx(backend, "/hints", ""))
	fmt.Println("nginx, keep-alive to the backend:", nginx(backend, "/hints", keep))
	fmt.Println("nginx, keep-alive to the backend, no hints:", nginx(backend, "/plain", keep))
}
GO
export GOTOOLCHAIN=local
go build -o finding .
lib=$work/root/lib/x86_64-linux-gnu:$work/root/usr/lib/x86_64-linux-gnu
timeout 60 ./finding "$work/root/lib64/ld-linux-x86-64.so.2" --library-path "$lib" "$work/root/usr/sbin/nginx" | tee seen
diff seen - <<'SEEN'
net/http, HTTP/1.1: HTTP/1.1 103, HTTP/1.1 200
net/http, HTTP/1.0: HTTP/1.0 103, HTTP/1.0 200
nginx: HTTP/1.1 103, HTTP/1.0 200; log: 103
nginx, keep-alive to the backend: no byte in 5 s
nginx, keep-alive to the backend, no hints: HTTP/1.1 200; log: 200
SEEN
