package exercise

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"socketlab/internal/expect"
	"socketlab/internal/metric"
	"socketlab/internal/render"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/verdict"
	"socketlab/internal/words"
)

// The subjects of a run of an exercise.
const (
	StarterSide = "starter"
	YourSide    = "yours"
)

// Result is what one check of a participant's code showed.
type Result struct {
	Exercise Exercise
	Language string
	// Passed says that every bound was met. Stopped is why the run ended before its time;
	// "" if it did not.
	Passed  bool
	Stopped string
	Bounds  []Bound
	// Untrue says that the participant's code calls requests answered that it has not
	// made; "" where it has made them.
	Untrue string
	// Errors are those of the participant's requests, the most frequent first, and
	// Printed the last lines that the participant's program wrote.
	Errors  []Failures
	Printed string
	// Unanswered says what became of the requests of the participant's code that had no
	// response, and what helps; "" where all had one or it is not known.
	Unanswered string
	// Guess is what the participant predicted, and Came the starter's value; nil where it
	// is not known. GuessShown says that an earlier check has shown them.
	Guess, Came *float64
	GuessShown  bool
	// Seen says what was found of the participant's code, where it is another thing than
	// the starter's, which is for the participant to find.
	Seen string
}

// Bound is one thing that the participant's code must show.
type Bound struct {
	Expectation     scenario.Expectation
	Yours, Starters expect.Outcome
}

// Failures are the requests that failed with an error of one name. Text is that of the
// first; "" where it says no more than the name.
type Failures struct {
	Name  string
	Count int64
	Text  string
}

// Judge says what a run showed of the participant's code. texts are those of its errors by
// name, and printed is what it wrote.
func (p *Project) Judge(o *series.Observation, script scenario.Script, texts map[string]string, printed string) Result {
	r := Result{Exercise: p.Exercise, Language: p.Language.Name, Guess: p.State.Guess, GuessShown: p.State.GuessShown, Stopped: o.Stopped, Passed: o.Stopped == ""}
	result := expect.Judge(o, script)
	starter, yours := o.Subject(StarterSide), o.Subject(YourSide)
	judged := false
	for _, e := range script.Expect.Of(scenario.Fixed) {
		b := Bound{
			Expectation: e,
			Yours:       expect.Hold(o, yours, result.Verdicts[YourSide], e),
			Starters:    expect.Hold(o, starter, result.Verdicts[StarterSide], e),
		}
		r.Passed = r.Passed && !b.Yours.Failed()
		judged = judged || b.Yours.Skipped == ""
		r.Bounds = append(r.Bounds, b)
	}
	r.Untrue = untrue(yours)
	r.Passed = r.Passed && judged && r.Untrue == ""
	if yours != nil && !r.Passed {
		r.Errors = failures(yours.Metrics().Requests, texts)
		r.Unanswered = p.unanswered(yours.Metrics().Requests)
		r.Printed = lastLines(printed)
		r.Seen = another(result.Verdicts[YourSide], result.Verdicts[StarterSide])
	}
	if v, ok := metric.MustLookup(p.Exercise.Predict.Metric).Get(starter); ok {
		r.Came = &v
	}
	return r
}

var relations = map[string]string{"==": "exactly", "!=": "not", "<=": "at most", ">=": "at least", "<": "less than", ">": "more than"}

// what and wanted say a bound in words.
func (b Bound) what() string {
	if m, err := metric.Lookup(b.Expectation.Metric); err == nil {
		return m.Title
	}
	return b.Expectation.Metric
}

func (b Bound) wanted() string {
	e := b.Expectation
	m, err := metric.Lookup(e.Metric)
	other := ""
	if e.Other != "" {
		other = metric.MustLookup(e.Other).Title
	}
	if e.OtherSide != "" {
		other += " of the " + string(e.OtherSide) + " side"
	}
	switch {
	case err != nil: // a verdict
		return relations[e.Op] + " " + string(e.Kind)
	case e.Other != "" && e.Op == "==":
		return "as many as " + other
	case e.Other != "":
		return relations[e.Op] + " " + other
	default:
		return relations[e.Op] + " " + m.Format(e.Value)
	}
}

func (b Bound) label() string {
	switch {
	case b.Yours.Skipped != "":
		return "not known"
	case b.Yours.Met:
		return "ok"
	}
	return "NOT YET"
}

// shown is what was measured on one side.
func (b Bound) shown(o expect.Outcome) string {
	switch {
	case o.Skipped != "":
		return render.NotKnown
	case b.Expectation.Other == "requests.sent":
		return strings.Replace(o.Got, " and ", " of ", 1)
	}
	return o.Got
}

