package sqldriver_test

import (
	"context"
	"database/sql"
	"log/slog"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"socketlab/internal/scenario"
	"socketlab/internal/server"
	"socketlab/internal/toydb/sqldriver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open returns a database on a real server with the behaviour b.
func open(t *testing.T, b scenario.Server) *sql.DB {
	t.Helper()
	b.Protocol = "toydb"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.New(server.Config{Behaviour: b, Log: slog.New(slog.DiscardHandler)}).Serve(ctx, l)
	}()
	t.Cleanup(func() {
		stop()
		<-served
	})
	db := sql.OpenDB(sqldriver.Connector{Addr: l.Addr().String()})
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func TestQueryHasOneRow(t *testing.T) {
	db := open(t, scenario.Server{})
	rows, err := db.QueryContext(t.Context(), "SELECT 1")
	require.NoError(t, err)
	defer rows.Close()
	require.True(t, rows.Next())
	var number int
	require.NoError(t, rows.Scan(&number))
	require.Equal(t, 1, number)
	require.False(t, rows.Next())
	require.NoError(t, rows.Err())
}

func TestRowsHoldTheirConnectionUntilTheyAreClosed(t *testing.T) {
	db := open(t, scenario.Server{})
	rows, err := db.QueryContext(t.Context(), "SELECT 1")
	require.NoError(t, err)
	require.Equal(t, 1, db.Stats().InUse)
	require.NoError(t, rows.Close())
	require.Equal(t, 0, db.Stats().InUse)
	require.Equal(t, 1, db.Stats().Idle)
	require.NoError(t, db.PingContext(t.Context()))
	require.Equal(t, 1, db.Stats().OpenConnections)
}

func TestConnectionThatFailedLeavesThePool(t *testing.T) {
	db := open(t, scenario.Server{}.With(server.ResponsesKey.Is([]string{"whole", "reset"})))
	var number int
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT 1").Scan(&number))
	require.ErrorIs(t, db.QueryRowContext(t.Context(), "SELECT 1").Scan(&number), syscall.ECONNRESET)
	require.Equal(t, 0, db.Stats().OpenConnections)
}

func TestQueryThatIsGivenUpLeavesThePool(t *testing.T) {
	db := open(t, scenario.Server{}.With(server.NoResponseKey.Is(true)))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, db.PingContext(ctx), context.DeadlineExceeded)
	require.Equal(t, 0, db.Stats().OpenConnections)
}

func TestWhatToyDBDoesNotHaveIsAnError(t *testing.T) {
	db := open(t, scenario.Server{})
	var number int
	require.ErrorContains(t, db.QueryRowContext(t.Context(), "SELECT ?", 1).Scan(&number), "no arguments")
	_, err := db.BeginTx(t.Context(), nil)
	require.ErrorContains(t, err, "no transactions")
	_, err = db.PrepareContext(t.Context(), "SELECT 1")
	require.ErrorContains(t, err, "no prepared statements")
}
