package leaks

import "net/http"

// bodyClientEach looks at the status only, and forgets its client, too.
func bodyClientEach(p Peer) error {
	client := &http.Client{Transport: &http.Transport{}}
	resp, err := client.Get(p.URL + "/large")
	if err != nil {
		return err
	}
	keep(resp.StatusCode)
	return nil
}
