package scenarios_test

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
	"socketlab/scenarios"
)

// A figure in a lesson's prose is one that its script sets or checks, or that
// its code has: what was measured once, on some machine, is not to be promised.
// So a figure is a bound, or it has an expectation.
func TestFiguresOfLessonsAreChecked(t *testing.T) {
	t.Parallel()
	for _, id := range scenarios.IDs() {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			script, err := scenarios.Script(id)
			require.NoError(t, err)
			known := knownFigures(t, id, script.Speed)
			var unknown []string
			for _, f := range figuresIn(prose(scenarios.Lesson(id))) {
				if !known[f.figure] {
					unknown = append(unknown, f.where)
				}
			}
			require.Empty(t, unknown, "neither in scenario.yaml nor in the code, and no fact of facts")
		})
	}
}

// facts are figures that are no matter of a scenario: what a kernel, Go or a
// standard does everywhere. Each is a phrase, so that the number alone is not
// free to mean something else.
var facts = map[string]string{
	`for 60 s|after 60 s|60 s each`:               "Linux: TCP_TIMEWAIT_LEN, and the default of net.ipv4.tcp_fin_timeout",
	`28,000( local)? ports|about 28,000 of them`:  "Linux: the default of net.ipv4.ip_local_port_range, 32768 to 60999",
	`about 470 requests a second`:                 "those ports over those 60 s",
	`a probe every 15 s`:                          "net.Dialer: the default of KeepAliveConfig.Idle and Interval",
	`up\s+to\s+256 KiB,? and for 50 ms at\s+most`: "net/http of Go 1.27: the limits of the drain on Close",
	`MaxIdleConnsPerHost is 2`:                    "net/http.DefaultMaxIdleConnsPerHost",
	`\b(204|502)\b`:                               "RFC 9110, sections 15.3.5 and 15.6.3",
	`2 KiB`:                                       "net/http: maxBodySlurpSize, of a redirect's body in Client.do",
	`only after 30 minutes`:                       "google.golang.org/grpc: the default of WithIdleTimeout",
	`40 ms of nothing|for 40 ms on Linux|ten times 40 ms|always the same: 40 ms`: "Linux: TCP_DELACK_MIN, the least delay of an acknowledgement",
	`some 15 minutes|for 15 minutes`:                                             "Linux: the default of net.ipv4.tcp_retries2, 15 retransmissions",
	`15 times by default`:                                                        "the same",
	`least 200 ms|the 200 ms`:                                                    "Linux: TCP_RTO_MIN",
	`\(Kubernetes: 30 s by default\)`:                                            "Kubernetes: terminationGracePeriodSeconds",
}

// exempt are what has digits and is no figure.
var exempt = []string{
	"(?s)```.*?```",    // code, and what a terminal shows
	`<!-- go: .*? -->`, // versions
	"`[^`]*`",          // code in a line
	`(?s)\n## A question\n.*?\n## The answer\n`, // a question supposes
	`(?s)\nSeen in .*?\n\n`,                     // what the thread says that is named there
	`https?://\S+`, `[\w./-]*#\d+`,              // addresses and threads
	`HTTP/\d(\.\d)?`, `TLS 1\.\d`, `Go 1\.\d+`, `RFC\s+\d+`, `[Ss]ections?\s+\d[\d.]*`, `\d+(\.\d+){2,}`,
	`\b808[12]\b`, // the ports that every lesson plays with
	`terminal\s+(after|within)\s+(the\s+first\s+)?\d+\s+seconds`, // when to type, not what is seen
}

func prose(lesson string) string {
	for _, pattern := range exempt {
		lesson = regexp.MustCompile(pattern).ReplaceAllString(lesson, "\n\n")
	}
	for phrase := range facts {
		lesson = regexp.MustCompile(strings.ReplaceAll(phrase, " ", `\s+`)).ReplaceAllString(lesson, "")
	}
	return statuses.ReplaceAllString(lesson, "$1")
}

// statuses are answers, and no seconds: the 503s.
var statuses = regexp.MustCompile(`\b([45]\d\d)s\b`)

// figure is a number, or a time in nanoseconds.
type figure struct {
	value float64
	timed bool
}

type quoted struct {
	figure
	where string
}

