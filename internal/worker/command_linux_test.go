package worker_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The kernel ends a command whose supervisor was killed.
func TestCommandEndsWithASupervisorThatIsKilled(t *testing.T) {
	t.Parallel()
	p, pid := supervised(t, "exec sleep 60")
	require.NoError(t, p.cmd.Process.Kill())
	requireGone(t, pid)
}
