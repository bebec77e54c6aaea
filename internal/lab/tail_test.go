package lab

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheEndOfWhatAProgramWroteIsShown(t *testing.T) {
	t.Parallel()
	end := func(text string) string {
		written := &tail{}
		_, err := fmt.Fprint(written, text)
		require.NoError(t, err)
		return written.end(shownSize)
	}
	require.Empty(t, end(" \n"))
	require.Equal(t, "red\nand more", end("\x1b[31mred\x1b[0m\r\nand more\n"))
	log := strings.Repeat("request 17 was answered\n", 10_000)
	require.Less(t, len(end(log)), shownSize)
	require.Regexp(t, `^request 17 was answered\n`, end(log), "whole lines")
	require.LessOrEqual(t, len(end(strings.Repeat("é", 10_000))), shownSize, "one line")

	// Go says first why a program ends, and then what each goroutine does.
	stacks := strings.Repeat("\ngoroutine 7 [select]:\nnet/http.(*persistConn).roundTrip()\n", 500)
	shown := end(log + "fatal error: concurrent map writes\n" + stacks)
	require.Regexp(t, `^fatal error: concurrent map writes\n`, shown)
	require.Regexp(t, `\n\.\.\.$`, shown)
	require.Less(t, len(shown), shownSize+10)
}
