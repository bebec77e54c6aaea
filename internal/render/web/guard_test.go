package web

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ask sends a request to the page with the Host and the headers given.
func ask(t *testing.T, s *Server, method, path, host string, headers ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, fmt.Sprintf("http://127.0.0.1:%d%s", s.Port(), path), nil)
	require.NoError(t, err)
	if host != "" {
		req.Host = host
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	require.NoError(t, err)
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func TestHeadersLetThePageUseItsOwnFilesAlone(t *testing.T) {
	t.Parallel()
	s := page(t)
	for _, path := range []string{"/", "/app.js", "/chart.js", "/style.css", "/palette.css", "/uPlot.iife.min.js", "/uPlot.min.css", "/uPlot.LICENSE", "/icon.svg"} {
		resp := ask(t, s, http.MethodGet, path, "")
		require.Equal(t, http.StatusOK, resp.StatusCode, path)
		policy := resp.Header.Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'")
		require.Contains(t, policy, "frame-ancestors 'none'")
		require.NotContains(t, policy, "unsafe")
		require.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"))
		require.Equal(t, "no-referrer", resp.Header.Get("Referrer-Policy"))
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NotEmpty(t, body)
		if strings.HasSuffix(path, "/") {
			require.NotContains(t, string(body), "//", "the page names another site")
			require.NotContains(t, string(body), "style=")
		}
	}
	require.Equal(t, http.StatusNotFound, ask(t, s, http.MethodGet, "/web.go", "").StatusCode)
	require.Equal(t, http.StatusNotFound, ask(t, s, http.MethodGet, "/assets/", "").StatusCode)
}

func TestOnlyReadersOfThisMachineAreAnswered(t *testing.T) {
	t.Parallel()
	s := page(t)
	own := fmt.Sprintf("127.0.0.1:%d", s.Port())
	for _, c := range []struct {
		want    int
		method  string
		host    string
		headers []string
	}{
		{200, "GET", own, nil},
		{200, "HEAD", own, nil},
		{200, "GET", "localhost:8080", nil}, // through a tunnel
		{200, "GET", "[::1]:80", nil},
		{200, "GET", own, []string{"Origin", "http://" + own}},
		{200, "GET", own, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}},
		{421, "GET", "evil.example", nil},
		{421, "GET", "localhost.evil.example:80", nil},
		{421, "GET", "192.0.2.1:80", nil},
		{403, "GET", own, []string{"Origin", "http://evil.example"}},
		{403, "GET", own, []string{"Origin", "null"}},
		{403, "GET", own, []string{"Origin", "http://" + own, "Origin", "http://evil.example"}},
		{403, "GET", own, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}},
		{405, "POST", own, nil},
		{405, "PUT", own, nil},
		{405, "DELETE", own, nil},
		{405, "OPTIONS", own, nil},
	} {
		for _, path := range []string{"/", "/app.js"} {
			resp := ask(t, s, c.method, path, c.host, c.headers...)
			require.Equal(t, c.want, resp.StatusCode, "%+v", c)
		}
		if c.want != 200 {
			require.Equal(t, c.want, ask(t, s, c.method, "/events", c.host, c.headers...).StatusCode, "%+v", c)
		}
	}
	require.Equal(t, 200, ask(t, s, "HEAD", "/events", own).StatusCode)
	require.False(t, s.Beyond())
	require.Equal(t, "http://"+own+"/", s.URL())
}

func TestBeyondThisMachineTheAddressHasAToken(t *testing.T) {
	t.Parallel()
	s, err := Start("0.0.0.0:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.True(t, s.Beyond())
	_, path, _ := strings.Cut(strings.TrimPrefix(s.URL(), "http://"), "/")
	require.Greater(t, len(path), 26)
	require.Equal(t, 403, ask(t, s, "GET", "/", "").StatusCode)
	require.Equal(t, 403, ask(t, s, "GET", "/events", "").StatusCode)
	require.Equal(t, 403, ask(t, s, "GET", "/AAAAAAAAAAAAAAAAAAAAAAAAAA/", "").StatusCode)
	for _, name := range []string{"", "app.js", "style.css"} {
		require.Equal(t, 200, ask(t, s, "GET", "/"+path+name, "192.0.2.1:80").StatusCode, name)
	}
	require.Equal(t, 421, ask(t, s, "GET", "/"+path, "evil.example").StatusCode)

	other, err := Start("0.0.0.0:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, other.Close()) })
	require.NotContains(t, other.URL(), path, "each has its own")
}

func TestAddressThatCannotBeUsedIsAnError(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for _, addr := range []string{"8080", "localhost:x", taken.Addr().String()} {
		_, err := Start(addr)
		require.ErrorContains(t, err, "page")
	}
}

// A body that is announced and never comes keeps no connection.
func TestNoBodyIsWaitedFor(t *testing.T) {
	t.Parallel()
	s := page(t)
	for _, ask := range []string{"GET /", "HEAD /events", "POST /guess", "PUT /", "GET /nowhere"} {
		t.Run(ask, func(t *testing.T) {
			t.Parallel()
			c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.Port()))
			require.NoError(t, err)
			defer c.Close()
			require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
			_, err = fmt.Fprintf(c, "%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n", ask)
			require.NoError(t, err)
			_, err = io.Copy(io.Discard, c)
			require.NoError(t, err, "the connection is still open")
		})
	}
}
