package render_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/render"
	"socketlab/profiles"
)

// A proxy has both times after which an idle connection is closed.
func TestAProfileOfAProxySaysWhichEndIsMeant(t *testing.T) {
	t.Parallel()
	titles := func(id string) (list []string) {
		for _, block := range render.Profile(profiles.Find(id)).Blocks {
			if table, ok := block.(render.Table); ok {
				for _, g := range table.Groups {
					if g.Title != "" {
						list = append(list, g.Title)
					}
				}
			}
		}
		return list
	}
	require.Equal(t, []string{"towards the server behind it, as a client", "towards its clients, as a server", "between the two"}, titles("haproxy"))
	require.Empty(t, titles("aiohttp"))
	require.Empty(t, titles("lighttpd"))
}
