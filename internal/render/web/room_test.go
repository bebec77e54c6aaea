package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/series"
)

// tab is a page that is open, as its server sees it.
type tab struct {
	t    *testing.T
	s    *Server
	id   string
	body *bufio.Reader
	stop func()
	ends *time.Timer // what is waited for gets a minute
}

func sit(t *testing.T, s *Server, number int) *tab {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	ends := time.AfterFunc(time.Minute, cancel)
	id := fmt.Sprintf("%032x", number)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+"events?viewer="+id, nil)
	require.NoError(t, err)
	resp, err := (&http.Transport{}).RoundTrip(req)
	require.NoError(t, err)
	t.Cleanup(func() { resp.Body.Close() })
	return &tab{t, s, id, bufio.NewReader(resp.Body), cancel, ends}
}

// until reads on to a state of the room, and of the newest run.
func (v *tab) until(good func(roomState, begin) bool) (state roomState, run begin) {
	v.t.Helper()
	v.ends.Reset(time.Minute)
	kind := ""
	for {
		text, err := v.body.ReadString('\n')
		require.NoError(v.t, err, "the stream ended at %+v", state)
		switch name, value, _ := strings.Cut(strings.TrimSpace(text), ": "); {
		case name == "event":
			kind = value
			continue
		case name != "data":
			continue
		case kind == "room":
			state = roomState{}
			require.NoError(v.t, json.Unmarshal([]byte(value), &state))
		case kind == "begin":
			run = begin{}
			require.NoError(v.t, json.Unmarshal([]byte(value), &run))
		}
		if good(state, run) {
			return state, run
		}
	}
}

// post sends what a page sends.
func (v *tab) post(path, body string, headers ...string) int {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, v.s.URL()+path, bytes.NewBufferString(body))
	require.NoError(v.t, err)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	require.NoError(v.t, err)
	require.NoError(v.t, resp.Body.Close())
	return resp.StatusCode
}

func (v *tab) guess(poll string, n int) int {
	return v.post("guess", fmt.Sprintf(`{"viewer":%q,"poll":%q,"guess":%d}`, v.id, poll, n))
}

// gather waits for a run with n viewers, and returns them, the first of whom is the
// presenter, the run's question, and what is closed when the run may begin.
func gather(t *testing.T, s *Server, n int) ([]*tab, string, <-chan string) {
	t.Helper()
	lines := s.Gather(t.Context(), *header().Header)
	var tabs []*tab
	poll := ""
	for i := range n {
		v := sit(t, s, i)
		state, run := v.until(func(state roomState, run begin) bool { return run.Waiting && state.Viewers == i+1 })
		require.Equal(t, i == 0, state.Presenter, "the first is the presenter")
		require.True(t, state.Accepting)
		require.NotEmpty(t, run.Question)
		poll = run.Poll
		tabs = append(tabs, v)
	}
	return tabs, poll, lines
}

func TestGuessesAreCollectedBeforeTheRunAndShownAfterIt(t *testing.T) {
	t.Parallel()
	s := page(t)
	tabs, poll, lines := gather(t, s, 3)
	require.Equal(t, 204, tabs[1].guess(poll, 40))
	require.Equal(t, 204, tabs[2].guess(poll, 7))
	for line := range lines {
		if line == "3 viewers, 2 guesses." {
			break
		}
	}
	state, _ := tabs[0].until(func(state roomState, _ begin) bool { return state.Guessed == 2 })
	require.Empty(t, state.Guesses, "not before it is over")

	// One guess a viewer, and only the presenter starts the run.
	require.Equal(t, 409, tabs[1].guess(poll, 50))
	start := func(v *tab) int { return v.post("start", fmt.Sprintf(`{"viewer":%q,"poll":%q}`, v.id, poll)) }
	require.Equal(t, 403, start(tabs[1]))
	require.Equal(t, 204, start(tabs[0]))
	for range lines { // it is closed
	}
	require.Empty(t, s.Guesses())
	s.Show(header())
	_, run := tabs[0].until(func(state roomState, run begin) bool { return run.Poll != "" && !run.Waiting && !state.Accepting })
	require.Equal(t, poll, run.Poll, "it is the same question")
	require.Equal(t, 409, tabs[0].guess(poll, 5), "too late")
	require.Equal(t, 409, start(tabs[0]), "it has begun")
	s.Show(sample(24))
	s.Finish()
	state, _ = tabs[1].until(func(state roomState, _ begin) bool { return state.Result != "" })
	require.Equal(t, []int{7, 40}, state.Guesses)
	require.Equal(t, "2 guesses, from 7 to 40, median 23.5. Measured: 50 sockets, client end.", state.Result)
	require.Equal(t, state.Result, s.Guesses(), "the terminal says the same")
}

