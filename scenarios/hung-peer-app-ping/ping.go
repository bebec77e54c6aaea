package hungpeerappping

import (
	"io"
	"net"
	"time"
)

// ping sends a line every so often, which the server answers with one. It ends with the
// connection.
func ping(conn net.Conn, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for range ticker.C {
		if _, err := io.WriteString(conn, "PING\n"); err != nil {
			return
		}
	}
}