// Open is how many bounds are not met.
func (r Result) Open() int {
	n := 0
	for _, b := range r.Bounds {
		if b.Yours.Failed() {
			n++
		}
	}
	return n
}

// headline is the result in one sentence.
func (r Result) headline() string {
	switch {
	case r.Passed:
		return "Done: your code does all that was asked."
	case r.Stopped != "":
		return "Not done yet: the run was stopped. " + r.Stopped
	case r.Untrue != "":
		return "Not done yet. " + r.Untrue
	default:
		rest := "are not as they should be"
		if r.Open() == 1 {
			rest = "is not as it should be"
		}
		return fmt.Sprintf("Not done yet: %d of %d %s.", r.Open(), len(r.Bounds), rest)
	}
}

// untrue compares what the code says of its requests with what the server has received.
// An answer that the code knew of at a sample was received before the next one.
func untrue(yours *series.Subject) string {
	if yours == nil || len(yours.Samples) < 2 {
		return ""
	}
	before, last := yours.Samples[len(yours.Samples)-2].Requests, yours.Last().Requests
	if before == nil || last == nil || last.Received == nil {
		return ""
	}
	opened, known := metric.MustLookup("connections.opened").Get(yours)
	switch {
	case before.Finished() > 0 && known && opened == 0:
		return "Your code has opened no connection: each request of the load is to be sent to the server."
	case before.OK > *last.Received:
		return fmt.Sprintf("Your code calls %s answered, and the server received %d: each request of the load is to be sent to it.", words.Plural(int(before.OK), "request"), *last.Received)
	}
	return ""
}

// another says what was found of the participant's code in place of the starter's fault; ""
// where that is nothing, or the same.
func another(yours, starters verdict.Verdict) string {
	rule, known := verdict.Lookup(yours.Kind)
	switch yours.Kind {
	case starters.Kind, verdict.Healthy, verdict.NotEnoughData:
		return ""
	}
	if !known {
		return ""
	}
	return "Your code does not do what the starter did, but: " + rule.Title + "."
}

// failures are the errors of requests by name.
func failures(r *series.Requests, texts map[string]string) (all []Failures) {
	if r == nil {
		return nil
	}
	for name, n := range r.Errors {
		text := texts[name]
		if plain, err := strconv.Unquote(text); err == nil { // Go's adapter quotes
			text = plain
		}
		all = append(all, Failures{Name: name, Count: n, Text: ansi.Strip(text)})
	}
	slices.SortFunc(all, func(a, b Failures) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Name, b.Name))
	})
	return all
}

// shownErrors is how many errors are shown, shownLines how many lines of what a program
// wrote, and shownLine how many characters of each.
const (
	shownErrors = 3
	shownLines  = 12
	shownLine   = 300
)

// shown are the errors for people, a line each.
func shown(all []Failures) string {
	var lines []string
	for _, f := range all[:min(len(all), shownErrors)] {
		line := fmt.Sprintf("%d x %s", f.Count, f.Name)
		switch {
		case f.Name == "other":
			line = fmt.Sprintf("%d x %s", f.Count, f.Text)
		case f.Text != "":
			line += ": " + f.Text
		}
		lines = append(lines, cut(line))
	}
	if rest := len(all) - len(lines); rest > 0 {
		lines = append(lines, fmt.Sprintf("and %s more", words.Plural(rest, "kind")))
	}
	return strings.Join(lines, "\n")
}

// cut cuts a line that is too long to be read, and one of several lines.
func cut(line string) string {
	line = strings.ReplaceAll(line, "\n", " ")
	if r := []rune(line); len(r) > shownLine {
		return string(r[:shownLine]) + "..."
	}
	return line
}

// lastLines are the last lines of a text, and of equal ones in sequence one.
func lastLines(text string) string {
	lines := slices.Compact(strings.Split(strings.TrimSpace(text), "\n"))
	lines = lines[max(0, len(lines)-shownLines):]
	for i, line := range lines {
		lines[i] = cut(strings.TrimRight(line, " \r"))
	}
	return strings.Join(lines, "\n")
}

// unanswered is of the requests of a program that reports each by a line. Of a program
// most of whose requests were not answered it says what may be the cause.
func (p *Project) unanswered(r *series.Requests) string {
	if r == nil {
		return ""
	}
	var parts []string
	if n := r.Errors["other"]; n > 0 && n > r.OK {
		parts = append(parts, "Find the line of "+p.Language.File+" that makes this error.")
	}
	if n := r.InFlight; n > 0 {
		parts = append(parts, words.Plural(int(n), "request")+" had not ended when the load was over.")
		if r.OK == 0 {
			parts = append(parts, "Does your code loop or wait without an end?")
		}
	}
	return strings.Join(parts, " ")
}

