//go:build unix

package socketstats_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/socketstats"
)

// fakeLsof puts a script in lsof's place.
func fakeLsof(t *testing.T, script string) *socketstats.Lsof {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "lsof"), []byte("#!/bin/sh\n"+script), 0o755))
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	source, err := socketstats.OpenLsof()
	require.NoError(t, err)
	return source
}

func TestLsofIsAskedForTCPAndByNumbers(t *testing.T) {
	source := fakeLsof(t, `[ "$*" = "-w -n -P -i TCP -F pftdPnT" ] || { echo "lsof: $*" >&2; exit 2; }
printf 'p7\nf3\ntIPv4\nd0x1\nPTCP\nn127.0.0.1:80->127.0.0.1:4000\nTST=FIN_WAIT_1\nf4\ntIPv4\nd0x2\nPTCP\nn127.0.0.1:81\nTST=LISTEN\n'`)
	all, err := source.Sockets(t.Context(), socketstats.Query{Owners: true})
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, socketstats.FinWait1, all[0].State)
	require.EqualValues(t, 7, all[0].PID)

	some, err := source.Sockets(t.Context(), socketstats.Query{Ports: []uint16{4000}})
	require.NoError(t, err)
	require.Len(t, some, 1)
	require.Zero(t, some[0].PID, "nobody asked for owners")
	some, err = source.Sockets(t.Context(), socketstats.Query{States: []socketstats.State{socketstats.Listen}, Owners: true, OwnersAmong: []int32{8}})
	require.NoError(t, err)
	require.Len(t, some, 1)
	require.Zero(t, some[0].PID, "another's")
}

func TestHowLsofEndsDecidesWhatItsListIsWorth(t *testing.T) {
	const row = `printf 'p7\nf3\ntIPv4\nd0x1\nPTCP\nn*:80\nTST=LISTEN\n'; `
	for name, test := range map[string]struct {
		script  string
		sockets int
		err     string
	}{
		"no socket":                 {script: "exit 1"},
		"a process ended meanwhile": {script: row + "exit 1", sockets: 1},
		"an error":                  {script: row + "echo 'lsof: no memory' >&2; exit 1", err: "no memory"},
		"another exit code":         {script: row + "exit 2", err: "exit status 2"},
		"killed":                    {script: row + "kill -9 $$", err: "killed"},
		"not lsof's form":           {script: "echo COMMAND PID USER", err: "before the first process"},
	} {
		t.Run(name, func(t *testing.T) {
			sockets, err := fakeLsof(t, test.script).Sockets(t.Context(), socketstats.Query{})
			if test.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, test.err)
			}
			require.Len(t, sockets, test.sockets)
		})
	}
}

func TestLsofEndsWithItsContext(t *testing.T) {
	// The pipe says that lsof runs, and ends with it.
	source := fakeLsof(t, `echo running >"$STARTED"; exec sleep 600`)
	started := filepath.Join(t.TempDir(), "started")
	require.NoError(t, unix.Mkfifo(started, 0o600))
	t.Setenv("STARTED", started)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, _ = os.ReadFile(started)
		cancel()
	}()
	begin := time.Now()
	sockets, err := source.Sockets(ctx, socketstats.Query{})
	require.ErrorIs(t, err, context.Canceled)
	require.Nil(t, sockets)
	require.Less(t, time.Since(begin), time.Minute)
}

func TestWithoutLsofThereIsNoSuchSource(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	source, err := socketstats.OpenLsof()
	require.ErrorContains(t, err, "lsof")
	require.Nil(t, source)
}
