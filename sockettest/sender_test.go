package sockettest

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/httppool"
)

// Where the client sends its requests through a Pool, a failure names the line.
func TestAPoolNamesTheLine(t *testing.T) {
	for name, serveIn := range map[string]func(*testing.T, http.Handler) (*http.Client, string){"loopback": onLoopback, "in memory": serveInMemory} {
		t.Run(name, func(t *testing.T) {
			client, url := serveIn(t, answer(1<<20))
			client.Transport = httppool.Watch(client.Transport.(*http.Transport))
			var left *http.Response
			failure := play(t, func(TB) {
				resp, err := client.Get(url)
				require.NoError(t, err)
				left = resp
				fetch(t, client, url) // a healthy one beside it
			}, soon, CloseIdle(client))
			require.Contains(t, failure, "left 1 ")
			require.Regexp(t, `requested by sockettest\.TestAPoolNamesTheLine\.\S+ sender_test\.go:\d+`, failure)
			require.NotContains(t, failure, "fetch")
			require.NoError(t, left.Body.Close())
			require.Empty(t, play(t, func(TB) { fetch(t, client, url) }, CloseIdle(client)))
		})
	}
}
