// A client that has a socket when it says that it is ready, and connects it later.
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"syscall"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	in := bufio.NewReader(os.Stdin)
	d := net.Dialer{Control: func(string, string, syscall.RawConn) error {
		fmt.Println("ready")
		_, err := in.ReadString('\n')
		return err
	}}
	conn, err := d.Dial("tcp", listener.Addr().String()) // open: 1
	if err != nil {
		panic(err)
	}
	fmt.Println("done")
	_, _ = in.ReadString('\n')
	_ = conn.Close()
}
