package qr

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"rsc.io/qr"
)

const address = "http://192.168.100.100:65535/ABCDEFGHIJKLMNOPQRSTUVWXYZ/"

// What is drawn is the code of the library, with a margin of four modules.
func TestBothPicturesAreTheCode(t *testing.T) {
	t.Parallel()
	want, err := qr.Encode(address, qr.L)
	require.NoError(t, err)
	c, err := Of(address)
	require.NoError(t, err)
	require.Equal(t, want.Size+8, c.Size)

	lines := c.Lines()
	require.LessOrEqual(t, len(lines), 22, "it fits a terminal of 24 lines, with the address")
	svg := string(c.SVG())
	for y := range c.Size {
		text := []rune(strings.TrimSuffix(strings.TrimPrefix(lines[y/2], blackOnWhite), reset))
		require.Len(t, text, c.Size)
		for x, char := range text {
			dark := want.Black(x-4, y-4)
			half := "▀█"
			if y%2 == 1 {
				half = "▄█"
			}
			require.Equal(t, dark, strings.ContainsRune(half, char), "%d, %d", x, y)
			require.Equal(t, dark, strings.Contains(svg, fmt.Sprintf("M%d %dh1v1", x, y)))
		}
	}
}

func TestTextThatNoCodeHolds(t *testing.T) {
	t.Parallel()
	_, err := Of(strings.Repeat("x", 3000))
	require.ErrorContains(t, err, "QR code")
}
