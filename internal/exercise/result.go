package exercise

import (
	"fmt"
	"slices"
	"strings"

	"socketlab/internal/expect"
	"socketlab/internal/metric"
	"socketlab/internal/render"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
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
	// Unanswered says what became of the requests of the participant's code that had no
	// response, and what helps; "" where all had one or it is not known.
	Unanswered string
	// Guess is what the participant predicted, and Came the starter's value; nil where it
	// is not known.
	Guess, Came *float64
}

// Bound is one thing that the participant's code must show.
type Bound struct {
	Expectation     scenario.Expectation
	Yours, Starters expect.Outcome
}

// Judge says what a run showed of the participant's code.
func (p *Project) Judge(o *series.Observation, script scenario.Script) Result {
	r := Result{Exercise: p.Exercise, Language: p.Language.Name, Guess: p.State.Guess, Stopped: o.Stopped, Passed: o.Stopped == ""}
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
		r.Unanswered = unanswered(yours.Metrics().Requests)
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

// unanswered is of the requests of a program that reports each by a line. Of a program
// most of whose requests were not answered it says what may be the cause.
func unanswered(r *series.Requests) string {
	if r == nil {
		return ""
	}
	var parts []string
	if n := r.Errors["other"]; n > 0 {
		parts = append(parts, words.Plural(int(n), "request")+" failed with an error of no known name.")
		if n > r.OK {
			parts = append(parts, "Does your code raise an error of its own? Or does it print something? Each line on standard output counts as the end of a request: print on standard error.")
		}
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
	case r.Guess == nil || r.Came == nil:
		return ""
	case *r.Guess == *r.Came:
		return fmt.Sprintf("Your guess was right: %s.", m.Format(*r.Came))
	}
	return fmt.Sprintf("Your guess for the starter was %s, and it came to %s (%s).", m.Format(*r.Guess), m.Format(*r.Came), m.Title)
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
	table.Groups = []render.Group{group}
	title := r.Exercise.ID + ": " + r.Exercise.Title
	blocks := []render.Block{render.Part{Title: title}, table, render.Text{Text: r.headline()}}
	if r.Unanswered != "" {
		blocks = append(blocks, render.Text{Text: r.Unanswered, Note: true})
	}
	if guess := r.guess(); guess != "" {
		blocks = append(blocks, render.Text{Text: guess})
	}
	if !r.Passed {
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
			{Name: "unanswered", Value: r.Unanswered},
			{Name: "untrue", Value: r.Untrue},
			{Name: "guess", Value: r.Guess},
			{Name: "came", Value: r.Came},
		},
		Blocks: blocks, Records: records,
	}
}
