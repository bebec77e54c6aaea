package loadgen

import (
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestConnectionsThatAreNotTCPAreLeftOut(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	defer server.Close()
	b := newCounters()
	require.Nil(t, b.enter(client))
	require.Nil(t, b.enter(client))
	require.Empty(t, b.served)
}

// forget opens a connection, enters it, and keeps no reference to it.
func forget(t *testing.T, b *counters, addr string, collected func()) (again bool) {
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	runtime.AddCleanup(conn.(*net.TCPConn), func(done func()) { done() }, collected)
	return b.enter(conn).again
}

func TestBooksDoNotKeepAForgottenConnectionAlive(t *testing.T) {
	closed := make(chan struct{})
	addr := raw(t, func(conn *net.TCPConn) {
		_, _ = io.Copy(io.Discard, conn)
		close(closed)
	})
	b := newCounters()
	var collected atomic.Bool
	forget(t, b, addr, func() { collected.Store(true) })
	collect(t, "the connection is collected", collected.Load)
	select {
	case <-closed: // the collector closed it, as it would without the counters
	case <-time.After(soon):
		t.Fatal("the connection is still open")
	}
	require.Len(t, b.served, 1)
}

func TestNewConnectionAtAnOldAddressIsNotReused(t *testing.T) {
	addr := raw(t, func(conn *net.TCPConn) { conn.Close() })
	b := newCounters()
	var collected atomic.Int64
	const conns = 300
	for i := range conns {
		require.False(t, forget(t, b, addr, func() { collected.Add(1) }))
		if i%20 == 0 {
			runtime.GC()
		}
	}
	collect(t, "all are collected", func() bool { return collected.Load() == conns })
	require.Len(t, b.served, conns)
}
