package play

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/life"
	"socketlab/internal/worker/netns"
)

// The test binary is also the supervisor of a namespace, and the player inside.
func TestMain(m *testing.M) {
	if os.Getenv("LIFE_TEST_WORKER") == "supervisor" {
		os.Unsetenv("LIFE_TEST_WORKER")
		os.Exit(netns.Supervise())
	}
	if len(os.Args) == 4 && os.Args[1] == "inside" {
		inside(os.Args[2], os.Args[3] == "ss")
	}
	os.Exit(m.Run())
}

// answer is written by the player inside.
type answer struct {
	Record    *life.Record
	Error     string
	Disturbed bool
}

func inside(variant string, ss bool) {
	watch := func(*life.Record) error { return nil }
	if ss {
		watch = asSS
	}
	var s answer
	var err error
	if s.Record, err = playWatched(context.Background(), variant, false, watch); err != nil {
		s = answer{Error: err.Error(), Disturbed: errors.Is(err, ErrDisturbed)}
	}
	if err := json.NewEncoder(os.Stdout).Encode(s); err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// namespace makes one, and skips the test where there can be none.
func namespace(t *testing.T) *netns.Namespace {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	supervisor := exec.Command(self)
	supervisor.Env = append(os.Environ(), "LIFE_TEST_WORKER=supervisor")
	n, err := netns.New(supervisor)
	if errors.Is(err, netns.ErrForbidden) {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Close()) })
	return n
}

// played plays a variant inside; it returns false if it was disturbed.
func played(t *testing.T, n *netns.Namespace, variant, watch string) (*life.Record, bool) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	output, theirs, err := os.Pipe()
	require.NoError(t, err)
	defer output.Close()
	p, err := n.Start([]string{self, "inside", variant, watch}, os.Stdin, theirs, os.Stderr)
	require.NoError(t, err)
	require.NoError(t, theirs.Close())
	text, err := io.ReadAll(output)
	require.NoError(t, err)
	require.NoError(t, p.Wait(), "%s", text)
	var s answer
	require.NoError(t, json.Unmarshal(text, &s), "%s", text)
	if strings.Contains(s.Error, errors.ErrUnsupported.Error()) {
		t.Skip(s.Error)
	}
	if s.Disturbed {
		t.Log(s.Error)
		return nil, false
	}
	require.Empty(t, s.Error)
	return s.Record, true
}

// tries bounds the plays that a busy machine disturbs.
const tries = 20

// eachVariant runs a test of each variant, until it was not disturbed.
func eachVariant(t *testing.T, test func(t *testing.T, variant string) bool) {
	for _, variant := range life.Names() {
		t.Run(variant, func(t *testing.T) {
			t.Parallel()
			for range tries {
				if test(t, variant) {
					return
				}
			}
			t.Fatalf("disturbed %d times", tries)
		})
	}
}

func TestARecordHasTheSegmentsThatTcpdumpCaptures(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"tcpdump", "nsenter"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
	if os.Geteuid() != 0 {
		t.Skip("tcpdump changes its user, for which a namespace has no second one: only root can start it from outside")
	}
	eachVariant(t, func(t *testing.T, variant string) bool {
		n := namespace(t)
		tcpdump := exec.Command("nsenter", "--net="+n.Proc()+"/ns/net",
			"tcpdump", "-Z", "root", "-i", "lo", "-n", "-S", "-vv", "-l", "--immediate-mode", "tcp port 8080")
		output, theirs, err := os.Pipe()
		require.NoError(t, err)
		defer output.Close()
		tcpdump.Stdout, tcpdump.Stderr = theirs, theirs
		require.NoError(t, tcpdump.Start())
		defer tcpdump.Wait()
		defer tcpdump.Process.Kill()
		require.NoError(t, theirs.Close())
		// What it never captures ends the reading, and shows in the comparison.
		defer time.AfterFunc(time.Minute, func() { _ = tcpdump.Process.Kill() }).Stop()
		lines := bufio.NewScanner(output)
		for lines.Scan() && !strings.Contains(lines.Text(), "istening on lo") {
			t.Log(lines.Text())
		}
		record, ok := played(t, n, variant, "none")
		if !ok {
			return false
		}
		var want []string
		for _, row := range record.Rows {
			if s := row.Segment; s != nil {
				want = append(want, fmt.Sprintf("%s %s %d %d %d", row.Who, s.Flags, s.Seq, s.Ack, s.Bytes))
			}
		}
		capture := &capture{port: record.ClientPort}
		for len(capture.segments) < len(want) && lines.Scan() {
			capture.add(t, lines.Text())
		}
		require.Equal(t, want, capture.segments)
		require.NoError(t, tcpdump.Process.Signal(os.Interrupt))
		for lines.Scan() {
			capture.add(t, lines.Text())
		}
		require.Equal(t, want, capture.segments, "and no more")
		return true
	})
}

// capture collects the segments of one client's port from tcpdump's lines.
type capture struct {
	port     uint16
	numbers  [2]numbering
	segments []string
}

var tcpdumpLine = regexp.MustCompile(`127\.0\.0\.1\.(\d+) > 127\.0\.0\.1\.(\d+): Flags \[([^\]]+)\].*? seq (\d+)(?::\d+)?(?:, ack (\d+))?.*, length (\d+)`)

// tcpdumpFlags maps tcpdump's letters (print-tcp.c) to our names.
var tcpdumpFlags = map[string]string{
	"S": "SYN", "S.": "SYN-ACK", ".": "ACK", "P.": "PSH-ACK", "F.": "FIN-ACK", "R": "RST", "R.": "RST-ACK",
}

