package profiles_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/profile"
	"socketlab/profiles"
)

func TestEachProgramWasMeasuredAndCanBeMeasuredAgain(t *testing.T) {
	t.Parallel()
	all := profiles.All() // reads each strictly
	require.NotEmpty(t, all)
	for _, p := range all {
		require.NotEmpty(t, p.Values, p.ID)
		require.NotEmpty(t, p.Version, p.ID)
		require.NotEmpty(t, p.Measured, p.ID)
		require.NotEmpty(t, p.Command, p.ID)
		require.FileExists(t, p.Adapter+"/version", p.ID)
		info, err := os.Stat(p.Adapter)
		require.NoError(t, err, p.ID)
		require.True(t, info.IsDir(), p.ID)
	}
	require.GreaterOrEqual(t, len(profiles.All(profile.Server)), 30)
	require.GreaterOrEqual(t, len(profiles.All(profile.Proxy)), 5)
}
