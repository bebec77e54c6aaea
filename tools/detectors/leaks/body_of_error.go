package leaks

import (
	"io"
	"net/http"
)

// bodyOfError closes the body, unless the status is an error.
func bodyOfError(p Peer) error {
	resp, err := http.Get(p.URL + "/error")
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return nil
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
