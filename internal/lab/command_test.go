package lab_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/lab"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// theirProgram makes the test binary a program of a user's, who knows nothing
// of sockwatch.
const theirProgram = "their-program"

// requests is how many requests a user's client makes.
const requests = 20

// theirs is the user's program: "leaky URL FILE" and "healthy URL FILE" are
// clients that stay until FILE is there, "serve ADDR" is a server.
func theirs(args []string) int {
	switch args[0] {
	case "leaky":
		for range requests { // a transport for each
			fetch(&http.Client{Transport: &http.Transport{}}, args[1])
		}
		awaitFile(args[2])
	case "healthy":
		for range requests {
			fetch(http.DefaultClient, args[1])
		}
		awaitFile(args[2])
	case "serve":
		err := http.ListenAndServe(args[1], http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "hello")
		}))
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func fetch(c *http.Client, url string) {
	resp, err := c.Get(url)
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// awaitFile waits for a file; not for ever, so that no test leaves us behind.
func awaitFile(file string) {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(file); err == nil {
			return
		}
	}
	os.Exit(2)
}

// their is a command that runs the user's program.
func their(t *testing.T, args ...string) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	return self + " " + theirProgram + " " + strings.Join(args, " ")
}

// leakyAndHealthy compares two clients that end once three samples showed all
// their connections.
func leakyAndHealthy(t *testing.T) lab.Comparison {
	t.Helper()
	file := filepath.Join(t.TempDir(), "seen")
	seen := 0
	established := func(s *series.Sample, n int) bool {
		return s.Client.Counts.Of(socketstats.Established) == n && s.Server.Counts.Of(socketstats.Established) == n
	}
	return lab.Comparison{
		Commands: series.Commands{Faulty: their(t, "leaky {url}", file), Fixed: their(t, "healthy {url}", file)},
		For:      time.Minute, Interval: 50 * time.Millisecond, Source: socketstats.Gopsutil{},
		Behaviour: scenario.Server{Protocol: scenario.DefaultProtocol},
		Observe: func(e series.Event) {
			if e.Moment == nil {
				return
			}
			faulty, fixed := &e.Moment.Subjects[0].Sample, &e.Moment.Subjects[1].Sample
			if !established(faulty, requests) || !established(fixed, 1) || fixed.Requests != nil && fixed.Requests.OK < requests {
				return
			}
			if seen++; seen == 3 {
				if err := os.WriteFile(file, nil, 0o600); err != nil {
					t.Error(err)
				}
			}
		},
	}
}

// requireGone requires that the processes of a comparison are no more.
func requireGone(t *testing.T, o *series.Observation) {
	t.Helper()
	for _, s := range o.Subjects {
		for _, pid := range pids(s.Endpoints) {
			require.Positive(t, pid)
			require.ErrorIs(t, socketstats.CheckProcess(int32(pid)), socketstats.ErrNoProcess)
		}
	}
}

// forEachSource runs a test with every source that works here.
func forEachSource(t *testing.T, test func(t *testing.T, name string, source socketstats.Source)) {
	for _, name := range socketstats.SourceNames() {
		if name == socketstats.Auto {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, name, sourceOrSkip(t, name))
		})
	}
}

func TestCompareCountsProgramsThatKnowNothingOfUs(t *testing.T) {
	t.Parallel()
	forEachSource(t, func(t *testing.T, name string, source socketstats.Source) {
		c := leakyAndHealthy(t)
		c.Source = source
		o, err := lab.Compare(t.Context(), c)
		require.NoError(t, err)
		require.Empty(t, o.Stopped)
		require.Equal(t, c.Commands, *o.Commands)
		require.Nil(t, o.Scenario)

		for id, opened := range map[string]int{"faulty": requests, "fixed": 1} {
			s := o.Subject(id)
			most := s.Peak(socketstats.Client).Of(socketstats.Established)
			require.Equal(t, opened, most, id)
			require.Equal(t, opened, s.Peak(socketstats.Server).Of(socketstats.Established), id)
			r := s.Final
			require.EqualValues(t, opened, r.Connections.Opened, id)
			require.EqualValues(t, requests-opened, *r.Connections.Reused, id)
			require.EqualValues(t, requests, r.Requests.Sent, id)
			require.EqualValues(t, requests, r.Requests.OK, id)
			require.Zero(t, r.Requests.Failed, id)
			require.Zero(t, r.Requests.InFlight, id)
			require.Empty(t, r.Failure, id)
			require.True(t, s.Last().Ended, id)
			require.Nil(t, r.Process, "what nobody counts is not known")
			require.Nil(t, r.Latency, id)
			require.Nil(t, r.Requests.Attempts, id)
			require.Zero(t, s.Now(socketstats.Client).Of(socketstats.Established), "the last sample is after the end")
			atWork := s.AtWork()
			require.NotEmpty(t, atWork, id)
			require.True(t, slices.ContainsFunc(atWork, func(s series.Sample) bool { return s.Client.Counts.Of(socketstats.Established) == most }), id) // the last one may be amid its end
			if name == "sockdiag" {
				require.Equal(t, opened, r.KernelConns.Opened, id)
			}
		}
		requireGone(t, o)
	})
}

