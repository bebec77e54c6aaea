package leaks

import (
	"io"
	"net/http"
)

// none is a healthy client.
func none(p Peer) error {
	resp, err := http.Get(p.URL + "/small")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
