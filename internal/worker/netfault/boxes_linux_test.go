package netfault_test

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestATableForgetsIdleConnectionsAndHasRoomForSoMany(t *testing.T) {
	n := inside(t)
	if n == nil {
		return
	}
	accepted := listen(t)
	const most, timeout = 3, 500 * time.Millisecond
	possible(t, n.Track(port, most, timeout))
	client, server := pair(t, accepted)
	busy := time.Now()
	for range 2 * time.Second / timeout { // packets keep it in the table
		for range 4 {
			echo(t, client, server)
			echo(t, server, client)
			time.Sleep(timeout / 4)
		}
	}
	require.Greater(t, time.Since(busy), 2*timeout)
	for range most - 1 {
		pair(t, accepted)
	}
	_, err := dial("127.0.0.1:8080", timeout/5)
	var late net.Error
	require.ErrorAs(t, err, &late)
	require.True(t, late.Timeout(), "there is no room: %v", err)

	// What is idle is forgotten, so that there is room again; what is sent on it later is dropped.
	time.Sleep(2 * timeout)
	pair(t, accepted)
	_, err = client.Write([]byte{1})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		i, err := info(client)
		return err == nil && i.Unacked > 0 && i.Retransmits >= 2
	}, patience, time.Millisecond)
}

func TestATranslationHasSoManyPorts(t *testing.T) {
	n := inside(t)
	if n == nil {
		return
	}
	accepted := listen(t)
	const ports = 3
	possible(t, n.Translate(port, ports))
	seen := map[string]bool{}
	for range ports {
		client, server := pair(t, accepted)
		echo(t, client, server)
		echo(t, server, client)
		seen[server.RemoteAddr().String()] = true
		require.NotEqual(t, client.LocalAddr().String(), server.RemoteAddr().String())
	}
	require.Len(t, seen, ports)
	_, err := dial("127.0.0.1:8080", 300*time.Millisecond)
	var late net.Error
	require.ErrorAs(t, err, &late)
	require.True(t, late.Timeout(), "no port is left: %v", err)
}
