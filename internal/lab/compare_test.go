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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/lab"
	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
)

// theirProgram makes the test binary a program of a user's, who knows nothing
// of sockwatch.
const theirProgram = "their-program"

// requests is how many requests a user's client makes.
const requests = 20

// theirs is the user's program: "leaky URL FILE" and "healthy URL FILE" are
// clients that stay until FILE is there, "serve ADDR" is a server.
func theirs(args []string) {
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
		os.Exit(1)
	}
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
func leakyAndHealthy(t *testing.T) (c lab.Comparison, begin *lab.Begin) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "seen")
	begin = &lab.Begin{}
	seen := 0
	opened := func(s lab.SideSample, n int) bool {
		established := s.Client.Of(socketstats.Established)
		return established == n && s.Server.Of(socketstats.Established) == n
	}
	return lab.Comparison{
		Commands: lab.Commands{Faulty: their(t, "leaky {url}", file), Fixed: their(t, "healthy {url}", file)},
		For:      time.Minute, Interval: 50 * time.Millisecond, Source: socketstats.Gopsutil{},
		Behaviour: scenario.Server{Protocol: scenario.DefaultProtocol},
		Observe: func(e lab.Event) {
			switch {
			case e.Begin != nil:
				*begin = *e.Begin
			case e.Sample != nil && opened(e.Sample.Faulty, requests) && opened(e.Sample.Fixed, 1):
				if e.Sample.Fixed.Report.Knows("requests") && e.Sample.Fixed.Report.Requests.OK < requests {
					return
				}
				if seen++; seen == 3 {
					if err := os.WriteFile(file, nil, 0o600); err != nil {
						t.Error(err)
					}
				}
			}
		},
	}, begin
}

func requireGone(t *testing.T, begin *lab.Begin) {
	t.Helper()
	for _, at := range []lab.Endpoint{begin.FaultyAt, begin.FixedAt} {
		for _, pid := range []int{at.ClientPID, at.ServerPID} {
			require.Positive(t, pid)
			require.ErrorIs(t, socketstats.CheckProcess(int32(pid)), socketstats.ErrNoProcess)
		}
	}
}

func TestCompareCountsProgramsThatKnowNothingOfUs(t *testing.T) {
	t.Parallel()
	for _, name := range socketstats.SourceNames() {
		if name == socketstats.Auto {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source, err := socketstats.OpenSource(name)
			if err != nil {
				t.Skip(err)
			}
			c, begin := leakyAndHealthy(t)
			c.Source = source
			run, err := lab.Compare(t.Context(), c)
			require.NoError(t, err)
			require.Empty(t, run.Stopped)
			require.Equal(t, c.Commands, *run.Commands)
			require.Equal(t, "ab", run.Scenario)

			require.Equal(t, requests, run.Faulty.Client.Peak.Of(socketstats.Established))
			require.Equal(t, requests, run.Faulty.Server.Peak.Of(socketstats.Established))
			require.Equal(t, 1, run.Fixed.Client.Peak.Of(socketstats.Established))
			require.EqualValues(t, requests, run.Faulty.Report.Connections.Opened)
			require.EqualValues(t, 0, run.Faulty.Report.Connections.Reused)
			require.EqualValues(t, 1, run.Fixed.Report.Connections.Opened)
			require.EqualValues(t, requests-1, run.Fixed.Report.Connections.Reused)
			for _, side := range scenario.Sides() {
				r := run.Of(side).Report
				require.EqualValues(t, requests, r.Requests.Sent, side)
				require.EqualValues(t, requests, r.Requests.OK, side)
				require.Zero(t, r.Requests.Failed, side)
				require.Zero(t, r.Requests.InFlight, side)
				require.Empty(t, r.Failure, side)
				require.True(t, r.Done && r.Final, side)
				require.True(t, r.Knows("requests.sent") && r.Knows("connections.opened"), side)
				require.False(t, r.Knows("process.fds_peak") || r.Knows("latency_ms"), side)
				require.Zero(t, run.Of(side).Client.Final.Of(socketstats.Established), "the last sample is after the end")
				atWork := run.Of(side).Client.Series[:run.AtWork(side)]
				require.NotEmpty(t, atWork, side)
				require.Equal(t, run.Of(side).Client.Peak.Of(socketstats.Established),
					atWork[len(atWork)-1].Counts.Of(socketstats.Established), "the last one at work")
				if name == "sockdiag" {
					require.Equal(t, int(r.Connections.Opened), run.Of(side).Connections.Opened, side)
				}
			}
			requireGone(t, begin)
		})
	}
}

