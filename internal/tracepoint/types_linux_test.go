package tracepoint

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTypesAreRead(t *testing.T) {
	all := memoryTypes()
	types, err := parseTypes(all)
	require.NoError(t, err)
	for member, want := range map[string]int16{"since": memorySince, "pid": memoryPID, "state": memoryState} {
		got, err := offsetOf(types, "memory", []string{member})
		require.NoError(t, err)
		require.Equal(t, want, got, member)
	}
	_, err = offsetOf(types, "mem", []string{"pid"})
	require.ErrorIs(t, err, errors.ErrUnsupported)
	_, err = offsetOf(types, "memory", []string{"pid", "since"})
	require.ErrorIs(t, err, errors.ErrUnsupported, "an int has no members")

	names := len("int") + len("unsigned int") + len("unsigned long long") + len("memory") + len("since") + len("pid") + len("state") + 8
	for n := range len(all) - names {
		_, err := parseTypes(all[:n])
		require.Error(t, err, "the first %d bytes", n)
	}
	all[typesHeaderSize+7] = 31 // the kind of the first type
	_, err = parseTypes(all)
	require.ErrorIs(t, err, errors.ErrUnsupported)
}
