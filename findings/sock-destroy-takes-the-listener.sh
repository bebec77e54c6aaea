#!/usr/bin/env bash
# Destroying a connection that has just ended destroys its listener: SocketDestroy says nil.
#
# Version   Linux 6.18.44 (x86-64), github.com/vishvananda/netlink v1.3.1, go1.26.8, ss of
#           iproute2 6.1.0-3 (Debian 12).
# Expected  SocketDestroy "kills the Socket identified by its local and remote addresses". A
#           server's connection that both ends have closed is no longer in the kernel: SocketGet
#           with the same two addresses finds no message, so SocketDestroy ends with ENOENT, as for
#           a port where nothing is, and nothing else is touched.
# Real      The kernel looks the four addresses up as it does for a packet that arrives: without
#           a connection that fits, the listener at the local address fits. SOCK_DESTROY without
#           the cookie of a listing, which is what SocketDestroy sends, then closes the listener:
#           nil, accept fails with EINVAL, clients that waited in its queue are reset, the next ones
#           are refused. SOCK_DIAG_BY_FAMILY for one socket answers with the listener, too. A
#           connection in TIME_WAIT is found first, so it is the side that was closed second (the
#           server's, mostly) that has it. `ss -K` sends the cookie of its own listing: with the
#           same addresses it finds nothing to kill. A Go server with the defaults listens with
#           MPTCP: its listener stays, and SocketDestroy ends with EINVAL.
# Matters   Who ends idle or stale connections by their addresses (drainers, tools that fail over,
#           a second try of the same call) always races with the clients that close. The service
#           that loses one such race takes no connection any more, its process lives on, its other
#           connections work, and the call that did it was a success.
# Seen      2026-12-01
#           a port without a listener: SocketDestroy: ENOENT
#           TCP: at the port: LISTEN; SocketGet finds the connection: false; SocketDestroy: nil; listener after: false; next client: ECONNREFUSED; accept: EINVAL
#           TCP, ss -K: at the port: LISTEN; SocketGet finds the connection: false; killed: 0; listener after: true; next client: nil
#           MPTCP: at the port: LISTEN; SocketGet finds the connection: false; SocketDestroy: EINVAL; listener after: true; next client: nil
set -euo pipefail
for need in go ss ip unshare; do command -v "$need" >/dev/null || { echo "needs $need" >&2; exit 77; }; done
namespace=(unshare --user --map-root-user --net --)
"${namespace[@]}" true 2>/dev/null || { echo "needs user namespaces" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-mod=mod GOWORK=off
go mod init finding >/dev/null 2>&1
go get github.com/vishvananda/netlink@v1.3.1 >/dev/null 2>&1
cat >main.go <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// ss gives the state of each TCP socket that the options select.
func ss(options ...string) string {
	out, err := exec.Command("ss", append([]string{"-Htan"}, options...)...).Output()
	must(err)
	var states []string
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		if f := strings.Fields(line); len(f) > 0 {
			states = append(states, f[0])
		}
	}
	if len(states) == 0 {
		return "none"
	}
	return strings.Join(states, " ")
}

// said names the errno, which is the same in all languages.
func said(err error) string {
	var no syscall.Errno
	switch {
	case err == nil:
		return "nil"
	case errors.As(err, &no):
		return map[syscall.Errno]string{syscall.ENOENT: "ENOENT", syscall.EINVAL: "EINVAL",
			syscall.ECONNREFUSED: "ECONNREFUSED"}[no]
	}
	return err.Error()
}

// play opens a connection, ends it at the client and then at the server, waits until the
// server's end is gone, and has it destroyed by do.
func play(name string, mptcp bool, do func(server, client *net.TCPAddr) string) {
	var lc net.ListenConfig
	lc.SetMultipathTCP(mptcp)
	l, err := lc.Listen(context.Background(), "tcp4", "127.0.0.1:0")
	must(err)
	defer l.Close()
	at := l.Addr().(*net.TCPAddr)
	client, err := net.DialTCP("tcp4", nil, at)
	must(err)
	from := client.LocalAddr().(*net.TCPAddr)
	server, err := l.Accept()
	must(err)
	must(client.Close())
	_, err = server.Read(make([]byte, 1))
	if err == nil {
		panic("the client has sent nothing")
	}
	must(server.Close())
	local, remote := fmt.Sprintf("sport = :%d", at.Port), fmt.Sprintf("dport = :%d", from.Port)
	for end := time.Now().Add(5 * time.Second); ss(local, "and", remote) != "none"; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			panic("the server's end stays")
		}
	}
	_, get := netlink.SocketGet(at, from)
	fmt.Printf("%s: at the port: %s; SocketGet finds the connection: %v; %s",
		name, ss(local), get == nil, do(at, from))
	late, err := net.DialTCP("tcp4", nil, at)
	fmt.Printf("; listener after: %v; next client: %s", strings.Contains(ss(local), "LISTEN"), said(err))
	if err == nil {
		late.Close()
	} else {
		_, err = l.Accept()
		fmt.Printf("; accept: %s", said(err))
	}
	fmt.Println()
}

func main() {
	must(exec.Command("ip", "link", "set", "lo", "up").Run())
	destroy := func(server, client *net.TCPAddr) string {
		return "SocketDestroy: " + said(netlink.SocketDestroy(server, client))
	}
	loopback := net.IPv4(127, 0, 0, 1)
	fmt.Println("a port without a listener: SocketDestroy:",
		said(netlink.SocketDestroy(&net.TCPAddr{IP: loopback, Port: 1}, &net.TCPAddr{IP: loopback, Port: 2})))
	play("TCP", false, destroy)
	play("TCP, ss -K", false, func(server, client *net.TCPAddr) string {
		out, err := exec.Command("ss", "-HKtan", "src", server.String(), "dst", client.String()).Output()
		must(err)
		return fmt.Sprintf("killed: %d", strings.Count(string(out), "\n"))
	})
	play("MPTCP", true, destroy)
}
GO
go mod tidy >/dev/null 2>&1
go build -o finding .
timeout 40 "${namespace[@]}" ./finding | tee seen
diff seen - <<'WANT'
a port without a listener: SocketDestroy: ENOENT
TCP: at the port: LISTEN; SocketGet finds the connection: false; SocketDestroy: nil; listener after: false; next client: ECONNREFUSED; accept: EINVAL
TCP, ss -K: at the port: LISTEN; SocketGet finds the connection: false; killed: 0; listener after: true; next client: nil
MPTCP: at the port: LISTEN; SocketGet finds the connection: false; SocketDestroy: EINVAL; listener after: true; next client: nil
WANT
