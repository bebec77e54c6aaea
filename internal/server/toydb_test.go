package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
	"socketlab/internal/toydb"
)

func overToyDB(settings ...scenario.Setting) scenario.Server {
	return scenario.Server{Protocol: "toydb"}.With(settings...)
}

func open(t *testing.T, server *running) *toydb.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	t.Cleanup(cancel)
	conn, err := toydb.Open(ctx, server.addr)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

func query(t *testing.T, conn *toydb.Conn) string {
	t.Helper()
	row, err := conn.Query(context.Background(), "SELECT 1")
	require.NoError(t, err)
	return row
}

func TestRowsAreCountedByConnection(t *testing.T) {
	t.Parallel()
	server := start(t, overToyDB())
	for range 2 {
		conn := open(t, server)
		for n := 1; n <= 5; n++ {
			require.Equal(t, fmt.Sprint(n), query(t, conn))
		}
	}
	server.answered(t, 10)
	server.working(t, 0)
}

func TestConnectionsAreServedSideBySide(t *testing.T) {
	t.Parallel()
	const conns, queries = 20, 10
	server := start(t, overToyDB(DelayKey.Is(scenario.Duration(time.Millisecond))))
	var all sync.WaitGroup
	for range conns {
		conn := open(t, server)
		all.Go(func() {
			for n := 1; n <= queries; n++ {
				row, err := conn.Query(context.Background(), "SELECT 1")
				if err != nil || row != fmt.Sprint(n) {
					t.Errorf("query %d: %q, %v", n, row, err)
				}
			}
		})
	}
	all.Wait()
	server.answered(t, conns*queries)
}

func TestSetUpIsWaitedOncePerConnection(t *testing.T) {
	t.Parallel()
	server := start(t, overToyDB(HandshakeDelayKey.Is(scenario.Duration(short)), DelayKey.Is(scenario.Duration(short/2))))
	begin := time.Now()
	conn := open(t, server)
	require.GreaterOrEqual(t, time.Since(begin), short)

	begin = time.Now()
	query(t, conn)
	require.GreaterOrEqual(t, time.Since(begin), short/2)
}

func TestNoQueryIsInProgressDuringTheSetUp(t *testing.T) {
	t.Parallel()
	server := start(t, overToyDB(HandshakeDelayKey.Is(forever)))
	conn := server.dial(t)
	send(t, conn, "SELECT 1\n")
	eventually(t, "the connection is accepted", func() bool { accepted, _ := held(t, server.addr); return accepted == 1 })
	require.Zero(t, server.InProgress())
	conn.Close()
	eventually(t, "the server lets go of it", func() bool { accepted, _ := held(t, server.addr); return accepted == 0 })
	require.Zero(t, server.work.left.Load(), "it had asked for nothing")
}

func TestQueryIsGivenUpWhenItsClientLeaves(t *testing.T) {
	t.Parallel()
	for when, never := range neverAnswers {
		t.Run(when, func(t *testing.T) {
			const clients = 3
			server := start(t, overToyDB(never))
			ctx, leave := context.WithCancel(context.Background())
			defer leave()
			var all sync.WaitGroup
			for range clients {
				conn := open(t, server)
				all.Go(func() {
					defer conn.Close()
					if _, err := conn.Query(ctx, "SELECT 1"); !errors.Is(err, context.Canceled) {
						t.Errorf("query ended with %v", err)
					}
				})
			}
			server.working(t, clients)
			leave()
			all.Wait()
			server.working(t, 0)
			require.EqualValues(t, clients, server.work.left.Load())
			require.Zero(t, server.work.answered.Load())
		})
	}
}

func TestQueryIsGivenUpWhenItsClientHadAskedAheadAndLeaves(t *testing.T) {
	t.Parallel()
	server := start(t, overToyDB(DelayKey.Is(forever)))
	conn := server.dial(t)
	send(t, conn, "SELECT 1\nSELECT 2\nSELECT 3\n")
	server.working(t, 1)
	conn.Close()
	server.working(t, 0)
	require.EqualValues(t, 1, server.work.left.Load())
}

func TestQueriesSentAheadAreAnsweredInTurn(t *testing.T) {
	t.Parallel()
	server := start(t, overToyDB())
	conn := server.dial(t)
	send(t, conn, strings.Repeat("SELECT 1\n", 5))
	lines := bufio.NewScanner(conn)
	for _, want := range []string{"READY", "ROW 1", "ROW 2", "ROW 3", "ROW 4", "ROW 5"} {
		require.True(t, lines.Scan())
		require.Equal(t, want, lines.Text())
	}
}

func TestRowsConnectionIsClosedAfterItsLastQuery(t *testing.T) {
	t.Parallel()
	server := start(t, overToyDB(CloseAfterKey.Is(3)))
	for range 2 {
		conn := open(t, server)
		for range 3 {
			query(t, conn)
		}
		_, err := conn.Query(context.Background(), "SELECT 1")
		require.Error(t, err)
	}
	server.answered(t, 6)
}

func TestQueriesUnderWayAreAnsweredWhenTheServerStops(t *testing.T) {
	t.Parallel()
	server := start(t, overToyDB(DelayKey.Is(scenario.Duration(3*short)), GraceKey.Is(forever)))
	idle := server.dial(t)
	greeting := make([]byte, len(toydb.Greeting)+1)
	_, err := io.ReadFull(idle, greeting)
	require.NoError(t, err)

	var all sync.WaitGroup
	for range 3 {
		conn := open(t, server)
		all.Go(func() {
			if row, err := conn.Query(context.Background(), "SELECT 1"); err != nil || row != "1" {
				t.Errorf("%q, %v", row, err)
			}
			eventually(t, "the server stops", isRefused(server.addr))
			if _, err := conn.Query(context.Background(), "SELECT 1"); err == nil {
				t.Error("a query that came after the stop was answered")
			}
		})
	}
	server.working(t, 3)
	require.NoError(t, server.stop())
	all.Wait()
	_, err = idle.Read(make([]byte, 1))
	require.Equal(t, io.EOF, err, "an idle connection is closed")
	server.answered(t, 3)
	_, err = net.Dial("tcp", server.addr)
	require.Error(t, err)
}

func TestLineWithoutEndIsNotReadForEver(t *testing.T) {
	t.Parallel()
	server := start(t, overToyDB())
	conn := server.dial(t)
	var err error
	for err == nil { // dial set a deadline
		_, err = io.WriteString(conn, strings.Repeat("x", 4096))
	}
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
	require.Zero(t, server.InProgress())
}

func TestConnectionAboveItsAgeIsResetAtItsNextQuery(t *testing.T) {
	t.Parallel()
	const age = 100 * time.Millisecond
	server := start(t, overToyDB(MaxAgeKey.Is(scenario.Duration(age))))
	begin := time.Now()
	conn := open(t, server)
	for {
		_, err := conn.Query(context.Background(), "SELECT 1")
		if time.Since(begin) < age {
			require.NoError(t, err)
			break
		}
		begin, conn = time.Now(), open(t, server) // the machine was too busy for that one
	}
	require.Eventually(t, func() bool { return time.Since(begin) > 2*age }, soon, time.Millisecond)
	require.NoError(t, conn.Check(), "it says nothing before")
	_, err := conn.Query(context.Background(), "SELECT 1")
	require.ErrorIs(t, err, syscall.ECONNRESET)
}
