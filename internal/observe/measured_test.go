package observe

import (
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/series"
	"socketlab/internal/verdict"
	"socketlab/profiles"
)

func TestFixesNameWhatWasMeasuredOfTheProgram(t *testing.T) {
	t.Parallel()
	node := measured(verdict.ServerIdleClients, &series.Identity{Runtime: "node", Role: "server"})
	require.Contains(t, node, "node:http")
	require.Contains(t, node, "closes an idle connection after "+profiles.Find("node-http-server").Values["idle_timeout"].String())
	require.Contains(t, node, "it says 5.0s")
	require.Contains(t, node, "server.keepAliveTimeout")
	uvicorn := measured(verdict.ServerIdleClients, &series.Identity{Runtime: "python", Module: "uvicorn", Role: "server"})
	require.Contains(t, uvicorn, "--timeout-keep-alive")
	client := measured(verdict.StaleConnectionReuse, &series.Identity{Runtime: "go", Role: "client"})
	require.Contains(t, client, "Transport.IdleConnTimeout")
	require.Contains(t, client, "a POST that meets one being closed is an error")
	require.Empty(t, measured(verdict.ServerIdleClients, &series.Identity{Runtime: "python", Role: "server"}), "which server is not known")
	require.Empty(t, measured(verdict.Healthy, &series.Identity{Runtime: "node", Role: "server"}))
}

func TestWhatFixesNameIsInTheAtlas(t *testing.T) {
	t.Parallel()
	for _, all := range []map[string]known{servers, clients} {
		for runtime, k := range all {
			require.NotNil(t, profiles.Find(k.id), runtime)
			require.NotEmpty(t, k.setting, runtime)
		}
	}
}
