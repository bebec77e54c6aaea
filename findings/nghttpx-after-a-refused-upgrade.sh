#!/usr/bin/env bash
# nghttpx answers the next request with 400 after an Upgrade that its backend ignored.
#
# Version   nghttpx 1.52.0 (nghttp2-proxy 1.52.0-1+deb12u3 of Debian 12); the backend is net/http of
#           go1.26.8, and HAProxy 2.6.12 (2.6.12-1+deb12u4) stands beside it.
# Expected  "A server MAY ignore a received Upgrade header field" (RFC 9110, 7.8): GET with Upgrade:
#           websocket is answered with 200 and a Content-Length. The connection goes on as HTTP/1.1, and the
#           next request on it, without Upgrade, is answered with 200 as well, as it is by
#           the backend itself and through HAProxy.
# Real      nghttpx passes the 200 on, does not say Connection: close, and answers the next request on
#           that connection with 400 Bad Request and closes. The backend never sees it. It is the same with 426, and
#           with a second request that comes 0.5 s later.
# Matters   A browser or a pool that tries a WebSocket where there is none puts the
#           connection back, and an unrelated call gets 400, which is never repeated: the caller
#           is said to have sent a bad request.
# Seen      net/http: 200, then 200
#           haproxy: 200, then 200
#           nghttpx: 200, then 400
#           nghttpx, no Upgrade: 200, then 200
set -euo pipefail
[ "$(uname -m)" = x86_64 ] && command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || { echo "needs Debian 12 on x86-64" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# Nothing is installed: the pinned packages are unpacked here, with all that they need.
: >status
mkdir -p debs/partial root
apt-get install -y -qq --no-install-recommends --download-only -o Dir::State::status="$work/status" \
  -o Dir::Cache::archives="$work/debs" -o APT::Sandbox::User=root nghttp2-proxy=1.52.0-1+deb12u3 haproxy=2.6.12-1+deb12u4 >/dev/null ||
  { echo "the packages cannot be fetched" >&2; exit 77; }
for deb in debs/*.deb; do dpkg-deb -x "$deb" root; done
cat >go.mod <<'MOD'
module finding

go 1.26.0
MOD
cat >main.go <<'GO'
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"time"
)

const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// ask sends two requests on one connection, the first with the fields.
func ask(addr, fields string) string {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	answers, said := bufio.NewReader(c), ""
	for _, f := range []string{fields, ""} {
		fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: x\r\n%s\r\n", f)
		r, err := http.ReadResponse(answers, nil)
		if err != nil {
			return said + err.Error()
		}
		_, _ = io.Copy(io.Discard, r.Body)
		if said != "" {
			return fmt.Sprintf("%s, then %d", said, r.StatusCode)
		}
		if said = fmt.Sprint(r.StatusCode); r.Close {
			return said + " and Connection: close"
		}
		time.Sleep(500 * time.Millisecond)
	}
	return said
}

// free is an address where nothing listens.
func free() string {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// behind starts a proxy, and says what the requests get through it.
func behind(addr string, fields []string, command ...string) []string {
	p := exec.Command(command[0], command[1:]...)
	if err := p.Start(); err != nil {
		return []string{err.Error(), ""}
	}
	defer func() { _ = p.Process.Kill(); _ = p.Wait() }()
	for range 200 {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	var said []string
	for _, f := range fields {
		said = append(said, ask(addr, f))
	}
	return said
}

func main() {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	backend := l.Addr().String()
	host, port, _ := net.SplitHostPort(backend)
	run := os.Args[2:] // the loader and its arguments
	fmt.Println("net/http:", ask(backend, upgrade))

	addr := free()
	_ = os.WriteFile("haproxy.cfg", fmt.Appendf(nil, "defaults\n  mode http\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\nlisten one\n  bind %s\n  server one %s\n", addr, backend), 0o600)
	said := behind(addr, []string{upgrade}, append(run, os.Args[1]+"/usr/sbin/haproxy", "-db", "-f", "haproxy.cfg")...)
	fmt.Println("haproxy:", said[0])

	addr = free()
	frontHost, frontPort, _ := net.SplitHostPort(addr)
	said = behind(addr, []string{upgrade, ""}, append(run, os.Args[1]+"/usr/sbin/nghttpx", "--conf=/dev/null", "-f", frontHost+","+frontPort+";no-tls", "-b", host+","+port,
		"--errorlog-file=/dev/null", "--accesslog-file=/dev/null", "--no-ocsp", "--workers=1", "--single-process")...)
	fmt.Println("nghttpx:", said[0])
	fmt.Println("nghttpx, no Upgrade:", said[1])
}
GO
export GOTOOLCHAIN=local
go build -o finding .
lib=$work/root/lib/x86_64-linux-gnu:$work/root/usr/lib/x86_64-linux-gnu
timeout 60 ./finding "$work/root" "$work/root/lib64/ld-linux-x86-64.so.2" --library-path "$lib" | tee seen
diff seen - <<'SEEN'
net/http: 200, then 200
haproxy: 200, then 200
nghttpx: 200, then 400
nghttpx, no Upgrade: 200, then 200
SEEN
