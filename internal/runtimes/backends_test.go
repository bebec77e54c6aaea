package runtimes

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBackendsSayWhichTransactionsAreIdle(t *testing.T) {
	t.Parallel()
	b := Backends{proc: t.TempDir()}
	say := func(pid, title string) {
		t.Helper()
		require.NoError(t, os.MkdirAll(filepath.Join(b.proc, pid), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(b.proc, pid, "cmdline"), []byte(title), 0o644))
	}
	// As PostgreSQL 15.14 says them.
	say("1", "/usr/lib/postgresql/15/bin/postgres\x00-D\x00data\x00")
	say("2", "postgres: checkpointer \x00\x00")
	say("3", "postgres: postgres postgres 127.0.0.1(45850) idle in transaction\x00\x00\x00")
	say("4", "postgres: main: app shop ::1(45862) idle in transaction (aborted)")
	say("5", "postgres: app shop 127.0.0.1(45872) idle")
	say("6", "postgres: app shop 127.0.0.1(45884) SELECT")
	say("7", "postgres: app shop [local] idle in transaction")
	say("8", "vi\x00postgres: a b 127.0.0.1(1) idle in transaction")
	say("self", "postgres: a b 127.0.0.1(2) idle in transaction")
	require.Equal(t, map[netip.AddrPort]bool{
		netip.MustParseAddrPort("127.0.0.1:45850"): true, netip.MustParseAddrPort("[::1]:45862"): true,
	}, b.IdleInTransaction())

	say("3", "postgres: postgres postgres 127.0.0.1(45850) idle")
	say("8", "postgres: a b 127.0.0.1(1) idle in transaction") // another process now
	require.Len(t, b.IdleInTransaction(), 1)
	for range otherFor - 1 {
		b.IdleInTransaction()
	}
	require.Len(t, b.IdleInTransaction(), 2)
}