func TestCompareWithAServerOfTheUsers(t *testing.T) {
	t.Parallel()
	for _, name := range socketstats.SourceNames() {
		if name == socketstats.Auto {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source, err := socketstats.OpenSource(name)
			if err != nil {
				t.Skip(err)
			}
			c, begin := leakyAndHealthy(t)
			c.Source, c.Server = source, their(t, "serve {addr}")
			run, err := lab.Compare(t.Context(), c)
			require.NoError(t, err)
			require.NotEqual(t, begin.FaultyAt.Server, begin.FixedAt.Server)
			require.Equal(t, requests, run.Faulty.Client.Peak.Of(socketstats.Established))
			require.Equal(t, 1, run.Fixed.Client.Peak.Of(socketstats.Established))
			for side, opened := range map[scenario.Side]int64{scenario.Faulty: requests, scenario.Fixed: 1} {
				r := run.Of(side).Report
				require.False(t, r.Knows("requests") || r.Knows("connections.reused"))
				require.Equal(t, name == "sockdiag", r.Knows("connections.opened"), "the kernel knows")
				if name == "sockdiag" {
					require.Equal(t, opened, r.Connections.Opened, side)
				}
			}
			requireGone(t, begin)
		})
	}
}

func TestComparisonIsRecordedLikeAnyRun(t *testing.T) {
	t.Parallel()
	c, _ := leakyAndHealthy(t)
	var recording bytes.Buffer
	out, observe := json.NewEncoder(&recording), c.Observe
	c.Observe = func(e lab.Event) {
		require.NoError(t, out.Encode(e))
		observe(e)
	}
	run, err := lab.Compare(t.Context(), c)
	require.NoError(t, err)
	again := &lab.Run{}
	for in := json.NewDecoder(&recording); in.More(); {
		var e lab.Event
		require.NoError(t, in.Decode(&e))
		again.Add(e)
	}
	want, err := json.Marshal(run)
	require.NoError(t, err)
	got, err := json.Marshal(again)
	require.NoError(t, err)
	require.JSONEq(t, string(want), string(got))
}

// comparisonOf is a comparison of two commands for sh.
func comparisonOf(t *testing.T, faulty, fixed string) lab.Comparison {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("these commands are for sh")
	}
	return lab.Comparison{
		Commands: lab.Commands{Faulty: faulty, Fixed: fixed},
		For:      time.Minute, Interval: 50 * time.Millisecond, Source: socketstats.Gopsutil{},
		Behaviour: scenario.Server{Protocol: scenario.DefaultProtocol},
	}
}

func TestClientThatFailsDoesNotEndTheRun(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "done")
	c := comparisonOf(t, "echo out of luck at {port} >&2; exit 7", their(t, "healthy {url}", file))
	c.Observe = func(e lab.Event) {
		if e.Sample != nil && e.Sample.Faulty.Report.Failure != "" && e.Sample.Fixed.Report.Requests.OK == requests {
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Error(err)
			}
		}
	}
	run, err := lab.Compare(t.Context(), c)
	require.NoError(t, err)
	require.Regexp(t, `^the command ended with exit status 7\n  out of luck at \d+$`, run.Faulty.Report.Failure)
	require.Empty(t, run.Fixed.Report.Failure)
	require.Empty(t, run.Stopped)
	require.EqualValues(t, requests, run.Fixed.Report.Requests.OK, "the other side went on")
}

func TestCommandThatCannotBeRunIsAnError(t *testing.T) {
	t.Parallel()
	run, err := lab.Compare(t.Context(), comparisonOf(t, "sleep 60 # {url}", "no-such-program {url}"))
	require.ErrorIs(t, err, lab.ErrNotRun)
	require.ErrorContains(t, err, "client of the fixed side: the command could not be run: exit status 127\n  sh: ")
	require.ErrorContains(t, err, "no-such-program")
	require.Contains(t, run.Stopped, "could not be run")
}

