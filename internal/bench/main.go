// Bench measures what holding a request, sending on time, client-side counting and
// counting sockets cost, each against peers in the same run, and prints a
// Markdown document.
//
// Usage:
//
//	scripts/bench               # writes docs/benchmarks.md
//	scripts/bench --dry-run     # prints the document only
//
//	go build -o bin/ ./cmd/slowserver ./cmd/sockwatch
//	go run ./internal/bench -slowserver bin/slowserver -sockwatch bin/sockwatch
//
// It exits with 1 when a bar is missed, after printing the document, or when
// it could not measure; then it prints none.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	args := os.Args[1:]
	var err error
	if len(args) > 0 && workers[args[0]] != nil {
		err = workers[args[0]](ctx, args[1:], os.Stdout)
	} else {
		err = bench(ctx, args, os.Stdout, os.Stderr)
	}
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(2)
	default:
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

var (
	errUsage  = errors.New("wrong command line")
	errMissed = errors.New("a bar was missed")
)

// options is what a user may ask for.
type options struct {
	slowserver string
	sockwatch  string
	runs       int
	conns      int
}

type section struct {
	name    string
	measure func(context.Context, options, *neighbours) (table, error)
}

// sections are the measurements, in the document's order.
var sections = []section{
	{"holding", measureHolding},
	{"arrivals", measureArrivals},
	{"counters", measureCounters},
	{"counting", measureCounting},
}

func bench(ctx context.Context, args []string, out, progress io.Writer) error {
	var o options
	var only string
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.StringVar(&o.slowserver, "slowserver", "", "the slowserver `program` to measure (required)")
	f.StringVar(&o.sockwatch, "sockwatch", "", "the sockwatch `program` to measure (required)")
	f.StringVar(&only, "only", "", "one `section` only: holding, arrivals, counters or counting")
	f.IntVar(&o.runs, "runs", 5, "repetitions of each measurement")
	f.IntVar(&o.conns, "conns", 10_000, "requests to hold at once, a connection each")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage // flag has said what is wrong
	}
	switch {
	case f.NArg() > 0:
		return fmt.Errorf("%w: %q is not a flag", errUsage, f.Arg(0))
	case o.slowserver == "" || o.sockwatch == "":
		return fmt.Errorf("%w: -slowserver or -sockwatch is missing; scripts/bench builds them and gives them", errUsage)
	case o.runs < 1 || o.conns < 1:
		return fmt.Errorf("%w: -runs and -conns must be at least 1", errUsage)
	}
	chosen := sections
	if only != "" {
		chosen = slices.DeleteFunc(slices.Clone(sections), func(s section) bool { return s.name != only })
	}
	if len(chosen) == 0 {
		return fmt.Errorf("%w: -only %s is no section: use holding, arrivals, counters or counting", errUsage, only)
	}

	doc := document{began: time.Now(), runs: o.runs, command: commandLine(f)}
	wanted := o.conns
	o.conns = min(wanted, mostConns())
	if o.conns < wanted {
		doc.limits = fmt.Sprintf("The descriptor limit of this machine allows %d connections in place of %d; raise it with `ulimit -Hn`.", o.conns, wanted)
		fmt.Fprintln(progress, "bench: "+doc.limits)
	}
	others := &neighbours{progress: progress}
	for _, s := range chosen {
		t, err := s.measure(ctx, o, others)
		if err != nil {
			return err
		}
		doc.tables = append(doc.tables, t)
	}
	doc.neighbours = others.text()
	if _, err := io.WriteString(out, doc.markdown()); err != nil {
		return err
	}
	if missed := doc.missed(); len(missed) > 0 {
		return fmt.Errorf("%w: %s", errMissed, strings.Join(missed, "; "))
	}
	return nil
}

// commandLine is how to repeat this run from the repository's root.
func commandLine(f *flag.FlagSet) string {
	var given []string
	f.Visit(func(f *flag.Flag) {
		if f.Name != "slowserver" && f.Name != "sockwatch" {
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
