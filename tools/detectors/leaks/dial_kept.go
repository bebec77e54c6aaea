package leaks

import "net"

// dialKept never closes a connection that it has made.
func dialKept(p Peer) error {
	conn, err := net.Dial("tcp", p.Silent)
	if err != nil {
		return err
	}
	keep(conn)
	return nil
}