func TestClientsAreEndedWhenTheirTimeIsOver(t *testing.T) {
	t.Parallel()
	c := comparisonOf(t, "sleep 60 # {url}", "sleep 60 # {url}")
	var begin *lab.Begin
	c.For = 300 * time.Millisecond
	c.Observe = func(e lab.Event) {
		if e.Begin != nil {
			begin = e.Begin
		}
	}
	run, err := lab.Compare(t.Context(), c)
	require.NoError(t, err)
	require.Empty(t, run.Stopped)
	require.Empty(t, run.Faulty.Report.Failure, "it is we who ended it")
	require.False(t, run.Faulty.Report.Done)
	require.Equal(t, len(run.Faulty.Samples), run.AtWork(scenario.Faulty))
	if runtime.GOOS == "linux" {
		require.Positive(t, run.Limits.Descriptors)
	}
	require.GreaterOrEqual(t, run.Duration, c.For)
	requireGone(t, begin)
}

func TestServerThatEndsIsAnError(t *testing.T) {
	t.Parallel()
	c := comparisonOf(t, "sleep 60 # {url}", "sleep 60 # {url}")
	c.Server = "echo port {port} is not for me >&2; exit 3"
	_, err := lab.Compare(t.Context(), c)
	require.Regexp(t, `^the server of the faulty side ended before it listened on 127\.0\.0\.1:(\d+): exit status 3\n  port \d+ is not for me$`, err.Error())

	c.Server = their(t, "serve {addr}")
	c.Observe = func(e lab.Event) {
		if e.Begin == nil {
			return
		}
		p, err := os.FindProcess(e.Begin.FixedAt.ServerPID)
		require.NoError(t, err)
		require.NoError(t, p.Kill())
	}
	run, err := lab.Compare(t.Context(), c)
	require.EqualError(t, err, "the server of the fixed side ended in mid-run: signal: killed")
	require.Equal(t, 1, run.Faulty.Server.Final.Of(socketstats.Listen), "what was seen is kept")
}

func TestInterruptedComparisonKeepsWhatItSaw(t *testing.T) {
	t.Parallel()
	c, begin := leakyAndHealthy(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	observe := c.Observe
	c.Observe = func(e lab.Event) {
		if e.Sample == nil {
			observe(e)
		} else if e.Sample.Faulty.Report.Requests.OK == requests {
			cancel()
		}
	}
	run, err := lab.Compare(ctx, c)
	require.ErrorIs(t, err, lab.ErrInterrupted)
	require.Equal(t, "interrupted", run.Stopped)
	require.Equal(t, requests, run.Faulty.Client.Final.Of(socketstats.Established))
	requireGone(t, begin)
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

func TestPlacesInCommandsAreFilledIn(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "said")
	c := comparisonOf(t, `port=x; echo {url} {addr} {host} {port} %{url} ${port} {ports} >'`+file+`'`, "true {url}")
	var begin *lab.Begin
	c.Observe = func(e lab.Event) {
		if e.Begin != nil {
			begin = e.Begin
		}
	}
	_, err := lab.Compare(t.Context(), c)
	require.NoError(t, err)
	said, err := os.ReadFile(file)
	require.NoError(t, err)
	host, port, err := net.SplitHostPort(begin.FaultyAt.Server)
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
		"no place":         {func(c *lab.Comparison) { c.Faulty = "curl ${url}" }, `faulty "curl ${url}" would not talk to its side's server: write {url}`},
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
			c.Observe = func(lab.Event) { t.Error("it began") }
			test.change(&c)
			_, err := lab.Compare(t.Context(), c)
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestTitleIsOneShortLine(t *testing.T) {
	t.Parallel()
	c := comparisonOf(t, "true  {url}\t"+strings.Repeat("x", 100), "true {url}")
	run, err := lab.Compare(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, "true {url} "+strings.Repeat("x", 21)+"… against true {url}", run.Title)
}
