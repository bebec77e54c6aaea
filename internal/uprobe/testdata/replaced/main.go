// The program closes its connections and opens others, which get the numbers of the
// descriptors that became free.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
)

var kept []net.Conn

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				panic(err)
			}
			kept = append(kept, c)
		}
	}()
	var first []net.Conn
	for range make([]int, 5) {
		first = append(first, dial(l.Addr().String()))
	}
	fmt.Println("ready")
	if _, err := os.Stdin.Read(make([]byte, 1)); err != nil { // until the test looks
		panic(err)
	}
	for _, c := range first {
		c.Close()
	}
	var others []net.Conn
	for range make([]int, 5) {
		others = append(others, again(l.Addr().String()))
	}
	fmt.Println("done")
	_, _ = io.Copy(io.Discard, os.Stdin)
	fmt.Println(others)
}

func dial(address string) net.Conn {
	c, err := net.Dial("tcp", address)
	if err != nil {
		panic(err)
	}
	return c
}

func again(address string) net.Conn {
	c, err := net.Dial("tcp", address) // open: 5
	if err != nil {
		panic(err)
	}
	return c
}
