package cli

import (
	"errors"
	"fmt"
	"go/version"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/metric"
	"socketlab/internal/render"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
	"socketlab/internal/words"
	"socketlab/scenarios"
)

var _ = register(goDiffCommand)

func goDiffCommand(streams program.Streams) *cobra.Command {
	var (
		o   runOptions
		all bool
	)
	c := &cobra.Command{
		Use:   "go-diff ID... | --all",
		Args:  cobra.ArbitraryArgs,
		Short: "Show which scenarios two versions of Go play differently",
		Long: `Builds both codes of each scenario with two versions of Go, plays the four programs
side by side, and shows the scenarios that differ: another verdict, many more
connections, or a much longer response. One play may differ by chance: what differs,
and what does not although its lesson says so, is played again by itself until two
plays agree, three times at most. It needs a go command, which fetches the versions
and builds the sources that are in sockwatch.

The exit code is 3 if a scenario differs and its lesson does not say so, or the
other way round.`,
		Example: `  sockwatch go-diff body-not-drained
  sockwatch go-diff --all --go 1.26.9,1.27.4 -o json`,
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case all && len(args) > 0:
				return program.Usagef(c, "give --all or scenarios, not both")
			case all:
				args = scenarios.IDs()
			case len(args) == 0:
				return program.Usagef(c, "nothing to compare: give a scenario's ID, or --all")
			}
			return goDiff(c, streams, o, args)
		},
	}
	f := c.Flags()
	o.add(f, tableAnswer)
	hideOfOneRun(f)
	f.BoolVar(&all, "all", false, "compare the whole catalogue")
	f.StringSliceVar(&o.versions, "go", []string{"1.26.9", "1.27.4"}, "the two versions of Go, the older first")
	f.IntVar(&o.parallel, "parallel", 2, "how many isolated runs go on at once, of four programs each")
	return c
}

// goDiff plays scenarios with two versions of Go.
func goDiff(c *cobra.Command, streams program.Streams, o runOptions, ids []string) error {
	for _, name := range ofOneRun {
		if c.Flags().Changed(name) {
			return program.Usagef(c, "--%s is for one run, and go-diff is several", name)
		}
	}
	if len(o.versions) != 2 {
		return program.Usagef(c, "--go takes two versions, such as 1.26.9,1.27.4, not %q", strings.Join(o.versions, ","))
	}
	if _, err := o.check(c, 1); err != nil {
		return err
	}
	if older, newer := "go"+o.versions[0], "go"+o.versions[1]; version.Compare(older, newer) > 0 {
		return program.Usagef(c, "--go takes the older version first: --go %s,%s", o.versions[1], o.versions[0])
	}
	scripts, err := o.scripts(c, ids)
	if err != nil {
		return err
	}
	if err := program.CatalogueOnly("go-diff", scripts...); err != nil {
		return err
	}
	built, err := buildPrograms(c.Context(), o.versions, streams.Err)
	if err != nil {
		return err
	}
	defer built.remove()
	source, err := o.openSource(c)
	if err != nil {
		return err
	}
	defer source.Close()
	o.quiet = true // of several programs, lines and tables would be too wide
	p := &player{runOptions: o, streams: streams, sides: built.sides(), source: source, said: true}
	p.cost.to, p.cost.source, p.cost.auto = streams.Err, source, o.source.String() == socketstats.Auto
	if err := p.isolation(scripts); err != nil {
		return err
	}
	diff := &diff{versions: o.versions}
	var failed error
	for again := scripts; len(again) > 0 && failed == nil; again = diff.unsure(scripts) {
		var runs []*render.Observed
		runs, failed = p.playAll(c.Context(), again)
		diff.add(runs)
		p.parallel = 1 // a neighbour may be what made the difference
	}
	if len(diff.scenarios) > 0 {
		if err := o.output.write(streams.Out, diff.document()); err != nil {
			return errors.Join(failed, err)
		}
	}
	if failed != nil {
		return outcome(nil, failed)
	}
	return diff.unexpected()
}

// diff is what two versions of Go make of scenarios.
type diff struct {
	versions  []string
	scenarios []*scenarioDiff
}

