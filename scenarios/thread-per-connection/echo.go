package threadperconnection

import "net"

// echo writes back what it reads, until the client leaves. With io.Copy each connection
// would hold a pipe as well (internal/poll.Splice of Go 1.26), and so three descriptors.
func echo(conn net.Conn) {
	buffer := make([]byte, 64)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		if _, err := conn.Write(buffer[:n]); err != nil {
			return
		}
	}
}