// guess says what was predicted, and what came.
func (r Result) guess() string {
	m := metric.MustLookup(r.Exercise.Predict.Metric)
	switch {
	case r.Guess == nil || r.Came == nil || r.GuessShown:
		return ""
	case *r.Guess == *r.Came:
		return fmt.Sprintf("Your guess for the starter was right: %s.", m.Format(*r.Came))
	}
	return fmt.Sprintf("Your guess for the starter was %s, and it came to %s (%s).", m.Format(*r.Guess), m.Format(*r.Came), m.Title)
}

// next is the command that starts the exercise after this one; "" after the last.
func (r Result) next() string {
	all, err := All()
	if err != nil {
		return ""
	}
	after := slices.IndexFunc(all, func(e Exercise) bool { return e.ID == r.Exercise.ID }) + 1
	for _, e := range all[after:] {
		command := "sockwatch exercise start " + e.ID
		switch in := e.LanguageNames(); {
		case e.Sort == Diagnosis, r.Language == "go" && slices.Contains(in, "go"):
		case slices.Contains(in, r.Language):
			command += " --lang " + r.Language
		default:
			continue
		}
		return command
	}
	return ""
}

// Document is the result for people and for programs.
func (r Result) Document() *render.Document {
	table := render.Table{Name: "what was measured", Columns: []render.Column{
		{Title: "what"}, {Title: "should be"}, {Title: "yours", Number: true}, {Title: "the starter", Number: true}, {Title: "result"},
	}}
	var (
		group  render.Group
		bounds []render.Object
	)
	records := [][]string{{"expectation", "met", "yours", "starter"}}
	for _, b := range r.Bounds {
		group.Rows = append(group.Rows, render.Words(b.what(), b.wanted(), b.shown(b.Yours), b.shown(b.Starters), b.label()))
		records = append(records, []string{b.Expectation.String(), fmt.Sprint(b.Yours.Met), b.shown(b.Yours), b.shown(b.Starters)})
		bounds = append(bounds, render.Object{
			{Name: "expectation", Value: b.Expectation.String()},
			{Name: "met", Value: b.Yours.Met},
			{Name: "yours", Value: b.Yours.Got},
			{Name: "starter", Value: b.Starters.Got},
			{Name: "skipped", Value: b.Yours.Skipped},
		})
	}
	errors := []render.Object{}
	for _, f := range r.Errors {
		errors = append(errors, render.Object{{Name: "name", Value: f.Name}, {Name: "count", Value: f.Count}, {Name: "text", Value: f.Text}})
	}
	table.Groups = []render.Group{group}
	title := r.Exercise.ID + ": " + r.Exercise.Title
	blocks := []render.Block{render.Part{Title: title}, table, render.Text{Text: r.headline()}}
	if r.Seen != "" {
		blocks = append(blocks, render.Text{Text: r.Seen})
	}
	if len(r.Errors) > 0 {
		n := int64(0)
		for _, f := range r.Errors {
			n += f.Count
		}
		blocks = append(blocks,
			render.Text{Text: words.Plural(int(n), "request") + " of your code failed. Of each kind of error the first:"},
			render.Code{Text: shown(r.Errors)})
	}
	if r.Unanswered != "" {
		blocks = append(blocks, render.Text{Text: r.Unanswered, Note: true})
	}
	if r.Printed != "" {
		blocks = append(blocks, render.Text{Text: "The last lines that your program printed:"}, render.Code{Text: r.Printed})
	}
	if guess := r.guess(); guess != "" {
		blocks = append(blocks, render.Text{Text: guess})
	}
	if r.Passed {
		blocks = append(blocks, render.Text{Text: "Compare it with ours: sockwatch exercise answer", Note: true})
		if next := r.next(); next != "" {
			blocks = append(blocks, render.Text{Text: "The next exercise, in another folder: " + next, Note: true})
		}
	} else {
		blocks = append(blocks, render.Text{Text: "Stuck? 'sockwatch exercise hint' helps a little, and a little more each time.", Note: true})
	}
	return &render.Document{
		Title: title,
		Data: render.Object{
			{Name: "schema", Value: "sockwatch.exercise/v1"},
			{Name: "exercise", Value: r.Exercise.ID},
			{Name: "language", Value: r.Language},
			{Name: "passed", Value: r.Passed},
			{Name: "stopped", Value: r.Stopped},
			{Name: "bounds", Value: slices.Clone(bounds)},
			{Name: "errors", Value: errors},
			{Name: "printed", Value: r.Printed},
			{Name: "unanswered", Value: r.Unanswered},
			{Name: "untrue", Value: r.Untrue},
			{Name: "guess", Value: r.Guess},
			{Name: "came", Value: r.Came},
		},
		Blocks: blocks, Records: records,
	}
}