// A run that does not wait takes guesses until its end; a watch takes none.
func TestRunThatBeginsAtOnceTakesGuessesToo(t *testing.T) {
	t.Parallel()
	s := page(t)
	v := sit(t, s, 1)
	s.Show(header())
	_, run := v.until(func(state roomState, run begin) bool { return run.Question != "" })
	require.Equal(t, 204, v.guess(run.Poll, 3))
	s.Show(series.Event{Header: &series.Header{Target: &series.Target{}}})
	_, next := v.until(func(state roomState, again begin) bool { return again.Poll != "" && !state.Accepting })
	require.NotEqual(t, run.Poll, next.Poll)
	require.Equal(t, 409, v.guess(run.Poll, 3), "another question")
	require.Equal(t, 409, v.guess(next.Poll, 3), "no question")
}

func TestWhatIsNoGuessIsRefused(t *testing.T) {
	t.Parallel()
	s := page(t)
	tabs, poll, _ := gather(t, s, 2)
	v := tabs[1]
	good := fmt.Sprintf(`{"viewer":%q,"poll":%q,"guess":1}`, v.id, poll)
	require.Equal(t, 403, v.post("guess", good, "Origin", "http://evil.example"))
	require.Equal(t, 403, v.post("guess", good, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors"))
	require.Equal(t, 403, v.post("start", good, "Origin", "http://evil.example"))
	require.Equal(t, 400, v.post("guess", good, "Content-Type", "text/plain"), "a form of another site could send that")
	require.Equal(t, 403, v.post("guess", strings.Replace(good, v.id, fmt.Sprintf("%032x", 99), 1)), "who has no page open")
	require.Equal(t, 409, v.guess("another", 1))
	for _, body := range []string{"", "null", `{"guess":1.5}`, `{"guess":"<b>"}`, `{"name":"x"}`, `{"viewer":"` + strings.Repeat("0", 300) + `"}`} {
		require.Contains(t, []int{400, 403}, v.post("guess", body), body)
	}
	require.Equal(t, 400, v.guess(poll, -1))
	require.Equal(t, 400, v.guess(poll, largestGuess+1))
	require.Equal(t, 204, v.guess(poll, largestGuess))
	for i := 3; i < mostTries; i++ {
		require.Equal(t, 409, v.guess(poll, 1))
	}
	require.Equal(t, 429, v.guess(poll, 1))
	require.Equal(t, 204, tabs[0].guess(poll, 1), "another viewer is not held up")
}

func TestPresenterWhoLeavesIsFollowedByTheNextAndComesBack(t *testing.T) {
	t.Parallel()
	s := page(t)
	tabs, _, _ := gather(t, s, 2)
	tabs[0].stop()
	tabs[1].until(func(state roomState, _ begin) bool { return state.Presenter && state.Viewers == 1 })
	sit(t, s, 0)
	tabs[1].until(func(state roomState, _ begin) bool { return !state.Presenter && state.Viewers == 2 })
}

func TestViewersAreBounded(t *testing.T) {
	t.Parallel()
	var r room
	r.open("x")
	for i := range mostViewers {
		r.come(fmt.Sprintf("%032x", i), false)
	}
	r.come(strings.Repeat("a", 32), true)
	require.Len(t, r.viewers, mostViewers)
	require.Empty(t, r.presenter(), "who is one too many only looks on")
	r.come("<script>", true)()
	require.Len(t, r.viewers, mostViewers)
	for _, v := range r.viewers {
		v.streams = 0
	}
	r.come(strings.Repeat("a", 32), true)
	require.Len(t, r.viewers, 1, "those who left make room")
	require.NotEmpty(t, r.presenter())
}

// Beyond this machine the presenter is sent the address, and its code.
func TestPresenterIsOnThisMachine(t *testing.T) {
	t.Parallel()
	s, err := Start("0.0.0.0:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	tabs, _, _ := gather(t, s, 1)
	state, _ := sit(t, s, 7).until(func(state roomState, _ begin) bool { return state.Viewers == 2 })
	require.Empty(t, state.Address)
	state, _ = tabs[0].until(func(state roomState, _ begin) bool { return state.Viewers == 2 })
	require.Equal(t, s.URL(), state.Address)
	require.Equal(t, 200, ask(t, s, "GET", "/"+strings.SplitN(s.URL(), "/", 4)[3]+"qr.svg", "").StatusCode)

	request := func(remote, local string) bool {
		r := (&http.Request{RemoteAddr: remote}).WithContext(context.WithValue(t.Context(), http.LocalAddrContextKey, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(local))))
		return onThisMachine(r)
	}
	require.True(t, request("127.0.0.1:5", "127.0.0.1:80"))
	require.True(t, request("[::1]:5", "[::1]:80"))
	require.True(t, request("192.0.2.1:5", "192.0.2.1:80"), "its own address of the network")
	require.False(t, request("192.0.2.2:5", "192.0.2.1:80"))
}
