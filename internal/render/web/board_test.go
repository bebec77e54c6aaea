package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func board(t *testing.T, addr string) *Board {
	t.Helper()
	b, err := StartBoard(addr, []string{"first", "second"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

func report(t *testing.T, to string, body string, headers ...string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to+"progress", bytes.NewBufferString(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode
}

func TestBoardShowsWhoIsWhere(t *testing.T) {
	t.Parallel()
	b := board(t, Default)
	require.Equal(t, 204, report(t, b.URL(), `{"name":" Ada\u202e  L. "}`))
	require.Equal(t, 204, report(t, b.URL(), `{"name":"<b>Bob</b>","exercise":"first","checks":1}`))
	require.Equal(t, 204, report(t, b.URL(), `{"name":"<b>Bob</b>","exercise":"first","checks":2,"done":true}`))
	require.Equal(t, 204, report(t, b.URL(), `{"name":"<b>Bob</b>","exercise":"first","checks":3}`))
	resp, err := http.Get(b.URL() + "board") //nolint:noctx // it is on loopback
	require.NoError(t, err)
	defer resp.Body.Close()
	var shown struct {
		Exercises    []string
		Participants []Participant
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&shown))
	require.Equal(t, []string{"first", "second"}, shown.Exercises)
	require.Len(t, shown.Participants, 2)
	require.Equal(t, "<b>Bob</b>", shown.Participants[0].Name)
	require.Equal(t, Progress{"<b>Bob</b>", "first", true, 3, 0}, shown.Participants[0].Work[0].Progress, "what is done stays done")
	require.Equal(t, "Ada\ufffd L.", shown.Participants[1].Name)
	require.Empty(t, shown.Participants[1].Work)
}

func TestBoardCountsMinutesUntilItIsDone(t *testing.T) {
	t.Parallel()
	b := Board{names: map[string][]Work{}}
	began := time.Unix(1e9, 0)
	b.enter(Progress{Name: "Ada", Exercise: "first", Checks: 1}, began)
	b.enter(Progress{Name: "Ada", Exercise: "first", Checks: 2, Done: true}, began.Add(7*time.Minute))
	b.enter(Progress{Name: "Ada", Exercise: "first", Checks: 3, Done: true}, began.Add(time.Hour))
	work := b.Participants()[0].Work[0]
	require.Equal(t, 7, work.Minutes())
	require.Equal(t, 3, work.Checks)
}

// A participant may have worked before the board hears of it.
func TestBoardCountsMinutesFromTheStart(t *testing.T) {
	t.Parallel()
	b := Board{names: map[string][]Work{}}
	now := time.Unix(1e9, 0)
	b.enter(Progress{Name: "Ada", Exercise: "first", Checks: 1, Took: 12 * 60}, now)
	require.Equal(t, 12, b.Participants()[0].Work[0].Minutes())
	b.enter(Progress{Name: "Ada", Exercise: "first", Checks: 2, Took: 15 * 60}, now.Add(3*time.Minute))
	require.Equal(t, 15, b.Participants()[0].Work[0].Minutes())
	b.enter(Progress{Name: "Ada", Exercise: "second", Checks: 4, Took: 20 * 60, Done: true}, now.Add(time.Hour))
	require.Equal(t, 20, b.Participants()[0].Work[1].Minutes(), "done before it joined")
}

func TestBoardTakesNothingElse(t *testing.T) {
	t.Parallel()
	b := board(t, Default)
	const good = `{"name":"Ada"}`
	require.Equal(t, 403, report(t, b.URL(), good, "Origin", "http://evil.example"))
	require.Equal(t, 400, report(t, b.URL(), good, "Content-Type", "text/plain"))
	for _, body := range []string{
		"", `{"name":""}`, `{"name":"Ada","exercise":"third"}`, `{"name":"Ada","checks":-1}`, `{"name":"Ada","took_s":-1}`, `{"name":"Ada","code":"x"}`,
		fmt.Sprintf(`{"name":%q}`, strings.Repeat("x", LongestName+1)), fmt.Sprintf(`{"name":%q}`, strings.Repeat("x", largestProgress)),
	} {
		require.Equal(t, 400, report(t, b.URL(), body), body)
	}
	require.Empty(t, b.Participants())
	for i := range mostParticipants {
		require.True(t, b.enter(Progress{Name: fmt.Sprint(i)}, time.Now()))
	}
	require.Equal(t, 503, report(t, b.URL(), good))
	require.Equal(t, 204, report(t, b.URL(), `{"name":"7","exercise":"first"}`), "who is there stays")
}

func TestBoardForOtherMachinesHasAToken(t *testing.T) {
	t.Parallel()
	b := board(t, "0.0.0.0:0")
	require.True(t, b.Beyond())
	root := strings.Join(strings.SplitN(b.URL(), "/", 4)[:3], "/") + "/"
	require.Equal(t, 403, report(t, root, `{"name":"Ada"}`))
	require.Equal(t, 204, report(t, b.URL(), `{"name":"Ada"}`))
	resp, err := http.Get(b.URL()) //nolint:noctx // it is on this machine
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Contains(t, resp.Header.Get("Content-Security-Policy"), "default-src 'none'")
}