func (c *capture) add(t *testing.T, line string) {
	m := tcpdumpLine.FindStringSubmatch(line)
	if m == nil {
		return // of its end
	}
	number := func(s string) uint32 {
		n, err := strconv.ParseUint("0"+s, 10, 32)
		require.NoError(t, err, line)
		return uint32(n)
	}
	from, to := uint16(number(m[1])), uint16(number(m[2]))
	if from != c.port && to != c.port {
		return
	}
	end, who := client, life.Client
	if from == serverPort {
		end, who = server, life.Server
	}
	own, other := &c.numbers[end], &c.numbers[1-end]
	seq, ack := number(m[4]), number(m[5])
	if !own.begun {
		*own = numbering{begun: true, first: seq}
	}
	if m[5] != "" {
		ack -= other.first
	}
	c.segments = append(c.segments, fmt.Sprintf("%s %s %d %d %d", who, tcpdumpFlags[m[3]], seq-own.first, ack, number(m[6])))
}

func TestARecordHasTheStatesThatSSShows(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("ss"); err != nil {
		t.Skip(err)
	}
	eachVariant(t, func(t *testing.T, variant string) bool {
		record, ok := played(t, namespace(t), variant, "ss")
		if ok {
			require.NotEmpty(t, record.Rows)
		}
		return ok
	})
}

// asSS holds the last row to what ss lists at the same time.
func asSS(r *life.Record) error {
	out, err := exec.Command("ss", "-tanH").Output()
	if err != nil {
		return err
	}
	listed := map[string]string{life.Client: life.None, life.Server: life.None}
	names := strings.NewReplacer("ESTAB", "ESTABLISHED", "UNCONN", "CLOSE", "FIN-WAIT-", "FIN_WAIT", "-", "_")
	at := func(port uint16) string { return fmt.Sprintf("127.0.0.1:%d", port) }
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		switch state := names.Replace(f[0]); {
		case f[3] == at(r.ClientPort) && f[4] == at(serverPort):
			listed[life.Client] = state
		case f[3] == at(serverPort) && f[4] == at(r.ClientPort):
			listed[life.Server] = state
		case state == "LISTEN" && listed[life.Server] == life.None:
			listed[life.Server] = state
		}
	}
	row := r.Rows[len(r.Rows)-1]
	for who, end := range map[string]life.End{life.Client: row.Client, life.Server: row.Server} {
		have, is := listed[who], end.State
		if have == "LISTEN" && is == life.None || is == "CLOSE" && (have == life.None || have == "LISTEN") {
			continue // a listener outlives its connection, and ss lists no socket in CLOSE
		}
		if have != is {
			return fmt.Errorf("the %s is %s, and ss shows %s:\n%s", who, is, have, out)
		}
	}
	return nil
}

// courses are the states of both ends, each once for the time that it lasts.
var courses = map[string][2]string{
	"normal": {
		"none CLOSE SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT",
		"CLOSE LISTEN SYN_RECV ESTABLISHED CLOSE_WAIT LAST_ACK none",
	},
	"refused":    {"CLOSE SYN_SENT CLOSE none", "none"},
	"reset":      {"none CLOSE SYN_SENT ESTABLISHED CLOSE none", "CLOSE LISTEN SYN_RECV ESTABLISHED none"},
	"half-close": {"none CLOSE SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT", "CLOSE LISTEN SYN_RECV ESTABLISHED CLOSE_WAIT LAST_ACK none"},
	"lost-fin":   {"none CLOSE SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT", "CLOSE LISTEN SYN_RECV ESTABLISHED CLOSE_WAIT LAST_ACK none"},
	"simultaneous-close": {
		"none CLOSE SYN_SENT ESTABLISHED FIN_WAIT1 CLOSING TIME_WAIT",
		"CLOSE LISTEN SYN_RECV ESTABLISHED FIN_WAIT1 CLOSING TIME_WAIT",
	},
	"tls":               {"none CLOSE SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT", "CLOSE LISTEN SYN_RECV ESTABLISHED CLOSE_WAIT LAST_ACK none"},
	"backlog-full":      {"none CLOSE SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT", "CLOSE LISTEN SYN_RECV ESTABLISHED CLOSE_WAIT LAST_ACK none"},
	"keep-alive-expiry": {"none CLOSE SYN_SENT ESTABLISHED CLOSE none", "CLOSE LISTEN SYN_RECV ESTABLISHED"},
	"linger-0":          {"none CLOSE SYN_SENT ESTABLISHED none", "CLOSE LISTEN SYN_RECV ESTABLISHED CLOSE none"},
}

func TestEachVariantTakesItsCourse(t *testing.T) {
	t.Parallel()
	eachVariant(t, func(t *testing.T, variant string) bool {
		record, ok := played(t, namespace(t), variant, "none")
		if !ok {
			return false
		}
		require.Equal(t, variant, record.Variant)
		require.NotEmpty(t, record.Title)
		var states [2][]string
		last := 0.0
		for i, row := range record.Rows {
			require.NotEmpty(t, row.Text, "step %d", i+1)
			require.NotEqual(t, row.Call == "", row.Segment == nil, "step %d is a call or a segment", i+1)
			require.GreaterOrEqual(t, row.AtMS, last)
			last = row.AtMS
			for end, of := range []life.End{row.Client, row.Server} {
				states[end] = append(states[end], of.State)
			}
		}
		for end, want := range courses[variant] {
			require.Equal(t, want, strings.Join(slices.Compact(states[end]), " "))
		}
		return true
	})
}
