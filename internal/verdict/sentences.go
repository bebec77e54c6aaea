package verdict

import (
	"fmt"
	"math"
	"regexp"
	"time"

	"socketlab/internal/metric"
	"socketlab/internal/words"
)

// A template is a sentence with gaps:
//
//	{name}           the quantity in its unit: "1024", "8 minutes", "2 per second"
//	{name|one}       a count with its noun: "1 socket", "2 sockets"
//	{name|one|many}  the same with its own plural: "1 socket was", "2 sockets were"
//	[, …]            a part that is left out unless the fact has all of its quantities
var (
	optional = regexp.MustCompile(`\[([^\]]*)\]`)
	gap      = regexp.MustCompile(`\{(\w+)(?:\|([^}|]*))?(?:\|([^}|]*))?\}`)
)

// common are the templates of facts that more than one kind has.
var common = map[string]string{
	"requests": "{sent|request} sent[, {opened|connection} opened][, {reused} reused][, {failed} failed][; the server opened {relayed|connection} to those behind it].",
	"restarts": "The process was restarted {restarts|time|times}. The figures are those of the one that lived longest, {longest_ms}: what takes longer does not show[. In {grew|of them|of them} connections became more to the end].",
	"ended":    "The process ended after {after_ms}.",
	"stopped":  "The load was stopped: the process {reason}.",
	"held_at":  "{connections} of {of|connection was|connections were} last used at {line}: {state}.",
	"asked_at": "{requests|request is|requests are} at {line}: {state}.",
}

// Sentences writes a verdict in words, without its kind and fix: a sentence for
// each fact, then what else it could be, then what runs out.
func Sentences(v Verdict) []string {
	said := Evidence(v)
	for _, a := range v.Alternatives {
		said = append(said, a.Sentence())
	}
	if v.Forecast != nil {
		said = append(said, v.Forecast.Sentence())
	}
	return said
}

// Evidence writes the facts of a verdict, a sentence each.
func Evidence(v Verdict) []string {
	rule, _ := Lookup(v.Kind)
	said := make([]string, len(v.Facts))
	for i, f := range v.Facts {
		said[i] = f.fill(rule.template(f.Name))
	}
	return said
}

// Sentence says what else it could be, and how to find out.
func (a Alternative) Sentence() string {
	return fmt.Sprintf("It could also be %s. To tell them apart, see %s.", a.Kind, a.Test)
}

// Sentence says what runs out, and when.
func (f *Forecast) Sentence() string {
	rate := "At this rate"
	if f.Speed != 0 {
		rate = fmt.Sprintf("At this rate, at speed %g,", f.Speed)
	}
	switch {
	case f.Steady > 0:
		return fmt.Sprintf("%s about %s of %s to the destination are in TIME_WAIT at any time.", rate, words.Count(f.Steady), words.Plural(f.Limit, "local port"))
	case f.What == Descriptors:
		return fmt.Sprintf("%s the process reaches its limit of %s in %s.", rate, words.Plural(f.Limit, "descriptor"), f.in())
	default:
		return fmt.Sprintf("%s all %s to the destination are in use in %s.", rate, words.Plural(f.Limit, "local port"), f.in())
	}
}

func (f *Forecast) in() string {
	const year = 365 * 24 * time.Hour
	if f.InMS > year.Milliseconds() {
		return "more than a year"
	}
	return words.Duration(time.Duration(f.InMS) * time.Millisecond)
}

// template returns the template of one of the rule's facts; "" if there is none.
func (r *Rule) template(name string) string {
	if t, ok := r.Sentences[name]; ok {
		return t
	}
	return common[name]
}

// fill writes a template with the fact's quantities. A gap without one is left as
// it is.
func (f Fact) fill(template string) string {
	template = optional.ReplaceAllStringFunc(template, func(part string) string {
		part = part[1 : len(part)-1]
		for _, g := range gap.FindAllStringSubmatch(part, -1) {
			if _, ok := f.quantity(g[1]); !ok {
				return ""
			}
		}
		return part
	})
	return gap.ReplaceAllStringFunc(template, func(found string) string {
		g := gap.FindStringSubmatch(found)
		q, ok := f.quantity(g[1])
		switch {
		case !ok:
			return found
		case g[3] != "":
			return words.Plural(int64(q.Value), g[2], g[3])
		case g[2] != "":
			return words.Plural(int64(q.Value), g[2])
		}
		return q.String()
	})
}

// String writes the quantity the way sentences have it.
func (q Quantity) String() string {
	switch {
	case q.Unit == Text:
		return q.Text
	case q.Unit == metric.Milliseconds:
		return words.Duration(time.Duration(q.Value * float64(time.Millisecond)))
	case q.Unit == metric.PerSecond:
		return words.Rate(q.Value)
	case q.Value == math.Trunc(q.Value):
		return words.Count(int64(q.Value))
	}
	return words.Number(q.Value)
}
