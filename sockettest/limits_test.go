package sockettest

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// echo answers each connection with its end.
func echo(t *testing.T) string {
	l := listen(t)
	accept(t, l, func(c net.Conn) {
		go func() {
			defer c.Close()
			_, _ = io.Copy(c, c)
		}()
	})
	return l.Addr().String()
}

// touch opens a connection to address and closes it, when both ends know it.
func touch(t *testing.T, address string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	_, err = discard(conn)
	require.NoError(t, err)
}

func linuxOnly(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells of connections that end")
	}
}

func TestEveryShortConnectionIsCounted(t *testing.T) {
	linuxOnly(t)
	const n = 200
	address := echo(t)
	body := func(TB) {
		for range n {
			touch(t, address)
		}
	}
	failure := play(t, body, MaxOpened(n-1))
	require.Contains(t, failure, "\n  200 connections were opened, more than the 199 of sockettest.MaxOpened")
	require.Contains(t, failure, "\n    200 to "+address)
	require.Empty(t, play(t, body, MaxOpened(n)))
}

func TestConnectionsToAServerOfTheTestAreCounted(t *testing.T) {
	linuxOnly(t)
	var address string
	body := func(tb TB) {
		server := httptest.NewServer(answer(13))
		tb.Cleanup(server.Close)
		address = server.Listener.Addr().String()
		for range 20 {
			one := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			fetch(t, one, server.URL)
		}
		// What is counted is known of a listener that was there for a moment.
		waitForTicks(t, tb, 2)
	}
	require.Contains(t, playFlow(t, body, MaxOpened(19)), "\n    20 to "+address)
	require.Empty(t, playFlow(t, body, MaxOpened(20)))
}

// A connection that its client resets has forgotten where it went to.
func TestResetConnectionsAreCountedOnce(t *testing.T) {
	linuxOnly(t)
	address := echo(t)
	body := func(TB) {
		for range 20 {
			conn, err := net.Dial("tcp", address)
			require.NoError(t, err)
			_, err = conn.Write([]byte("x"))
			require.NoError(t, err)
			_, err = io.ReadFull(conn, make([]byte, 1)) // it is accepted
			require.NoError(t, err)
			require.NoError(t, conn.(*net.TCPConn).SetLinger(0))
			conn.Close()
		}
	}
	require.NotEmpty(t, play(t, body, MaxOpened(19)))
	require.Empty(t, play(t, body, MaxOpened(20)))
}

// Connections that ended just before belong to the test before.
func TestConnectionsFromBeforeAreNotCounted(t *testing.T) {
	address := echo(t)
	for range 20 {
		touch(t, address)
		require.Empty(t, play(t, func(TB) {}, MaxOpened(0), MaxOpen(0)))
	}
}

func TestARefusedDialIsNoConnection(t *testing.T) {
	l := listen(t)
	l.Close()
	require.Empty(t, play(t, func(TB) {
		_, err := net.Dial("tcp", l.Addr().String())
		require.Error(t, err)
	}, MaxOpened(0), MaxOpen(0)))
}

func TestAConnectionUsedAgainIsOne(t *testing.T) {
	server := serve(t, 13)
	fetch(t, http.DefaultClient, server.URL)
	require.Empty(t, play(t, func(TB) {
		for range 10 {
			fetch(t, http.DefaultClient, server.URL)
		}
	}, MaxOpened(1), MaxOpen(1)))
	fetch(t, http.DefaultClient, server.URL)
	require.Contains(t, play(t, func(TB) { fetch(t, http.DefaultClient, server.URL) }, MaxOpened(0)),
		"1 connection was opened, more than the 0 of", "the pool is emptied before")
}