func TestCompareWithAServerOfTheUsers(t *testing.T) {
	t.Parallel()
	forEachSource(t, func(t *testing.T, name string, source socketstats.Source) {
		c := leakyAndHealthy(t)
		c.Source, c.Server = source, their(t, "serve {addr}")
		o, err := lab.Compare(t.Context(), c)
		require.NoError(t, err)
		require.NotEqual(t, o.Subjects[0].Endpoints.Server, o.Subjects[1].Endpoints.Server)
		for id, opened := range map[string]int{"faulty": requests, "fixed": 1} {
			s := o.Subject(id)
			require.Equal(t, opened, s.Peak(socketstats.Client).Of(socketstats.Established), id)
			require.Nil(t, s.Final.Requests, id)
			require.Nil(t, s.Final.Connections, id)
			if name != "sockdiag" {
				require.Nil(t, s.KernelConns(), id)
				continue
			}
			require.InDelta(t, opened, value(t, s, "connections.opened"), 0, "the kernel knows")
		}
		requireGone(t, o)
	})
}

func TestComparisonIsRecordedLikeAnyRun(t *testing.T) {
	t.Parallel()
	c := leakyAndHealthy(t)
	var recording bytes.Buffer
	out, observe := json.NewEncoder(&recording), c.Observe
	c.Observe = func(e series.Event) {
		require.NoError(t, out.Encode(e))
		observe(e)
	}
	o, err := lab.Compare(t.Context(), c)
	require.NoError(t, err)
	sameAgain(t, o, &recording)
}

// comparisonOf is a comparison of two commands for sh.
func comparisonOf(t *testing.T, faulty, fixed string) lab.Comparison {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("these commands are for sh")
	}
	return lab.Comparison{
		Commands: series.Commands{Faulty: faulty, Fixed: fixed},
		For:      time.Minute, Interval: 50 * time.Millisecond, Source: socketstats.Gopsutil{},
		Behaviour: scenario.Server{Protocol: scenario.DefaultProtocol},
	}
}

func TestClientThatFailsDoesNotEndTheRun(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "done")
	c := comparisonOf(t, "echo out of luck at {port} >&2; exit 7", their(t, "healthy {url}", file))
	c.Observe = func(e series.Event) {
		if e.Moment != nil && e.Moment.Subjects[0].Ended && e.Moment.Subjects[1].Requests.OK == requests {
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Error(err)
			}
		}
	}
	o, err := lab.Compare(t.Context(), c)
	require.NoError(t, err)
	require.Regexp(t, `^the command ended with exit status 7\n  out of luck at \d+$`, o.Subject("faulty").Final.Failure)
	require.Empty(t, o.Subject("fixed").Final.Failure)
	require.Empty(t, o.Stopped)
	require.EqualValues(t, requests, o.Subject("fixed").Final.Requests.OK, "the other side went on")
}

func TestCommandThatCannotBeRunIsAnError(t *testing.T) {
	t.Parallel()
	o, err := lab.Compare(t.Context(), comparisonOf(t, "sleep 60 # {url}", "no-such-program {url}"))
	require.ErrorIs(t, err, lab.ErrNotRun)
	require.ErrorContains(t, err, "client of the fixed side: the command could not be run: exit status 127\n  sh: ")
	require.ErrorContains(t, err, "no-such-program")
	require.Contains(t, o.Stopped, "could not be run")
}

func TestClientsAreEndedWhenTheirTimeIsOver(t *testing.T) {
	t.Parallel()
	c := comparisonOf(t, "sleep 60 # {url}", "sleep 60 # {url}")
	c.For = 300 * time.Millisecond
	began := time.Now()
	o, err := lab.Compare(t.Context(), c)
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(began), c.For)
	require.Empty(t, o.Stopped)
	faulty := o.Subject("faulty")
	require.Empty(t, faulty.Final.Failure, "it is we who ended it")
	require.False(t, faulty.Last().Ended)
	require.Len(t, faulty.AtWork(), len(faulty.Samples))
	if runtime.GOOS == "linux" {
		require.Positive(t, faulty.Limits.Descriptors)
	}
	requireGone(t, o)
}

