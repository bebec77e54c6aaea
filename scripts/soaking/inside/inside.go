// Package inside is added to a program under soak when it is built, and to nothing else. At
// a unix socket it says how many goroutines the program has, and sets its clock.
package inside

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
)

var shift atomic.Int64

// Serve listens where SOAK_SOCKET says. set is given a function that returns by how many
// seconds the clock of the program is off; time.Now calls it.
func Serve(set func(func() int64)) {
	at := os.Getenv("SOAK_SOCKET")
	if at == "" {
		return // a worker, which has none
	}
	l, err := net.Listen("unix", at)
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
	os.Unsetenv("SOAK_SOCKET")
	set(shift.Load)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if line, err := bufio.NewReader(c).ReadString('\n'); err == nil {
				if seconds, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64); err == nil {
					shift.Store(seconds)
				}
				fmt.Fprintln(c, runtime.NumGoroutine())
			}
			_ = c.Close()
		}
	}()
}
