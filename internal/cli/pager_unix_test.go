//go:build unix

package cli_test

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is longer than a terminal is shown by the pager there, and nothing else is.
func TestPager(t *testing.T) {
	t.Parallel()
	const show = "sockwatch show transport-per-request"
	for command, paged := range map[string]bool{
		"PAGER='sed s/^/paged:/' " + show + " | tail -3":         false, // no terminal
		"PAGER='sed s/^/paged:/' " + show:                        true,
		"PAGER='sed s/^/paged:/' " + show + " --no-pager":        false,
		"PAGER='sed s/^/paged:/' sockwatch life --list":          false, // no pager has it
		"PAGER=cat " + show:                                      false,
		"PAGER= " + show:                                         false,
		"PAGER=/no/such/pager " + show:                           false,
		"PAGER='sed s/^/paged:/' TERM=dumb " + show:              false,
		"PAGER='sed s/^/paged:/' " + show + " --diff | tail -30": false,
	} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			x := inTmux(t, 100, 30, command)
			x.until("code=0")
			all := x.do("capture-pane", "-p", "-S", "-")
			if paged {
				require.Contains(t, all, "paged:")
			} else {
				require.NotContains(t, all, "paged:")
			}
		})
	}
}

// By default it is less, which is left with q.
func TestPagerIsLess(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("less"); err != nil {
		t.Skip("no less here")
	}
	x := inTmux(t, 100, 30, "unset PAGER LESS; sockwatch show transport-per-request --lesson")
	x.until(":")
	require.NotContains(t, x.screen(), "code=")
	x.press("G")
	x.until("(END)")
	x.press("q")
	x.until("code=0")
}

// A signal to the program, which does not reach the pager, ends both.
func TestASignalEndsThePager(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("less"); err != nil {
		t.Skip("no less here")
	}
	for _, signal := range []string{"TERM", "HUP", "QUIT"} {
		t.Run(signal, func(t *testing.T) {
			t.Parallel()
			signalled(t, signal, "unset PAGER LESS", "sockwatch list", "\n:")
		})
	}
}

// The difference of two codes is in red and green on a terminal, and has its signs.
func TestColoursOfAnAnswer(t *testing.T) {
	t.Parallel()
	for command, coloured := range map[string]bool{"": true, "NO_COLOR=1 ": false} {
		x := inTmux(t, 100, 50, command+"sockwatch show body-not-closed --diff --no-pager")
		require.Contains(t, x.until("code=0"), "defer resp.Body.Close()")
		colours := x.do("capture-pane", "-p", "-e")
		if coloured {
			require.Contains(t, colours, "\x1b[32m")
			require.Contains(t, colours, "\x1b[31m")
		} else {
			require.NotContains(t, colours, "\x1b[3")
		}
	}
}
