package leaks

import "net"

// readBlocked waits for a server that says nothing, without a deadline.
func readBlocked(p Peer) error {
	conn, err := net.Dial("tcp", p.Silent)
	if err != nil {
		return err
	}
	go func() {
		defer conn.Close()
		var answer [1]byte
		_, _ = conn.Read(answer[:])
	}()
	return nil
}
