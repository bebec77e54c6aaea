package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"socketlab/internal/cli/program"
	"socketlab/internal/observe"
	"socketlab/internal/render/report"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// checkOptions are what processes are held to.
type checkOptions struct {
	targetFlags
	most     map[string]*int // by the name of a state, or "open"; below 0 is no limit
	noGrowth bool
	noLeak   bool
	length   time.Duration
	junit    string
	format   program.Choice
}

// ceilings are the flags that limit a count, in the order in which they are
// checked.
var ceilings = []struct {
	flag  string
	what  string
	count func(socketstats.Counts) int
	state socketstats.State // 0 for open connections in any
}{
	{"max-open", "open connections", socketstats.Counts.Open, 0},
	{"max-established", "ESTABLISHED", of(socketstats.Established), socketstats.Established},
	{"max-close-wait", "CLOSE_WAIT", of(socketstats.CloseWait), socketstats.CloseWait},
	{"max-time-wait", "TIME_WAIT", of(socketstats.TimeWait), socketstats.TimeWait},
	{"max-syn-sent", "SYN_SENT", of(socketstats.SynSent), socketstats.SynSent},
}

func of(state socketstats.State) func(socketstats.Counts) int {
	return func(c socketstats.Counts) int { return c.Of(state) }
}

func checkCommand(streams program.Streams) *cobra.Command {
	var o checkOptions
	c := &cobra.Command{
		Use:   "check --pid N | --name S | --port N  --max-established N ... | --no-growth | --no-leak",
		Short: "Hold running processes to limits, for CI",
		Long: `Watches processes for a time and holds them to limits, in every count. The exit
code is 0 if all were kept, 3 if one was not, and 1 if the processes could not be
watched to the end. With --junit, CI shows each limit as a test.`,
		Example: `  sockwatch check --pid 4242 --max-established 50 --max-close-wait 0 --no-growth
  sockwatch check --name myservice --no-leak --for 1m --junit sockets.xml`,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.checkFlags(c); err != nil {
				return err
			}
			return o.run(c.Context(), streams)
		},
	}
	o.addFlags(c.Flags())
	return c
}

func (o *checkOptions) addFlags(f *pflag.FlagSet) {
	o.add(f, "a server's port on this machine: the connections to it")
	o.most = map[string]*int{}
	o.format = program.NewChoice("table", "table", "json")
	for _, l := range ceilings {
		o.most[l.flag] = f.Int(l.flag, -1, "most "+l.what+" in any count; below 0 is no limit")
		f.Lookup(l.flag).DefValue = ""
	}
	f.BoolVar(&o.noGrowth, "no-growth", false, "the open connections must not grow all the time")
	f.BoolVar(&o.noLeak, "no-leak", false, "the verdict must not be a leak (see diagnose)")
	f.DurationVar(&o.length, "for", 30*time.Second, "how long to watch")
	f.StringVar(&o.junit, "junit", "", "also write the result to this file, as JUnit XML")
	f.VarP(&o.format, "output", "o", "form of the result")
}

func (o *checkOptions) checkFlags(c *cobra.Command) error {
	limited := o.noGrowth || o.noLeak
	for _, n := range o.most {
		limited = limited || *n >= 0
	}
	switch {
	case !o.named():
		return program.Usagef(c, "nothing to check: give --pid, --name or --port")
	case !limited:
		return program.Usagef(c, "no limit to check: give --max-established, --max-close-wait, --no-growth or another")
	case o.length <= 0:
		return program.Usagef(c, "--for must be above 0")
	}
	if err := o.check(c); err != nil {
		return err
	}
	if counts := int(o.length/o.interval) + 1; (o.noGrowth || o.noLeak) && counts < verdict.Least {
		return program.Usagef(c, "a trend takes %d counts at least, and --for %s at --interval %s makes %d", verdict.Least, o.length, o.interval, counts)
	}
	return nil
}

func (o *checkOptions) run(ctx context.Context, streams program.Streams) error {
	target := o.target()
	target.Details = true
	f, err := o.open(ctx, target, o.length, streams.Err)
	if err != nil {
		return err
	}
	defer f.close()
	var h observe.History
	worst := map[string]*ceiling{}
	err = f.follow(ctx, func(s observe.Snapshot) error {
		h.Add(s)
		for _, l := range ceilings {
			if most := *o.most[l.flag]; most >= 0 {
				n := s.Count(l.count)
				if w := worst[l.flag]; w == nil || n > w.count {
					worst[l.flag] = &ceiling{n, s.After, named(f.watcher.Listed(l.state), n > most)}
				}
			}
		}
		return nil
	})
	if h.Len() == 0 {
		return interruptedOr(ctx, err)
	}
	if errors.Is(err, observe.ErrGone) {
		err = fmt.Errorf("%w after %s of %s", err, h.Last().After.Round(100*time.Millisecond), o.length)
	}
	failed := err
	if ctx.Err() != nil {
		failed = errors.New("interrupted")
	}
	return firstOf(interruptedOr(ctx, err), o.finish(streams, &h, worst, failed))
}

