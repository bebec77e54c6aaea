package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"socketlab/internal/cli/program"
	"socketlab/internal/expect"
	"socketlab/internal/observe"
	"socketlab/internal/render"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
	"socketlab/internal/words"
)

// checkOptions are what processes are held to.
type checkOptions struct {
	targetFlags
	most     map[string]*int // by the name of the flag; below 0 without it
	noGrowth bool
	noFault  bool
	strict   bool
	length   time.Duration
	junit    string
	output   outputFlag
}

// ceilings are the flags that limit a count, in the order in which they are
// checked.
var ceilings = []limit{
	ofConnections("max-open", "open connections", socketstats.Counts.Open, 0),
	inState("max-established", socketstats.Established),
	lasting(inState("max-close-wait", socketstats.CloseWait)),
	inState("max-time-wait", socketstats.TimeWait),
	inState("max-syn-sent", socketstats.SynSent),
	{
		flag: "max-descriptors", what: "descriptors of a process",
		count: func(w *observe.Window, _ *observe.Watcher) int { return w.Descriptors() },
	},
	ofKind("max-listen", "listening TCP sockets", socketstats.KindTCPListen),
	ofKind("max-tcp-closed", "TCP sockets without a connection that are not closed", socketstats.KindTCPClosed),
	ofKind("max-udp", "UDP sockets", socketstats.KindUDP),
	ofKind("max-unix", "unix sockets", socketstats.KindUnix),
}

// limit is a limit on a count.
type limit struct {
	flag, what string
	count      func(*observe.Window, *observe.Watcher) int
	// listed names what is counted; nil where that cannot be said.
	listed func(context.Context, *observe.Watcher) []string
	// lasts says that only sockets count that have been in CLOSE_WAIT for long: each
	// connection that its peer closes is there for a moment.
	lasts bool
}

func lasting(l limit) limit {
	l.what, l.lasts = l.what+" for a second or longer", true
	return l
}

// ofConnections limits the connections in a state, or those that are open if it is 0.
func ofConnections(flag, what string, figure func(socketstats.Counts) int, state socketstats.State) limit {
	return limit{
		flag: flag, what: what,
		count:  func(w *observe.Window, f *observe.Watcher) int { return w.Count(figure) - f.ListedTwice(state) },
		listed: func(_ context.Context, f *observe.Watcher) []string { return named(f.Listed(state)) },
	}
}

func inState(flag string, state socketstats.State) limit {
	return ofConnections(flag, state.String(), func(c socketstats.Counts) int { return c.Of(state) }, state)
}

func ofKind(flag, what, kind string) limit {
	return limit{
		flag: flag, what: what,
		count:  func(w *observe.Window, _ *observe.Watcher) int { return w.Kind(kind) },
		listed: func(ctx context.Context, f *observe.Watcher) []string { return firstTen(f.ListedKind(ctx, kind)) },
	}
}

var _ = register(checkCommand)

