package callsite

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPaddingBeforeAReturnIsRead(t *testing.T) {
	t.Parallel()
	for _, code := range [][]byte{
		{0x90},
		{0x66, 0x90},
		{0x0f, 0x1f, 0x00},
		{0x0f, 0x1f, 0x40, 0},
		{0x0f, 0x1f, 0x44, 0, 0},
		{0x66, 0x0f, 0x1f, 0x44, 0, 0},
		{0x0f, 0x1f, 0x80, 0, 0, 0, 0},
		{0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0},
	} {
		require.Equal(t, len(code), nop(append(code, 0xc3)), "% x", code)
	}
	require.Zero(t, nop([]byte{0x48, 0x89, 0x44}), "mov")
	require.Zero(t, nop(nil))
}

func TestVersionsAreCompared(t *testing.T) {
	t.Parallel()
	require.True(t, AtLeast("go1.26.9", 26))
	require.False(t, AtLeast("go1.22.12", 26))
	require.True(t, AtLeast("go1.27rc1", 27))
	require.True(t, AtLeast("devel", 27), "later than all releases")
}