type scenarioDiff struct {
	ID string `json:"id"`
	// Differs says that a side differs, and InLesson that its script and lesson tell
	// these two versions apart.
	Differs  bool `json:"differs"`
	InLesson bool `json:"in_lesson"`
	// Plays is how many there were, and Sides are those of the last one.
	Plays int        `json:"plays"`
	Sides []sideDiff `json:"sides"`
	// Stopped is why plays ended before their time; they tell nothing then.
	Stopped string `json:"stopped,omitempty"`

	seen           map[string]int // the plays in which a side differed in one way
	alike, stopped int            // the plays without any difference, and those that were stopped
}

type sideDiff struct {
	Side    string     `json:"side"`
	Differs bool       `json:"differs"`
	Of      []goFigure `json:"of"`
}

// goFigure is what one version made of one side. What is not known is absent.
type goFigure struct {
	Go      string       `json:"go"`
	Verdict verdict.Kind `json:"verdict"`
	Opened  *float64     `json:"connections_opened,omitempty"`
	Reused  *float64     `json:"connections_reused,omitempty"`
	P50     *float64     `json:"latency_p50_ms,omitempty"`

	// mixed says that requests failed: the median is then of two kinds of answers, and
	// by chance of the one or of the other.
	mixed bool
}

// A scenario is played until so many plays agree, and so often at most.
const (
	agreeingPlays = 2
	maxGoPlays    = 3
)

// add adds a play of each run's scenario.
func (d *diff) add(runs []*render.Observed) {
	for _, run := range runs {
		var sides []sideDiff
		for i, half := range scenario.Sides() {
			side := sideDiff{Side: string(half)}
			for j, v := range d.versions {
				s := run.Observation.Subjects[i*len(d.versions)+j]
				side.Of = append(side.Of, goFigure{
					Go: v, Verdict: run.Result.Verdicts[s.ID].Kind,
					Opened: figureOf(s, "connections.opened"), Reused: figureOf(s, "connections.reused"), P50: figureOf(s, "latency_ms.p50"),
					mixed: manyFailed(s),
				})
			}
			sides = append(sides, side)
		}
		d.of(run.ID()).add(sides, run.Observation.Stopped)
	}
}

// of is what is known of a scenario.
func (d *diff) of(id string) *scenarioDiff {
	if i := slices.IndexFunc(d.scenarios, func(s *scenarioDiff) bool { return s.ID == id }); i >= 0 {
		return d.scenarios[i]
	}
	s := &scenarioDiff{ID: id}
	if script, err := scenarios.Script(id); err == nil {
		s.InLesson = script.TellsApart("go"+d.versions[0], "go"+d.versions[1])
	}
	d.scenarios = append(d.scenarios, s)
	return s
}

// add adds a play.
func (s *scenarioDiff) add(sides []sideDiff, stopped string) {
	s.Plays++
	s.Sides = sides
	if stopped != "" {
		if s.stopped++; s.stopped == agreeingPlays {
			s.Stopped = stopped
		}
		return
	}
	if s.seen == nil {
		s.seen = map[string]int{}
	}
	alike := true
	for i := range sides {
		side := &sides[i]
		for _, way := range differences(side.Of[0], side.Of[1]) {
			alike = false
			way = side.Side + ": " + way
			s.seen[way]++
			side.Differs = side.Differs || s.seen[way] >= agreeingPlays
		}
		s.Differs = s.Differs || side.Differs
	}
	if alike {
		s.alike++
	}
}

// decided reports whether another play would change nothing. One play without a
// difference is enough where none is expected.
func (s *scenarioDiff) decided() bool {
	return s.Plays >= maxGoPlays || s.Differs || s.Stopped != "" || s.alike >= agreeingPlays || s.alike == s.Plays && !s.InLesson
}

// unsure are those of the scripts that are to be played again. Those that were skipped
// are not.
func (d *diff) unsure(scripts []scenario.Script) []scenario.Script {
	return slices.DeleteFunc(slices.Clone(scripts), func(script scenario.Script) bool {
		i := slices.IndexFunc(d.scenarios, func(s *scenarioDiff) bool { return s.ID == script.ID })
		return i < 0 || d.scenarios[i].decided()
	})
}

