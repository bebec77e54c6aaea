package leaks

import "net"

// listener never closes what it listens on.
func listener(Peer) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	keep(l)
	return nil
}