// ceiling is the most that was seen of what has a limit.
type ceiling struct {
	count   int
	after   time.Duration
	sockets []string // only above the limit
}

// named names sockets, if they are over a limit: those that have said nothing
// for the longest.
func named(sockets []socketstats.Socket, over bool) []string {
	if !over {
		return nil
	}
	const most = 10
	var lines []string
	for i, s := range sockets {
		if i == most {
			lines = append(lines, fmt.Sprintf("and %d more", len(sockets)-most))
			break
		}
		line := fmt.Sprintf("%s -> %s %s", s.Local, s.Remote, s.State)
		if s.Info != nil {
			line += fmt.Sprintf(", silent for %s", min(s.Info.Sent, s.Info.Received).Round(time.Millisecond))
		}
		if s.PID != 0 {
			line += fmt.Sprintf(", process %d", s.PID)
		}
		lines = append(lines, line)
	}
	return lines
}

// finish writes the result, and returns the exit code as an error.
func (o *checkOptions) finish(streams program.Streams, h *observe.History, worst map[string]*ceiling, failed error) error {
	checks := o.results(h, worst)
	took := h.Last().After
	if o.junit != "" {
		var text bytes.Buffer
		if err := report.WriteJUnit(&text, o.subject(), checks, took, failed); err != nil {
			return err
		}
		if err := replaceFile(o.junit, text.Bytes()); err != nil {
			return fmt.Errorf("write the JUnit file: %w", err)
		}
	}
	ok := true
	for _, c := range checks {
		ok = ok && c.Met
	}
	if err := writeChecks(streams.Out, o.format.String(), checks, ok, took, h.Len()); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	if !ok {
		return &program.CodeError{Code: program.ExitLeak}
	}
	return nil
}

func (o *checkOptions) results(h *observe.History, worst map[string]*ceiling) []report.Check {
	var checks []report.Check
	for _, l := range ceilings {
		if w := worst[l.flag]; w != nil {
			most := *o.most[l.flag]
			checks = append(checks, report.Check{
				Name: fmt.Sprintf("at most %d %s", most, l.what), Met: w.count <= most,
				Got: fmt.Sprintf("%d, after %s", w.count, w.after.Round(100*time.Millisecond)), Details: w.sockets,
			})
		}
	}
	judged := h.Judge(false)
	if o.noGrowth {
		checks = append(checks, growthCheck(judged))
	}
	if o.noLeak {
		w := observe.Worst(judged)
		checks = append(checks, report.Check{
			Name: "no leak", Met: !w.Verdict.Leak && w.Verdict.Kind != verdict.NotEnoughData, Got: string(w.Verdict.Kind),
			Details: append([]string{w.Name}, report.Words(w.Verdict)...),
		})
	}
	return checks
}

func growthCheck(judged []observe.SubjectVerdict) report.Check {
	check := report.Check{Name: "no growth", Met: true, Got: "no lasting trend"}
	for _, j := range judged {
		if perSecond, grows := verdict.Grows(j.Series); grows {
			check.Met = false
			check.Got = fmt.Sprintf("growth of %.2f open connections a second", perSecond)
			check.Details = append(check.Details, fmt.Sprintf("%s: %.2f a second", j.Name, perSecond))
		}
	}
	return check
}

func (o *checkOptions) subject() string {
	switch {
	case o.name != "":
		return o.name
	case o.port != 0:
		return fmt.Sprintf("port-%d", o.port)
	default:
		return fmt.Sprintf("pid-%d", o.pids[0])
	}
}

func writeChecks(w io.Writer, format string, checks []report.Check, ok bool, took time.Duration, samples int) error {
	if format == "json" {
		out := json.NewEncoder(w)
		out.SetIndent("", "  ")
		out.SetEscapeHTML(false)
		return out.Encode(struct {
			Schema     string         `json:"schema"`
			OK         bool           `json:"ok"`
			Checks     []report.Check `json:"checks"`
			DurationMS int64          `json:"duration_ms"`
			Samples    int            `json:"samples"`
		}{"sockwatch.check/v1", ok, checks, took.Milliseconds(), samples})
	}
	for _, c := range checks {
		mark := "ok    "
		if !c.Met {
			mark = "FAILED"
		}
		if _, err := fmt.Fprintf(w, "%s  %s: %s\n", mark, c.Name, c.Got); err != nil {
			return err
		}
		if !c.Met {
			for _, d := range c.Details {
				if _, err := io.WriteString(w, report.Wrap("        ", d)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// replaceFile writes a file whole or not at all. What is no file, such as
// /dev/stdout or a pipe, is written to as it is.
func replaceFile(path string, data []byte) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return os.WriteFile(path, data, 0o644)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".sockwatch-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
