//go:build !linux

package battery

import (
	"errors"
	"net"
	"time"
)

type options struct {
	keepalive      bool
	idle, interval time.Duration
	probes         int
	userTimeout    time.Duration
}

func optionsOf(int, net.Addr) (options, error) {
	return options{}, errors.New("the options of another process's socket are read on Linux only")
}

// cork does nothing here: the FIN follows right behind.
func cork(*net.TCPConn) error { return nil }

func stopListening(l net.Listener) error { return l.Close() }

func (t *trial) connectStalled() error {
	return errors.New("a listener whose SYNs are dropped is made on Linux only")
}
