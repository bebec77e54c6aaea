package leaks

import "net/http"

// bodyShared looks at the status only.
func bodyShared(p Peer) error {
	resp, err := http.Get(p.URL + "/large")
	if err != nil {
		return err
	}
	keep(resp.StatusCode)
	return nil
}
