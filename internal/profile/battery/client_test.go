package battery_test

import (
	"bufio"
	"cmp"
	"context"
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

	"socketlab/internal/profile"
	"socketlab/internal/profile/battery"
)

// makeCalls is a client with net/http's default transport, or a new one for each call.
func makeCalls() {
	var calls sync.WaitGroup
	defer calls.Wait()
	if idle, err := time.ParseDuration(os.Getenv("BATTERY_TEST_IDLE")); err == nil {
		http.DefaultTransport.(*http.Transport).IdleConnTimeout = idle
	}
	if os.Getenv("BATTERY_TEST_HOSTS") == "cached" {
		http.DefaultTransport.(*http.Transport).DialContext = cachedHosts()
	}
	lines, n := bufio.NewScanner(os.Stdin), 0
	for lines.Scan() {
		number, url, _ := strings.Cut(lines.Text(), " ")
		n++
		first := n == 1
		calls.Go(func() {
			client := http.DefaultClient
			if first && os.Getenv("BATTERY_TEST_FIRST") == "new" || os.Getenv("SOCKETLAB_CLIENT") == "new" {
				client = &http.Client{Transport: &http.Transport{}}
			}
			req, err := http.NewRequest(os.Getenv("SOCKETLAB_METHOD"), url, strings.NewReader("x"))
			if err != nil {
				panic(err)
			}
			resp, err := client.Do(req)
			if err == nil {
				if os.Getenv("SOCKETLAB_BODY") == "read" {
					_, err = io.Copy(io.Discard, resp.Body)
				}
				_ = resp.Body.Close()
			}
			if err != nil {
				fmt.Println(number, "error")
				return
			}
			fmt.Println(number, "ok")
		})
	}
}

// cachedHosts reads /etc/hosts again when its time is another one, in whole seconds, as
// AnyEvent does in Perl.
func cachedHosts() func(ctx context.Context, network, addr string) (net.Conn, error) {
	var read int64
	known := map[string]string{}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		file, err := os.Stat("/etc/hosts")
		if err != nil {
			return nil, err
		}
		if now := file.ModTime().Unix(); now != read {
			text, err := os.ReadFile("/etc/hosts")
			if err != nil {
				return nil, err
			}
			read = now
			for line := range strings.Lines(string(text)) {
				if words := strings.Fields(line); len(words) > 1 {
					known[words[1]] = words[0]
				}
			}
		}
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(cmp.Or(known[host], host), port))
	}
}

func TestAChangeOfHostsIsOneOfItsTimeInSeconds(t *testing.T) {
	t.Parallel()
	p := measure(t, battery.Client{Command: "BATTERY_TEST_HOSTS=cached SELF"})
	if why := p.NotMeasured["dns_change"]; strings.Contains(why, "mount namespace") {
		t.Skip(why)
	}
	require.Equal(t, "at once", answers(p, map[string]string{"dns_change": ""})["dns_change"])
}

func needsUnix(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("a client is profiled on Linux and macOS only")
	}
}

func measure(t *testing.T, client battery.Client) *profile.Profile {
	t.Helper()
	needsUnix(t)
	self, err := os.Executable()
	require.NoError(t, err)
	client.Supervisor = []string{self, battery.Supervisor}
	client.Command = strings.ReplaceAll(client.Command, "SELF", "BATTERY_TEST_PROGRAM=client '"+self+"'")
	client.Wait = 2 * time.Second
	p, err := client.Measure(t.Context())
	require.NoError(t, err)
	return p
}

// answers are those that the test knows, in words.
func answers(p *profile.Profile, known map[string]string) map[string]string {
	is := map[string]string{}
	for id := range known {
		is[id] = p.NotMeasured[id]
		if v, ok := p.Value(id); ok {
			is[id] = v.String()
		}
	}
	return is
}

func TestNetHTTPIsMeasured(t *testing.T) {
	t.Parallel()
	p := measure(t, battery.Client{Command: "SELF", Can: []battery.Ability{battery.Unread, battery.New}})
	known := map[string]string{
		"opened_sequential": "1", "left_sequential": "1", "opened_parallel": "20", "left_parallel": "2",
		"new_client_left": "20", "new_client_closed_left": "say --can closed if COMMAND follows SOCKETLAB_CLIENT=closed",
		"idle_close": "> 2s", "idle_closed_by": "neither", "honours_hint": "no",
		"stale_get": "new_connection", "stale_post": "new_connection",
		"race_post": "error", "read_then_closed_post": "error",
		"redirect_opened": "1", "redirect_left": "1",
		"connection_close_honoured": "yes", "http10_reused": "closes",
		"refused": "at once", "reset": "at once", "reset_tries": "1",
		"headers_stalled": "> 2s", "body_stalled": "> 2s",
		"h2_used": "yes", "h2_goaway": "repeated", "h2_ping": "> 2s",
	}
	if runtime.GOOS == "linux" {
		known["connect_stalled"], known["tcp_keepalive"], known["user_timeout"] = "> 2s", "30.0s", "never"
	}
	require.Equal(t, known, answers(p, known))
}

