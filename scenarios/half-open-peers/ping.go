package halfopenpeers

import (
	"fmt"
	"net"
	"time"
)

// ping sends a ping over and over, until the connection is closed.
func ping(c net.Conn, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for range ticker.C {
		if _, err := fmt.Fprintln(c, "ping"); err != nil {
			return
		}
	}
}
