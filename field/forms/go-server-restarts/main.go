//go:build ignore

package main

import (
	"bufio"
	"fmt"
	"net"
	"sync"
	"time"

	"socketlab/field/lib/goform"
)

func main() {
	port := goform.Role("server", func(say func(int), _ []int) {
		l := goform.Listen(say)
		for {
			address := l.Addr().String()
			serveFor(10*time.Second, l)
			time.Sleep(time.Second)
			var err error
			if l, err = net.Listen("tcp", address); err != nil {
				panic(err)
			}
		}
	})
	goform.Role("app", func(say func(int), ports []int) {
		say(0)
		for range 6 {
			go stayConnected(fmt.Sprintf("127.0.0.1:%d", ports[0]))
		}
	}, port)
	goform.Ready()
}

// serveFor sends each line back, and after d closes the listener and all connections.
func serveFor(d time.Duration, l net.Listener) {
	var mu sync.Mutex
	var open []net.Conn
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			go func() {
				for s := bufio.NewScanner(c); s.Scan(); {
					fmt.Fprintln(c, s.Text())
				}
			}()
		}
	}()
	time.Sleep(d)
	_ = l.Close()
	mu.Lock()
	defer mu.Unlock()
	for _, c := range open {
		_ = c.Close()
	}
}

func stayConnected(address string) {
	var kept []net.Conn // so that the garbage collector does not close them
	for {
		c, err := net.Dial("tcp", address)
		if err != nil {
			time.Sleep(300 * time.Millisecond)
			continue
		}
		answers := bufio.NewScanner(c)
		for {
			if _, err := fmt.Fprintln(c, "ping"); err != nil || !answers.Scan() {
				break
			}
			time.Sleep(200 * time.Millisecond)
		}
		if goform.Leaking() {
			kept = append(kept, c)
		} else {
			_ = c.Close()
		}
	}
}
