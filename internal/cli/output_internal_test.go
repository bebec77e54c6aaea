package cli

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is made of a large recording is given up when the command is ended.
func TestMadeUntilItsContextIsDone(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	end := make(chan struct{})
	defer close(end)
	_, err := madeUntil(ctx, func() (int, error) {
		cancel()
		<-end
		return 1, nil
	})
	require.ErrorIs(t, err, context.Canceled)
	n, err := madeUntil(t.Context(), func() (int, error) { return 2, nil })
	require.NoError(t, err)
	require.Equal(t, 2, n)
}
