package cli

import (
	"context"
	"io"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/cli/program"
)

// A build that a signal ends has not failed.
func TestAnInterruptedBuildIsInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tools := &toolchains{versions: []string{"1.26.9"}, progress: io.Discard}
	err := tools.each(ctx, "the lab", func(string) *exec.Cmd { return exec.CommandContext(ctx, "go", "version") })
	var code *program.CodeError
	require.ErrorAs(t, err, &code)
	require.Equal(t, program.ExitInterrupted, code.Code)
	require.EqualError(t, err, "interrupted")
}

// A word of the user's goes to the client as it is, with the URL or without.
func TestWordsOfAClientsCommandAreQuoted(t *testing.T) {
	t.Parallel()
	require.Equal(t, `curl -s '{url}'`, commandLine([]string{"curl", "-s", "{url}"}))
	require.Equal(t, `sh -c 'echo $0; curl {url}'`, commandLine([]string{"sh", "-c", "echo $0; curl {url}"}))
	require.Equal(t, `curl {url} | cat`, commandLine([]string{"curl {url} | cat"}), "one word is a line of the shell")
}
