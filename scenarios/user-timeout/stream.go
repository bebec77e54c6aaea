package usertimeout

import (
	"bufio"
	"io"
	"net"
	"time"

	"socketlab/internal/loadgen"
)

// stream sends an order every 200 ms and reads its confirmation, until an error, which
// it reports to d.
func stream(conn net.Conn, d *loadgen.Detection) error {
	lines := bufio.NewReader(conn)
	every := time.NewTicker(200 * time.Millisecond)
	defer every.Stop()
	for heard := time.Now(); ; <-every.C {
		_, err := io.WriteString(conn, "INSERT INTO orders\n")
		if err == nil {
			_, err = lines.ReadString('\n')
		}
		if err != nil {
			d.Noticed(heard)
			return err
		}
		heard = time.Now()
	}
}
