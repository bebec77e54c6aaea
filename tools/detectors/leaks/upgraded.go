package leaks

import (
	"errors"
	"net/http"
)

// upgraded keeps what an upgrade gave it, as a WebSocket client keeps its connections.
func upgraded(p Peer) error {
	req, err := http.NewRequest(http.MethodGet, p.URL+"/upgrade", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "echo")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return errors.New(resp.Status)
	}
	keep(resp.Body)
	return nil
}