// manyFailed reports whether more than one request of ten failed.
func manyFailed(s *series.Subject) bool {
	failed, sent := figureOf(s, "requests.failed"), figureOf(s, "requests.sent")
	return failed != nil && sent != nil && 10**failed > *sent
}

func figureOf(s *series.Subject, name string) *float64 {
	m, err := metric.Lookup(name)
	if err != nil {
		return nil
	}
	v, known := m.Get(s)
	if !known {
		return nil
	}
	return &v
}

// What a busy machine makes of one and the same program: a dial more, some
// milliseconds more.
const (
	chanceOpened = 20
	chanceMS     = 20
)

// differences are the ways in which two plays of a side are more different than two
// plays of one program are.
func differences(a, b goFigure) (ways []string) {
	far := func(name string, a, b *float64, chance float64) {
		if a == nil || b == nil {
			return
		}
		less, more := min(*a, *b), max(*a, *b)
		switch {
		case more <= 2*less || more-less <= chance:
		case *a < *b:
			ways = append(ways, "more "+name)
		default:
			ways = append(ways, "less "+name)
		}
	}
	if a.Verdict != b.Verdict {
		ways = append(ways, fmt.Sprintf("%s, then %s", a.Verdict, b.Verdict))
	}
	far("opened", a.Opened, b.Opened, chanceOpened)
	if !a.mixed && !b.mixed {
		far("p50", a.P50, b.P50, chanceMS)
	}
	return ways
}

// unexpected is the error of scenarios whose lessons say something else.
func (d *diff) unexpected() error {
	var wrong []string
	for _, s := range d.scenarios {
		switch {
		case s.Stopped != "":
			wrong = append(wrong, s.ID+": stopped: "+s.Stopped)
		case s.Differs && !s.InLesson:
			wrong = append(wrong, s.ID+": differs, and its lesson does not say so")
		case !s.Differs && s.InLesson:
			wrong = append(wrong, s.ID+": its lesson says that it differs, and it did not")
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return &program.CodeError{Code: program.ExitFault, Err: errors.New(strings.Join(wrong, "\nsockwatch: "))}
}

func (d *diff) document() *render.Document {
	t := render.Table{Name: "what differs", Columns: []render.Column{
		{Title: "scenario"},
		{Title: "side"},
		{Title: "Go"},
		{Title: "opened", Number: true},
		{Title: "reused", Number: true},
		{Title: "p50 (ms)", Number: true},
		{Title: "verdict"},
	}}
	records := [][]string{{"id", "side", "differs", "in_lesson", "go", "connections_opened", "connections_reused", "latency_p50_ms", "verdict"}}
	differing := 0
	for _, s := range d.scenarios {
		rows := render.Group{}
		for _, side := range s.Sides {
			for _, f := range side.Of {
				cells := []string{write(f.Opened), write(f.Reused), write(f.P50), string(f.Verdict)}
				rows.Rows = append(rows.Rows, render.Words(append([]string{s.ID, side.Side, f.Go}, cells...)...))
				records = append(records, append([]string{
					s.ID, side.Side, fmt.Sprint(side.Differs), fmt.Sprint(s.InLesson), f.Go,
				}, cells...))
			}
		}
		if s.Differs {
			differing++
			t.Groups = append(t.Groups, rows)
		}
	}
	text := fmt.Sprintf("%d of %s differ between Go %s and Go %s", differing, words.Plural(len(d.scenarios), "scenario"), d.versions[0], d.versions[1])
	doc := &render.Document{
		Title: text, Records: records,
		Data:   render.Object{{Name: "schema", Value: "sockwatch.godiff/v1"}, {Name: "go", Value: d.versions}, {Name: "scenarios", Value: d.scenarios}},
		Blocks: []render.Block{render.Text{Text: text}},
	}
	if differing > 0 {
		doc.Blocks = append(doc.Blocks, t)
	}
	return doc
}

// write is a figure in words; a dash where it is not known.
func write(f *float64) string {
	if f == nil {
		return "-"
	}
	return fmt.Sprintf("%.4g", *f)
}
