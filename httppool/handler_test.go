package httppool_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"socketlab/httppool"
)

func TestHandler(t *testing.T) {
	server := httptest.NewServer(text)
	defer server.Close()
	client, pool := watch(t, server, nil, httppool.Name(`"orders" <b>`))
	resp, err := client.Get(server.URL + "/a<b>?secret=1")
	require.NoError(t, err)
	defer resp.Body.Close()
	h := httppool.Handler(pool)
	ask := func(method, url, accept string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), method, url, nil)
		r.Header.Set("Accept", accept)
		h.ServeHTTP(w, r)
		assert.NotContains(t, w.Body.String(), "secret")
		return w
	}
	text := ask(http.MethodGet, "/debug/connections", "*/*").Body.String()
	assert.Contains(t, text, "in use 1 · idle 0 · waiting 0")
	assert.Contains(t, text, "Responses whose body is open")
	assert.Contains(t, text, "TestHandler handler_test.go:")
	page := ask(http.MethodGet, "/debug/connections", "text/html,application/xhtml+xml").Body.String()
	assert.Contains(t, page, "&#34;orders&#34; &lt;b&gt;: in use 1")
	assert.NotContains(t, page, "<b>")
	assert.Equal(t, http.StatusBadRequest, ask(http.MethodGet, "/?format=xml", "").Code)
	assert.Equal(t, http.StatusMethodNotAllowed, ask(http.MethodPost, "/", "").Code)

	w := ask(http.MethodGet, "/?format=json", "text/html")
	assert.Equal(t, "application/json", w.Result().Header.Get("Content-Type"))
	written := w.Body.Bytes()
	read, err := httppool.ReadJSON(bytes.NewReader(written))
	require.NoError(t, err)
	require.Len(t, read, 1)
	assert.Equal(t, map[httppool.State]int{httppool.Active: 1}, count(read[0]))
	assert.Contains(t, read[0].Requests[0].Caller().Function, "TestHandler")
	var again bytes.Buffer
	require.NoError(t, httppool.WriteJSON(&again, read...))
	assert.Equal(t, string(written), again.String())
	_, err = httppool.ReadJSON(bytes.NewReader([]byte(`{}`)))
	require.ErrorContains(t, err, "schema")
}

func TestWhatComesFromOutsideIsPrintable(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, httppool.WriteText(&out, httppool.Snapshot{Name: "a\x1b[2Jb", Time: time.Now()}))
	assert.NotContains(t, out.String(), "\x1b")
	out.Reset()
	require.NoError(t, httppool.WriteText(&out))
	assert.Equal(t, "no pools\n", out.String())
	require.NoError(t, httppool.WriteText(io.Discard, httppool.Snapshot{}))
}
