package upgradedconnectionleft

import (
	"context"
	"net/http"
	"time"

	"socketlab/internal/loadgen"
)

// NewClient returns the client that both sides get: it upgrades a connection, watches
// the prices for a while, and closes it.
func NewClient(t loadgen.Target) loadgen.Caller {
	client := &http.Client{}
	return loadgen.CallerFunc(func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.URL, nil)
		if err != nil {
			return err
		}
		req.Header.Set("Connection", "Upgrade")
		req.Header.Set("Upgrade", "prices")
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close() // of a 101, it is the connection
		if resp.StatusCode != http.StatusSwitchingProtocols {
			return loadgen.StatusError(resp.StatusCode)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(t.Every):
			return nil
		}
	})
}
