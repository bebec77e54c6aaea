// Package peer is the other end of the leaks: servers that do everything right.
package peer

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"

	"socketlab/internal/toydb"
	"socketlab/tools/detectors/leaks"
)

// Start starts the servers, which end with the process.
func Start() (leaks.Peer, error) {
	var listeners [3]net.Listener
	for i := range listeners {
		var err error
		if listeners[i], err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return leaks.Peer{}, err
		}
	}
	web, silent, db := listeners[0], listeners[1], listeners[2]
	go http.Serve(web, handler())
	go accept(silent, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	go accept(db, query)
	return leaks.Peer{URL: "http://" + web.Addr().String(), Silent: silent.Addr().String(), DB: db.Addr().String()}, nil
}

func accept(l net.Listener, serve func(net.Conn)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			serve(c)
		}()
	}
}

// query is a toydb server's end of a connection.
func query(c net.Conn) {
	fmt.Fprintln(c, toydb.Greeting)
	for lines := bufio.NewScanner(c); lines.Scan(); {
		fmt.Fprintln(c, "ROW 1")
	}
}

// large is more than the buffers of both ends hold together.
const large = 8 << 20

func handler() http.Handler {
	var (
		mu      sync.Mutex
		visited []net.Conn
	)
	m := http.NewServeMux()
	body := strings.Repeat("x", large)
	m.HandleFunc("/small", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "small") })
	m.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
	m.HandleFunc("/error", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, body)
	})
	m.HandleFunc("/upgrade", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_, _ = io.Copy(io.Discard, conn)
	})
	m.HandleFunc("/visit", func(w http.ResponseWriter, r *http.Request) {
		conn, err := net.Dial("tcp", r.URL.RawQuery)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", r.URL.RawQuery)
		if _, err := bufio.NewReader(conn).ReadString('\n'); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		visited = append(visited, conn) // it belongs to who was visited
	})
	return m
}