func TestMoreAtOnceThanAllowed(t *testing.T) {
	everySource(t, func(t *testing.T, source Option) {
		address := echo(t)
		body := func(tb TB) {
			for range 5 {
				conn := dial(t, address)
				tb.Cleanup(func() { conn.Close() })
			}
			waitForTicks(t, tb, 2)
		}
		failure := playFlow(t, body, MaxOpen(4), source)
		require.Contains(t, failure, "sockettest: TestX opened too many connections:\n")
		require.Contains(t, failure, "at least 5 connections were open at once, more than the 4 of sockettest.MaxOpen")
		require.Contains(t, failure, "\n    5 to "+address)
		require.Empty(t, playFlow(t, body, MaxOpen(5), MaxOpened(5), source))
		require.Contains(t, playFlow(t, body, MaxOpened(4), source), "5 connections were opened")
	})
}

// A client's end that was closed before the test began has no owner while it waits for the
// server to close its end, too: it is not counted as opened.
func TestAClosedEndFromBeforeIsNotOpened(t *testing.T) {
	everySource(t, func(t *testing.T, source Option) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { listener.Close() })
		client := dial(t, listener.Addr().String())
		server, err := listener.Accept()
		require.NoError(t, err)
		t.Cleanup(func() { server.Close() })
		require.NoError(t, client.Close())
		_, err = server.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF) // the client's end is in FIN_WAIT2
		require.Empty(t, playFlow(t, func(tb TB) {
			conn := dial(t, listener.Addr().String())
			tb.Cleanup(func() { conn.Close() })
			waitForTicks(t, tb, 2)
		}, MaxOpen(1), MaxOpened(1), source))
	})
}

// One after the other is one at once, however fast.
func TestSerialConnectionsAreNotAtOnce(t *testing.T) {
	address := echo(t)
	require.Empty(t, play(t, func(TB) {
		for range 2000 {
			touch(t, address)
		}
	}, MaxOpen(1)))
}

// What the check does itself to count is no connection to a check around it.
func TestChecksMayBeNested(t *testing.T) {
	address := echo(t)
	require.Empty(t, play(t, func(TB) {
		for range 5 {
			require.Empty(t, play(t, func(TB) { touch(t, address) }, MaxOpened(1), MaxOpen(1)))
		}
	}, MaxOpened(5), MaxOpen(1)))
}

func TestALimitAndALeakAreOneFailure(t *testing.T) {
	address := echo(t)
	failure := play(t, func(TB) {
		for range 3 {
			dial(t, address)
		}
	}, MaxOpen(2), MaxOpened(2), soon)
	require.Contains(t, failure, "sockettest: TestX opened too many connections, and left 3 sockets open:\n")
	require.Contains(t, failure, "open at once")
	require.Contains(t, failure, "3 connections were opened, more than the 2 of")
	require.Contains(t, failure, "3 connections were opened and not closed")
}

func TestConnectionsToAnotherProcessAreCounted(t *testing.T) {
	address := elsewhere(t)
	failure := play(t, func(TB) {
		for range 3 {
			dial(t, address)
		}
	}, MaxOpen(2), MaxOpened(2), soon)
	require.Contains(t, failure, "at least 3 connections were open at once")
	require.Contains(t, failure, "at least 3 connections were opened, more than the 2 of")
	require.Equal(t, 2, strings.Count(failure, "\n    3 to "+address))
	require.NotContains(t, failure, "the server's end")
}

// playing is a fake that knows its check.
type playing struct {
	fake
	check *check
}

// playFlow is play with a check that waitForTicks can wait for.
func playFlow(t *testing.T, body func(TB), options ...Option) string {
	t.Helper()
	c, err := begin("TestX", options)
	require.NoError(t, err)
	p := &playing{check: c}
	body(p)
	for i := len(p.cleanups) - 1; i >= 0; i-- {
		p.cleanups[i]()
	}
	failure := c.end()
	t.Log(failure)
	return failure
}

// waitForTicks waits until connections were counted so many times more.
func waitForTicks(t *testing.T, tb TB, n int64) {
	t.Helper()
	ticks := &tb.(*playing).check.flow.ticks
	until := ticks.Load() + n
	require.Eventually(t, func() bool { return ticks.Load() >= until }, time.Minute, time.Millisecond)
}
