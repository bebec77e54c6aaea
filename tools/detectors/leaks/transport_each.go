package leaks

import (
	"io"
	"net/http"
)

// transportEach does all that it should with the body, and makes a pool for each request.
func transportEach(p Peer) error {
	client := &http.Client{Transport: &http.Transport{}}
	resp, err := client.Get(p.URL + "/small")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
