package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/cli"
	"socketlab/internal/cli/program"
)

func TestOfTwoFilesThatAreThereAlreadyTheFirstIsNamed(t *testing.T) {
	first, second := filepath.Join(t.TempDir(), "taken"), filepath.Join(t.TempDir(), "taken")
	require.NoError(t, os.WriteFile(first, nil, 0o600))
	require.NoError(t, os.WriteFile(second, nil, 0o600))
	for range 20 { // the order of a map would differ between runs
		var stderr bytes.Buffer
		code := program.Run(cli.Command, []string{"report", "run.jsonl", "--svg", second, "--to", first}, program.Streams{Err: &stderr})
		require.Equal(t, program.ExitUsage, code)
		require.Contains(t, stderr.String(), "sockwatch: --to: ")
	}
}
