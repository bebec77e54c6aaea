package render

import (
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
)

func TestNobodyChangesTheStackingForAll(t *testing.T) {
	t.Parallel()
	order := Stacking()
	require.Equal(t, socketstats.Established, order[0])
	order[0] = socketstats.Listen
	require.Equal(t, socketstats.Established, Stacking()[0])
}