// It closes within 2.5 s of the hint, which is no answer to it.
func TestAClientThatClosesSoonerThanTheHintIsNotSaidToHonourIt(t *testing.T) {
	t.Parallel()
	p := measure(t, battery.Client{Command: "BATTERY_TEST_IDLE=1s SELF"})
	require.Contains(t, p.NotMeasured["honours_hint"], "without a hint", "%v", p.Values)
	require.NotContains(t, p.Values, "honours_hint")
}

func TestACommandThatEndsWithItsCallIsMeasured(t *testing.T) {
	t.Parallel()
	p := measure(t, battery.Client{Command: "echo 1 {url} | SELF | grep -q ok"})
	known := map[string]string{
		"opened_sequential": "20", "left_sequential": "0", "opened_parallel": "20",
		"stale_get": "COMMAND makes one call and ends: its connections end with it",
	}
	require.Equal(t, known, answers(p, known))
}

// Of the processes that leave bodies unread one opens a connection more, as a client does in
// which a close overtakes the body's end.
func TestTheFewestConnectionsCountWhereBodiesAreLeftUnread(t *testing.T) {
	t.Parallel()
	once := filepath.Join(t.TempDir(), "once")
	p := measure(t, battery.Client{
		Command: `[ "$SOCKETLAB_BODY" = unread ] && mkdir '` + once + `' 2>/dev/null && export BATTERY_TEST_FIRST=new; export SOCKETLAB_BODY=read; SELF`,
		Can:     []battery.Ability{battery.Unread},
	})
	require.DirExists(t, once)
	known := map[string]string{"opened_unread_small": "1", "left_unread_small": "1", "opened_unread_large": "1", "left_unread_large": "1"}
	require.Equal(t, known, answers(p, known))
}

func TestWhyACommandEndedIsSaid(t *testing.T) {
	t.Parallel()
	// As Node does where a scheme is not known to its client: a trace, and its version last.
	p := measure(t, battery.Client{Command: `case $SOCKETLAB_URL in https:*) cat >&2 <<'END'
node:internal/errors:1
TypeError [ERR_INVALID_PROTOCOL]: Protocol "https:" not supported
    at new ClientRequest

Node.js v20.20.2
END
exit 1;; esac; SELF`})
	require.Equal(t, `a call with TLS: COMMAND has ended; it says: TypeError [ERR_INVALID_PROTOCOL]: Protocol "https:" not supported`, p.NotMeasured["h2_used"])
}

func TestACommandThatMakesNoCallsIsAnError(t *testing.T) {
	t.Parallel()
	needsUnix(t)
	self, err := os.Executable()
	require.NoError(t, err)
	for command, says := range map[string]string{
		"echo broken >&2; exit 3":                            "COMMAND has ended\nbroken",
		"while read -r n url; do echo $n ok; done":           "no request came",
		"while read -r n url; do echo $n ECONNREFUSED; done": `reported "ECONNREFUSED" for its first call`,
	} {
		_, err := battery.Client{Supervisor: []string{self, battery.Supervisor}, Command: command}.Measure(t.Context())
		require.ErrorContains(t, err, says)
	}
}

// What was measured before an interruption is there, and nothing is taken for measured that
// the interruption ended.
func TestAClientMeasuredInPart(t *testing.T) {
	t.Parallel()
	needsUnix(t)
	self, err := os.Executable()
	require.NoError(t, err)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	measured := 0
	p, err := battery.Client{
		Supervisor: []string{self, battery.Supervisor}, Command: "BATTERY_TEST_PROGRAM=client '" + self + "'",
		Progress: func(done, of int, _ string) {
			require.Less(t, done, of)
			measured++
			interrupt()
		},
	}.Measure(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 1, measured, "those that were cut off are not counted")
	require.NotEmpty(t, p.Values)
	require.Equal(t, "interrupted", p.NotMeasured["idle_close"])
}
