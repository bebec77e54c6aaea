package bpf

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTypesAreRead(t *testing.T) {
	var own NewTypes
	own.Name("")
	own.Integer("int", 4, 1<<24)
	own.Integer("unsigned int", 4, 0)
	own.Integer("unsigned long long", 8, 0)
	own.Words = append(own.Words, own.Name("memory"), KindStruct<<24|3, 16,
		own.Name("since"), 3, 0, own.Name("pid"), 2, 8*8, own.Name("state"), 2, 12*8)
	all := own.Description()
	types, err := parseTypes(all)
	require.NoError(t, err)
	for member, want := range map[string]int16{"since": 0, "pid": 8, "state": 12} {
		got, err := types.Offset("memory", member)
		require.NoError(t, err)
		require.Equal(t, want, got, member)
	}
	_, err = types.Offset("mem", "pid")
	require.ErrorIs(t, err, errors.ErrUnsupported)
	_, err = types.Offset("memory", "pid", "since")
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