func TestServerThatEndsIsAnError(t *testing.T) {
	t.Parallel()
	c := comparisonOf(t, "sleep 60 # {url}", "sleep 60 # {url}")
	c.Server = "echo port {port} is not for me >&2; exit 3"
	_, err := lab.Compare(t.Context(), c)
	require.Regexp(t, `^the server of the faulty side ended before it listened on 127\.0\.0\.1:(\d+): exit status 3\n  port \d+ is not for me$`, err.Error())

	c.Server = their(t, "serve {addr}")
	server, counts := 0, 0
	c.Observe = func(e series.Event) {
		if e.Header != nil {
			server = e.Header.Subjects[1].Endpoints.ServerPID
		}
		if e.Moment == nil {
			return
		}
		if counts++; counts == 1 {
			p, err := os.FindProcess(server)
			require.NoError(t, err)
			require.NoError(t, p.Kill())
		}
	}
	o, err := lab.Compare(t.Context(), c)
	require.EqualError(t, err, "the server of the fixed side ended in mid-run: signal: killed")
	require.Equal(t, 1, o.Subject("faulty").Now(socketstats.Server).Of(socketstats.Listen), "what was seen is kept")
}

func TestInterruptedComparisonKeepsWhatItSaw(t *testing.T) {
	t.Parallel()
	c := leakyAndHealthy(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c.Observe = func(e series.Event) {
		if e.Moment != nil && e.Moment.Subjects[0].Client.Counts.Of(socketstats.Established) == requests {
			cancel()
		}
	}
	o, err := lab.Compare(ctx, c)
	require.ErrorIs(t, err, lab.ErrInterrupted)
	require.Equal(t, "interrupted", o.Stopped)
	require.Equal(t, requests, o.Subject("faulty").Now(socketstats.Client).Of(socketstats.Established))
	requireGone(t, o)
}

func TestWhatClientsSayIsPassedOnWithTheirSide(t *testing.T) {
	t.Parallel()
	c := comparisonOf(t, "echo one {host}; echo two >&2", "printf three # {url}")
	var said safeBuffer
	c.Output = &said
	_, err := lab.Compare(t.Context(), c)
	require.NoError(t, err)
	require.Contains(t, said.String(), "faulty: one 127.0.0.1\n")
	require.Contains(t, said.String(), "faulty: two\n")
	require.Contains(t, said.String(), "fixed: three")
}

type safeBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func TestPlaceholdersInCommandsAreFilledIn(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "said")
	c := comparisonOf(t, `port=x; echo {url} {addr} {host} {port} %{url} ${port} {ports} >'`+file+`'`, "true {url}")
	o, err := lab.Compare(t.Context(), c)
	require.NoError(t, err)
	said, err := os.ReadFile(file)
	require.NoError(t, err)
	host, port, err := net.SplitHostPort(o.Subject("faulty").Endpoints.Server)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1", host)
	require.Equal(t, fmt.Sprintf("http://127.0.0.1:%s/ 127.0.0.1:%s 127.0.0.1 %s %%{url} x {ports}\n", port, port, port), string(said))
}

func TestComparisonIsCheckedBeforeAnythingStarts(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*lab.Comparison)
		want   string
	}{
		"empty":            {func(c *lab.Comparison) { c.Fixed = " " }, "fixed is empty: give the command"},
		"no placeholder":   {func(c *lab.Comparison) { c.Faulty = "curl ${url}" }, `faulty "curl ${url}" would not talk to its side's server: write {url}`},
		"server, no port":  {func(c *lab.Comparison) { c.Server = "serve {host}" }, "would not listen where its side's client expects it"},
		"too long":         {func(c *lab.Comparison) { c.For = 2 * time.Hour }, "for 2h0m0s is not between 0 and 1h0m0s"},
		"no time":          {func(c *lab.Comparison) { c.For = 0 }, "for 0s is not between"},
		"too often":        {func(c *lab.Comparison) { c.Interval = time.Millisecond }, "interval 1ms is not between 20ms and"},
		"fewer than once":  {func(c *lab.Comparison) { c.Interval = time.Hour }, "interval 1h0m0s is not between"},
		"server is spaces": {func(c *lab.Comparison) { c.Server = " " }, "server is empty"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := comparisonOf(t, "a {url}", "b {url}")
			c.Observe = func(series.Event) { t.Error("it began") }
			test.change(&c)
			_, err := lab.Compare(t.Context(), c)
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestTitleIsOneShortLine(t *testing.T) {
	t.Parallel()
	c := comparisonOf(t, "true  {url}\t"+strings.Repeat("x", 100), "true {url}")
	o, err := lab.Compare(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, "true {url} "+strings.Repeat("x", 21)+"… against true {url}", o.Title)
}