func checkCommand(streams program.Streams) *cobra.Command {
	var o checkOptions
	c := &cobra.Command{
		Use:   "check --pid N | --name S | --port N  --max-established N ... | --no-growth | --no-fault",
		Short: "Hold running processes to limits, for CI",
		Long: `Watches processes for a time and holds them to limits, in every count. All together
must keep a limit, and a connection with both ends in them counts once. CLOSE_WAIT
counts from a second on, since each connection that its peer closes is there for a
moment. The exit code is 0 if all were kept, 3 if one was not, and 1 if the processes
could not be watched to the end, or not for as long as a verdict takes (20 counts,
more where something changes), or not all could be seen. With --junit, CI shows each
limit as a test.`,
		Example: `  sockwatch check --pid 4242 --max-established 50 --max-close-wait 0 --no-growth
  sockwatch check --name myservice --no-fault --for 1m --junit sockets.xml`,
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
	for _, l := range ceilings {
		o.most[l.flag] = f.Int(l.flag, -1, "most "+l.what+" in any count")
		f.Lookup(l.flag).DefValue = ""
	}
	f.BoolVar(&o.noGrowth, "no-growth", false, "fail if open connections, or descriptors of any kind, keep growing")
	f.BoolVar(&o.noFault, "no-fault", false, "fail if the verdict is a fault (see diagnose)")
	f.BoolVar(&o.strict, "strict", false, "with --no-fault: fail for a note, too")
	program.Needs(f, "strict", "no-fault")
	f.DurationVar(&o.length, "for", 30*time.Second, "how long to watch")
	f.StringVar(&o.junit, "junit", "", "also write the result to this file, as JUnit XML")
	o.output.add(f, "table", checkAnswer)
}

func (o *checkOptions) checkFlags(c *cobra.Command) error {
	limited := o.noGrowth || o.noFault
	for _, n := range o.most {
		limited = limited || *n >= 0
	}
	switch {
	case !o.named():
		return program.Usagef(c, "nothing to check: give --pid, --name, --port, --container, --cgroup or --unit")
	case !limited:
		return program.Usagef(c, "no limit to check: give --max-established, --max-close-wait, --no-growth or another")
	case o.length <= 0:
		return program.Usagef(c, "--for must be above 0")
	case *o.most["max-close-wait"] >= 0 && o.length/o.interval*o.interval < closeWaitFor:
		return program.Usagef(c, "CLOSE_WAIT counts from a second on: --for %s at --interval %s makes no two counts a second apart", o.length, o.interval)
	}
	if err := o.check(c); err != nil {
		return err
	}
	if err := checkOutput(c, o.junit, true, false); err != nil {
		return program.Usagef(c, "--junit: %w", err)
	}
	if counts := int(o.length/o.interval) + 1; (o.noGrowth || o.noFault) && counts < series.Least {
		return program.Usagef(c, "a trend takes %d counts at least, and --for %s at --interval %s makes %d", series.Least, o.length, o.interval, counts)
	}
	return nil
}

func (o *checkOptions) run(ctx context.Context, streams program.Streams) error {
	f, err := o.open(ctx, observe.Options{Details: true}, o.length, streams.Err)
	if err != nil {
		return o.nothing(err)
	}
	defer f.close()
	var w observe.Window
	worst := map[string]*ceiling{}
	waiting := closeWaits{}
	err = f.follow(ctx, func(e series.Event) error {
		w.Add(e)
		if e.Moment == nil {
			return nil
		}
		for _, l := range ceilings {
			if most := *o.most[l.flag]; most >= 0 {
				n, listed := l.count(&w, f.watcher), l.listed
				if l.lasts {
					left := waiting.left(f.watcher.Listed(socketstats.CloseWait), e.Moment.At)
					n, listed = len(left), func(context.Context, *observe.Watcher) []string { return named(left) }
				}
				if before := worst[l.flag]; before == nil || n > before.count {
					worst[l.flag] = &ceiling{count: n, after: e.Moment.At}
					if listed != nil && n > most {
						worst[l.flag].sockets = listed(ctx, f.watcher)
					}
				}
			}
		}
		return nil
	})
	if w.Len() == 0 {
		return interruptedOr(ctx, o.nothing(cmp.Or(err, errors.New("interrupted"))))
	}
	if errors.Is(err, observe.ErrGone) {
		err = fmt.Errorf("%w after %s of %s", err, w.Last().At.Round(100*time.Millisecond), o.length)
	}
	failed := err
	if ctx.Err() != nil {
		failed = errors.New("interrupted")
	}
	return cmp.Or(interruptedOr(ctx, err), o.finish(streams, &w, worst, failed))
}

// nothing writes the JUnit file of a check that has counted nothing, and returns why: CI would take
// the file of an earlier check for that of this one.
func (o *checkOptions) nothing(why error) error {
	if o.junit == "" {
		return why
	}
	return errors.Join(why, o.writeJUnit(render.Checked(o.subject(), &series.Observation{}, nil, why)))
}

func (o *checkOptions) writeJUnit(result *render.Document) error {
	if err := writeNew(o.junit, true, inFormat("junit", result)); err != nil {
		return fmt.Errorf("write the JUnit file: %w", err)
	}
	return nil
}

// ceiling is the most that was seen of what has a limit.
type ceiling struct {
	count   int
	after   time.Duration
	sockets []string // only above the limit
}

// closeWaits are the sockets in CLOSE_WAIT, and when each was first seen there. The zero
// value has seen none.
type closeWaits struct {
	since map[socketstats.Socket]time.Duration
}

// closeWaitFor is how long a socket has to be in CLOSE_WAIT to count.
const closeWaitFor = time.Second

// left returns those of a count that have been there long enough.
func (c *closeWaits) left(sockets []socketstats.Socket, at time.Duration) []socketstats.Socket {
	since, left := map[socketstats.Socket]time.Duration{}, []socketstats.Socket(nil)
	for _, s := range sockets {
		same := socketstats.Socket{Local: s.Local, Remote: s.Remote, Cookie: s.Cookie}
		first, before := c.since[same]
		if !before {
			first = at
		}
		since[same] = first
		if at-first >= closeWaitFor {
			left = append(left, s)
		}
	}
	c.since = since
	return left
}

// named names sockets: those that have said nothing for the longest.
func named(sockets []socketstats.Socket) []string {
	var lines []string
	for _, s := range sockets {
		line := fmt.Sprintf("%s -> %s %s", s.Local, s.Remote, s.State)
		if s.Info != nil {
			line += fmt.Sprintf(", silent for %s", min(s.Info.Sent, s.Info.Received).Round(time.Millisecond))
		}
		if s.PID != 0 {
			line += fmt.Sprintf(", process %d", s.PID)
		}
		lines = append(lines, line)
	}
	return firstTen(lines)
}

// firstTen keeps the first of many lines, and says how many more there are.
func firstTen(lines []string) []string {
	const most = 10
	if len(lines) <= most {
		return lines
	}
	return append(lines[:most:most], fmt.Sprintf("and %d more", len(lines)-most))
}

// finish writes the result, and returns the exit code as an error.
func (o *checkOptions) finish(streams program.Streams, w *observe.Window, worst map[string]*ceiling, failed error) error {
	checks := o.results(w, worst)
	unsettled := slices.ContainsFunc(checks, func(c render.Check) bool { return c.Skipped != "" })
	if unsettled && failed == nil {
		failed = errNotEnough
	}
	result := render.Checked(o.subject(), w.Observation(), checks, failed)
	var kept error
	if o.junit != "" {
		kept = o.writeJUnit(result)
	}
	// What was watched for is printed, whether or not CI gets its file.
	if err := errors.Join(kept, o.output.write(streams.Out, result)); err != nil {
		return err
	}
	if slices.ContainsFunc(checks, func(c render.Check) bool { return c.Failed() }) {
		return &program.CodeError{Code: program.ExitFault}
	}
	if unsettled {
		return errNotEnough
	}
	return unseen(w)
}

func (o *checkOptions) results(w *observe.Window, worst map[string]*ceiling) []render.Check {
	var checks []render.Check
	add := func(met bool, text, got string, details []string) {
		c := render.Check{Outcome: expect.Outcome{Text: text, Met: met, Got: got}}
		if !met {
			c.Details = details
		}
		checks = append(checks, c)
	}
	for _, l := range ceilings {
		if c := worst[l.flag]; c != nil {
			most := *o.most[l.flag]
			add(c.count <= most, fmt.Sprintf("at most %d %s", most, l.what), fmt.Sprintf("%d, after %s", c.count, c.after.Round(100*time.Millisecond)), c.sockets)
		}
	}
	subjects := w.Subjects()
	if o.noGrowth {
		met, got, details := growth(subjects)
		add(met, "no growth", got, details)
		if n := w.Len(); met && n < series.Least {
			c := &checks[len(checks)-1]
			c.Met, c.Got, c.Skipped = false, "", fmt.Sprintf("%s, and a trend takes %d", words.Plural(n, "sample"), series.Least)
		}
	}
	if o.noFault {
		verdicts := observe.Judge(subjects, false)
		s := observe.Worst(subjects, verdicts)
		v := verdicts[s.ID]
		add(!v.IsFault() && (!o.strict || v.Severity != verdict.Note), "no fault", string(v.Kind), append([]string{s.Name}, verdict.Sentences(v)...))
		if v.Kind == verdict.NotEnoughData || v.Kind == verdict.Growing {
			c := &checks[len(checks)-1]
			c.Met, c.Got, c.Skipped = false, "", string(v.Kind)+": "+strings.Join(verdict.Evidence(v), " ")
		}
	}
	return checks
}

// growth reports whether neither open connections nor descriptors of any kind of a
// subject grow all the time.
func growth(subjects []*series.Subject) (met bool, got string, details []string) {
	var grows []string
	fastest := series.Growth(0)
	for _, s := range subjects {
		if g, ok := s.Grows(); ok {
			fastest = max(fastest, g)
			details = append(details, fmt.Sprintf("%s: %s", s.Name, g))
		}
	}
	if len(details) > 0 {
		grows = append(grows, fmt.Sprintf("open connections grow by %s", fastest))
	}
	fastestOf := map[string]series.Growth{}
	for _, s := range subjects {
		for _, k := range verdict.GrowingKinds(s) {
			g := series.Growth(k.PerSecond)
			fastestOf[k.Name] = max(fastestOf[k.Name], g)
			details = append(details, fmt.Sprintf("%s: %s, %s", s.Name, k.Name, g))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fastestOf)) {
		grows = append(grows, fmt.Sprintf("%s grow by %s", name, fastestOf[name]))
	}
	if len(grows) > 0 {
		return false, strings.Join(grows, ", "), details
	}
	return true, "no lasting trend", nil
}

func (o *checkOptions) subject() string {
	switch {
	case o.name != "":
		return o.name
	case o.traits() > 0:
		return cmp.Or(o.container, o.unit, strings.ReplaceAll(strings.Trim(o.cgroup, "/"), "/", "-"))
	case o.port != 0:
		return fmt.Sprintf("port-%d", o.port)
	default:
		return fmt.Sprintf("pid-%d", o.pids[0])
	}
}
