package redirectleavesitsconnection

import (
	"context"
	"net/http"
)

// get sends a request. The caller closes the response's body.
func get(ctx context.Context, client *http.Client, url string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	return client.Do(req)
}
