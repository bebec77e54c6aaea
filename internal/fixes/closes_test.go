package fixes_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/fixes"
	"socketlab/internal/series"
)

func TestNamesTheSettingOfAServerThatIsKnown(t *testing.T) {
	t.Parallel()
	churn, closeWait := "connection-churn", "close-wait-leak"
	node := &series.Identity{Runtime: "node", Role: "server", Protocol: "http"}
	require.Contains(t, fixes.IdleClose(churn, node), "Node closes an idle connection after 5 s + 1 s")
	require.Contains(t, fixes.IdleClose(churn, node), "server.keepAliveTimeout")
	client := &series.Identity{Runtime: "python", Role: "client", Protocol: "http", Peer: "nginx"}
	require.Contains(t, fixes.IdleClose(closeWait, client), "Its server is nginx, which closes an idle connection after 75 s")
	require.Contains(t, fixes.IdleClose(closeWait, client), "keepalive_timeout")

	client.PeerClosedMS = 75100
	require.Contains(t, fixes.IdleClose(closeWait, client), "(seen here: after 1m15.1s or less)")
	require.Contains(t, fixes.IdleClose(closeWait, &series.Identity{Role: "client", PeerClosedMS: 2100}), "idle for 2.1s, or for less")
	require.Empty(t, fixes.IdleClose(closeWait, &series.Identity{Role: "client", PeerClosedMS: 100}), "it closes with its answer")

	// What is not known is not said.
	client.Peer, client.PeerClosedMS = "", 0
	require.NotContains(t, fixes.IdleClose(closeWait, client), "Its server")
	client.Peer = "nginx"
	require.NotContains(t, fixes.IdleClose("port-exhaustion", client), "Its server")
	node.Role = "client"
	require.NotContains(t, fixes.IdleClose(churn, node), "closes an idle connection after")
	require.Equal(t, "gunicorn with threads", fixes.ServerOf("python", "gunicorn"))
	require.Empty(t, fixes.ServerOf("python", "manage.py"))
	require.Empty(t, fixes.ServerOf("", ""))
}
