// Package bench measures what holding a request, sending on time, client-side counting
// and counting sockets cost, each against peers in the same run, and writes a Markdown
// document. It is a test, because only those who work on the lab need it:
//
//	scripts/bench               # writes docs/benchmarks.md
//	scripts/bench --dry-run     # prints the document only
package bench

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// options is what a user may ask for.
type options struct {
	slowserver string
	sockwatch  string
	old        string // "" where there is none
	history    string // its source; "" where there is none
	runs       int
	conns      int
	only       string
	document   string
}

var flags = options{runs: 5, conns: 10_000}

func init() {
	flag.StringVar(&flags.slowserver, "slowserver", "", "the slowserver `program` to measure")
	flag.StringVar(&flags.sockwatch, "sockwatch", "", "the sockwatch `program` to measure")
	flag.StringVar(&flags.old, "old", "", "the sockwatch `program` of an earlier commit to compare with")
	flag.StringVar(&flags.history, "history", "", "the `folder` with the source of that commit")
	flag.StringVar(&flags.only, "only", "", "one `section` only: "+sectionNames())
	flag.IntVar(&flags.runs, "runs", flags.runs, "repetitions of each measurement")
	flag.IntVar(&flags.conns, "conns", flags.conns, "requests to hold at once, a connection each")
	flag.StringVar(&flags.document, "document", "", "the `file` to write")
}

// TestMain lets the test binary play the workers that the benchmarks start.
func TestMain(m *testing.M) {
	workers["watch"] = sockwatchWatch
	if len(os.Args) > 1 && workers[os.Args[1]] != nil {
		ctx, stop := interruptible(context.Background())
		defer stop()
		if err := workers[os.Args[1]](ctx, os.Args[2:], os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
}

type section struct {
	name    string
	measure func(context.Context, options, *neighbours) (table, error)
}

// sections are the measurements, in the document's order.
var sections = []section{
	{"holding", measureHolding},
	{"answers", measureAnswers},
	{"arrivals", measureArrivals},
	{"load", measureLoad},
	{"counters", measureCounters},
	{"counting", measureCounting},
	{"owners", measureOwners},
	{"growth", measureGrowth},
	{"watching", measureWatching},
	{"exporter", measureExporter},
	{"where", measureWhere},
	{"recordings", measureRecordings},
	{"commands", measureCommands},
	{"catalogue", measureCatalogue},
	{"start", measureStart},
}

func sectionNames() string {
	var names []string
	for _, s := range sections {
		names = append(names, s.name)
	}
	return strings.Join(names, ", ")
}

// TestPeers is what scripts/bench runs. It writes no document where it could not
// measure, and fails where a bar is missed, with a document.
func TestPeers(t *testing.T) {
	o := flags
	if o.slowserver == "" || o.sockwatch == "" || o.document == "" {
		t.Skip("measures for minutes: scripts/bench builds what it needs, and runs it")
	}
	require.Positive(t, min(o.runs, o.conns), "-runs and -conns")
	o.old = oldBuildOf(o.old)
	chosen := slices.Clone(sections)
	if o.only != "" {
		chosen = slices.DeleteFunc(chosen, func(s section) bool { return s.name != o.only })
	}
	require.NotEmpty(t, chosen, "-only %s is no section: use one of %s", o.only, sectionNames())
	ctx, stop := interruptible(t.Context())
	defer stop()

	doc := document{began: time.Now(), runs: o.runs, command: commandLine()}
	wanted := o.conns
	o.conns = min(wanted, mostConns())
	if o.conns < wanted {
		doc.limits = fmt.Sprintf("The descriptor limit of this machine allows %d connections in place of %d; raise it with `ulimit -Hn`.", o.conns, wanted)
		t.Log(doc.limits)
	}
	others := &neighbours{progress: os.Stderr}
	for _, s := range chosen {
		measured, err := s.measure(ctx, o, others)
		require.NoError(t, err)
		doc.tables = append(doc.tables, measured)
	}
	doc.neighbours = others.text()
	require.NoError(t, os.WriteFile(o.document, []byte(doc.markdown()), 0o644))
	require.Empty(t, doc.missed(), "bars that were missed")
}

// commandLine is how to repeat this run from the repository's root.
func commandLine() string {
	var given []string
	flag.Visit(func(f *flag.Flag) {
		if slices.Contains([]string{"only", "runs", "conns"}, f.Name) {
			given = append(given, "-"+f.Name, f.Value.String())
		}
	})
	if len(given) == 0 {
		return "scripts/bench"
	}
	return "scripts/bench --dry-run " + strings.Join(given, " ")
}

// mostConns is how many connections one process may hold here. Both ends of
// every connection are descriptors, but of two processes with a limit each.
func mostConns() int {
	const others = 100 // files, pipes, pollers: a few dozen at most
	limit, ok := fdLimit()
	if !ok {
		return 1 << 30
	}
	return max(limit-others, 1)
}
