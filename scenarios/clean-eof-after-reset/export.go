package cleaneofafterreset

import (
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"
)

// all is how many rows an export has.
const all = 12

// ask asks for rows without waiting for the answers, and ends with the connection. It
// drops its error, as writers in the background often do.
func ask(conn net.Conn) {
	every := time.NewTicker(2 * time.Millisecond)
	defer every.Stop()
	for range all {
		if _, err := io.WriteString(conn, "SELECT next FROM orders\n"); err != nil {
			return
		}
		<-every.C
	}
}

// store stores a line of the server, which takes 25 ms, and returns how many rows that
// was: none for the greeting.
func store(line string) int {
	if !strings.HasPrefix(line, "ROW ") {
		return 0
	}
	time.Sleep(25 * time.Millisecond)
	return 1
}

// exported counts what all exports brought.
type exported struct {
	rows, cut atomic.Int64 // cut are those that lack rows and were taken for whole
}

// ended enters the end of an export, and returns err.
func (e *exported) ended(rows int, err error) error {
	e.rows.Add(int64(rows))
	if err == nil && rows < all {
		e.cut.Add(1)
	}
	return err
}

// Values says how many rows were exported, and how many exports were cut off unnoticed.
func (e *exported) Values() map[string]float64 {
	return map[string]float64{"rows": float64(e.rows.Load()), "accepted_cut": float64(e.cut.Load())}
}