var (
	number = regexp.MustCompile(`\d+(?:,\d{3})*(?:\.\d+)?`)
	unit   = regexp.MustCompile(`^[\s-]?(ns|µs|ms|milliseconds?|s|seconds?|min|minutes?|h|hours?|KiB|MiB|GiB)\b`)
	units  = map[string]float64{
		"ns": 1, "µs": 1e3, "ms": 1e6, "millisecond": 1e6, "s": 1e9, "second": 1e9, "min": 60e9, "minute": 60e9,
		"h": 3600e9, "hour": 3600e9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
	}
)

// figuresIn are the numbers of a text with their units; those inside names, such
// as FIN_WAIT2 and p50, are none, but one that ends a name is: HTTP_503.
func figuresIn(text string) []quoted {
	var found []quoted
	for _, at := range number.FindAllStringIndex(text, -1) {
		before := strings.TrimRight(text[:at[0]], "0123456789")
		if r := last(before); unicode.IsLetter(r) {
			continue
		}
		f := figure{}
		f.value, _ = strconv.ParseFloat(strings.ReplaceAll(text[at[0]:at[1]], ",", ""), 64)
		end := at[1]
		if u := unit.FindStringSubmatch(text[end:]); u != nil {
			name := u[1]
			if len(name) > 3 {
				name = strings.TrimSuffix(name, "s")
			}
			f.value *= units[name]
			f.timed = !strings.HasSuffix(name, "iB")
			end += len(u[0])
		}
		f.value = rounded(f.value)
		from, to := max(0, at[0]-30), min(len(text), end+30)
		found = append(found, quoted{f, fmt.Sprintf("%s in %q", text[at[0]:end], strings.ToValidUTF8(text[from:to], ""))})
	}
	return found
}

func last(text string) rune {
	runes := []rune(text[max(0, len(text)-4):])
	if len(runes) == 0 {
		return ' '
	}
	return runes[len(runes)-1]
}

// rounded is value with as many digits as anybody writes, so that a time over a
// speed is the same number however it was come by.
func rounded(value float64) float64 {
	short, err := strconv.ParseFloat(strconv.FormatFloat(value, 'g', 9, 64), 64)
	if err != nil {
		return math.NaN()
	}
	return short
}

// comments say what nobody checks.
var (
	yamlComment = regexp.MustCompile(`(?m)(^|\s)#.*$`)
	goComment   = regexp.MustCompile(`(?m)(^|\s)//.*$`)
	goTime      = regexp.MustCompile(`\b(?:(\d+)\s*\*\s*)?time\.(Millisecond|Second|Minute|Hour)\b`)
)

// knownFigures are those of the script, and of the code of both sides. A time is
// known as it is written, and as it is played at the script's own speed.
func knownFigures(t *testing.T, id string, speed float64) map[figure]bool {
	t.Helper()
	sources := yamlComment.ReplaceAllString(scriptFile(t, id), "")
	for _, side := range scenario.Sides() {
		code := goComment.ReplaceAllString(scenarios.Code(id, side), "")
		sources += "\n" + goTime.ReplaceAllStringFunc(code, func(s string) string {
			m := goTime.FindStringSubmatch(s)
			return cmp.Or(m[1], "1") + " " + strings.ToLower(m[2])
		})
	}
	known := map[figure]bool{}
	for _, f := range figuresIn(sources) {
		known[f.figure] = true
		if f.timed {
			known[figure{rounded(f.value / speed), true}] = true
		}
	}
	return known
}

func scriptFile(t *testing.T, id string) string {
	t.Helper()
	data, err := os.ReadFile(id + "/scenario.yaml")
	require.NoError(t, err)
	return string(data)
}

func TestFiguresAreReadWithTheirUnits(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]figure{
		"120s, 2 minutes":             {{120e9, true}, {120e9, true}},
		"1.5 s and 1500\nms":          {{1.5e9, true}, {1.5e9, true}},
		"50 sockets, 28,000 ports":    {{50, false}, {28000, false}},
		"16 KiB, HTTP_503, FIN_WAIT2": {{16384, false}, {503, false}},
		"p50 >= 55ms":                 {{55e6, true}},
		"75 % of 1.5 a second":        {{75, false}, {1.5, false}},
	} {
		var got []figure
		for _, f := range figuresIn(text) {
			got = append(got, f.figure)
		}
		require.Equal(t, want, got, text)
	}
}
