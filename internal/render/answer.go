package render

import (
	"fmt"
	"slices"
	"strings"

	"socketlab/internal/expect"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
	"socketlab/internal/words"
	"socketlab/scenarios"
)

// Schemas of the JSON of observations. Names are only ever added to one.
const (
	runSchema       = "sockwatch.run/v2"
	diagnosisSchema = "sockwatch.diagnosis/v2"
)

// Runs is the answer of one run, or of several. In JSON one run is an object; with
// list, or when there are more, they are a list of objects.
func Runs(runs []*Observed, list bool) *Document {
	d := &Document{Title: words.Plural(len(runs), "run"), Blocks: []Block{}, Records: [][]string{recordsHeader}, Checks: []Check{}}
	objects := []Object{}
	for _, o := range runs {
		objects = append(objects, o.data(runSchema))
		d.Blocks = append(d.Blocks, o.blocks(true)...)
		d.Records = append(d.Records, o.records()...)
		d.Checks = append(d.Checks, o.checks()...)
	}
	for _, t := range steps(runs) {
		d.Blocks = append(d.Blocks, t...)
	}
	d.Data = objects
	if len(runs) == 1 {
		d.Title = runs[0].title()
		if !list {
			d.Data = objects[0]
		}
	}
	return d
}

// Diagnosis is the answer of a watch whose subjects were judged.
func Diagnosis(o *Observed) *Document { return o.watch(false) }

// Watch is what a watch has seen, with verdicts where there are any.
func Watch(o *Observed) *Document { return o.watch(true) }

func (o *Observed) watch(table bool) *Document {
	d := &Document{
		Title: o.title(), Data: o.data(diagnosisSchema), Blocks: o.blocks(table),
		Records: append([][]string{recordsHeader}, o.records()...), Checks: []Check{},
	}
	for _, s := range o.subjects() {
		v := o.Result.Verdicts[s.ID]
		check := Check{Group: s.Name, Outcome: expect.Outcome{Text: "no fault", Met: !v.IsFault(), Got: Label(v)}, Seconds: o.Observation.Duration.Seconds()}
		switch v.Kind {
		case "":
			continue
		case verdict.NotEnoughData:
			check.Skipped = Label(v)
		}
		if v.IsFault() {
			check.Details = append(verdict.Sentences(v), holderLines(s.Holders)...)
		}
		d.Checks = append(d.Checks, check)
	}
	return d
}

// blocks are an observation for people. table says whether its figures are shown
// also where there is little room.
func (o *Observed) blocks(table bool) []Block {
	ends := []Snapshot{o.Snapshot(socketstats.Client), o.Snapshot(socketstats.Server)}
	line, first := o.headline()
	if first == socketstats.Server {
		ends[0], ends[1] = ends[1], ends[0]
	}
	blocks := []Block{Part{o.title()}, Heading{Level: 2, Text: line}}
	if !o.repeats(&ends[0], line) {
		blocks = append(blocks, Text{Text: ends[0].Sentence})
	}
	if o.Guesses != "" {
		blocks = append(blocks, Text{Text: o.Guesses})
	}
	blocks = append(blocks, Text{Text: o.conditions(), Lines: true, Note: true})
	for _, s := range ends {
		blocks = append(blocks, Charts{s})
	}
	figures := o.figures()
	if !table {
		for i := range figures.Groups {
			figures.Groups[i].Wide = true
		}
	}
	blocks = append(blocks, Heading{3, "What was measured", true}, figures, Heading{3, "Verdicts", true})
	said := map[string]bool{}
	for _, s := range o.subjects() {
		if v := o.Result.Verdicts[s.ID]; len(v.Facts) > 0 { // there is something to say
			v.Facts = slices.DeleteFunc(slices.Clone(v.Facts), func(f verdict.Fact) bool {
				const ofAll = "unattributed" // of the whole watch, whichever subject has it
				again := f.Name == ofAll && said[ofAll]
				said[f.Name] = true
				return again
			})
			f := Finding{
				Subject: s.Name, Program: program(&s.Identity), Verdict: v, Explain: explainCommand(v, &s.Identity),
				Wide: o.Script == nil && table, // of a watch the table says it
			}
			if !table {
				f.Now, f.Processes = now(s), processes(o.Observation.PartsOf(s.ID))
			}
			blocks = append(blocks, f)
		}
	}
	blocks = append(blocks, o.holders()...)
	if o.Script != nil {
		blocks = append(blocks, Heading{3, "What it should show", true})
		if o.Observation.Stopped != "" {
			blocks = append(blocks, Text{Text: "The run ended early: what it should show was not judged."})
		} else {
			blocks = append(blocks, Checklist{Checks: o.checks(), Brief: true})
		}
		if id := o.Script.Implementation; o.Observation.Commands == nil && !o.Observation.Scenario.OwnPrograms() && scenarios.Has(id) {
			blocks = append(blocks, Heading{3, "The difference of the two codes", true},
				Text{Text: id + ": − is the faulty side, + the fixed one.", Note: true, Wide: true},
				Code{"diff", scenarios.Difference(id), true})
		}
	}
	return append(blocks, Heading{3, "How it was run", true}, List{Items: o.How(), Wide: true})
}

// checks are the expectations of a run.
func (o *Observed) checks() []Check {
	var list []Check
	for _, e := range o.Result.Expectations {
		list = append(list, Check{Group: o.ID(), Outcome: e, Seconds: o.Observation.Duration.Seconds()})
	}
	return list
}

// now says what a subject has at each end.
func now(s *series.Subject) string {
	var ends []string
	for _, end := range []socketstats.End{socketstats.Client, socketstats.Server} {
		counts := s.Now(end)
		states := strings.Join(counts.List(), ", ")
		if n := counts.Unowned(); n > 0 {
			states += fmt.Sprintf(" (%d without a descriptor)", n+counts.Of(socketstats.TimeWait))
		}
		if states != "" {
			ends = append(ends, end.String()+" "+states)
		}
	}
	if last := s.Last(); last != nil && last.Process != nil && len(last.Process.Kinds) > 0 {
		ends = append(ends, descriptors(last.Process)+": "+strings.Join(kinds(last.Process), ", "))
	}
	return strings.Join(ends, "; ")
}

// descriptors counts those of all kinds. What a process may have is limited, and not what
// several have together: so the most that one of them has is said beside the sum.
func descriptors(p *series.Process) string {
	if p.Processes <= 1 {
		return words.Plural(p.Descriptors, "descriptor")
	}
	all := 0
	for _, n := range p.Kinds {
		all += n
	}
	return fmt.Sprintf("%s, at most %d in one process", words.Plural(all, "descriptor"), p.Descriptors)
}

// kinds lists the descriptors of a process by kind.
func kinds(p *series.Process) (list []string) {
	for _, kind := range socketstats.Kinds() {
		if n := p.Kinds[kind]; n > 0 {
			list = append(list, fmt.Sprintf("%d %s", n, kind))
		}
	}
	return list
}

// processes say what each process of a subject has.
func processes(parts []*series.Subject) []string {
	const most = 20
	var list []string
	for i, s := range parts {
		if i == most {
			return append(list, fmt.Sprintf("and %d more", len(parts)-most))
		}
		list = append(list, s.Name+": "+now(s))
	}
	return list
}

// summary counts what was expected in words.
func summary(met, of, skipped int) string {
	text := fmt.Sprintf("%d of %s met", met, words.Plural(of, "expectation"))
	if skipped > 0 {
		text += fmt.Sprintf(", %d skipped", skipped)
	}
	return text
}
