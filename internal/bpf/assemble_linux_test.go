package bpf

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAJumpToNowhereIsAnError(t *testing.T) {
	_, err := assemble([]Instruction{Jump("out"), Exit()})
	require.ErrorContains(t, err, `"out"`)
	code, err := assemble([]Instruction{Jump("out"), ValueOf(R1, 3), Exit().Named("out")})
	require.NoError(t, err)
	require.Len(t, code, 4*8)
	require.Equal(t, []byte{0x05, 0, 2, 0}, code[:4], "over an instruction that takes the room of two")
}
