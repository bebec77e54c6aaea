package render

import (
	"fmt"
	"strings"

	"socketlab/internal/metric"
	"socketlab/internal/observe"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
	"socketlab/internal/words"
)

// Headline is a verdict in a few words; "" of none.
func Headline(v verdict.Verdict) string {
	switch {
	case v.Kind == verdict.NotEnoughData:
		return "not enough data yet"
	case v.Confidence == "":
		return string(v.Kind) + caveat(v)
	default:
		return fmt.Sprintf("%s, %s", v.Kind, v.Confidence) + caveat(v)
	}
}

// headlineOf is the verdict on a subject in the words of its face: for the audience
// of a scenario what the kind means, for all others the kind and how sure it is.
func headlineOf(o *series.Observation, v verdict.Verdict) string {
	rule, known := verdict.Lookup(v.Kind)
	switch {
	case o.Commands != nil && !o.Over && v.Kind != verdict.NotEnoughData:
		return Headline(v) + " so far"
	case o.Scenario == nil || !known:
		return Headline(v)
	case o.Over:
		return upper(rule.Title) + caveat(v)
	case v.Kind == verdict.Healthy:
		return "No fault so far" + caveat(v)
	case v.Kind == verdict.NotEnoughData:
		return "Too early to say"
	default:
		return "So far: " + rule.Title
	}
}

// sentence says what is happening in an observation: what the script says of the
// moment, who holds how much, and what they were found to be.
func sentence(v *View, s *Snapshot) string {
	switch {
	case s.Stopped != "":
		return "The observation ended early: " + s.Stopped + "."
	case len(s.Panels) == 0:
		return "No connections."
	case v.Observation.Target != nil:
		return ofProcesses(v, s)
	}
	if s.endsWithHeadline() {
		if text := ofHeadline(v, s); text != "" {
			return text
		}
	}
	var sides []string
	for i := range s.Panels {
		sides = append(sides, holds(&s.Panels[i], v.Observation.Scenario != nil, s.Over, i == 0))
	}
	text := list(sides)
	switch {
	case len(s.Panels[0].Points) == 0:
		return "The servers listen, the clients begin."
	case v.Narration == "" || s.Over:
		return upper(text) + "."
	default:
		return v.Narration + ": " + text + "."
	}
}

// endsWithHeadline reports whether a run has ended whose headline counts no sockets of TCP
// connections at the end that is shown: how many of these are left says nothing then.
func (s *Snapshot) endsWithHeadline() bool {
	return s.Over && s.Headline != "" && !strings.HasPrefix(s.Headline, s.End+".")
}

// ofHeadline says what each side has of the script's headline; "" where it is not known.
func ofHeadline(v *View, s *Snapshot) string {
	m := metric.MustLookup(s.Headline)
	var sides []string
	for _, of := range v.Observation.Subjects {
		value, known := m.Get(of)
		if !known {
			return ""
		}
		text := m.Format(value)
		if len(sides) == 0 {
			text = m.Phrase(value)
		}
		sides = append(sides, of.Name+": "+text)
	}
	return upper(strings.Join(sides, "; ")) + "."
}

// manyWaiting is how many sockets in TIME_WAIT are worth a word.
const manyWaiting = 10

// holds is what a side holds, what lingers where that is more, and the fault that
// it was found to have: its kind says nothing to the audience of a scenario.
func holds(p *Panel, audience, over, first bool) string {
	held := fmt.Sprint(p.Held)
	if first {
		held = words.Plural(p.Held, "socket")
	}
	for _, state := range p.States {
		if state.Name == socketstats.TimeWait.String() && state.Now > max(p.Held, manyWaiting) {
			held += fmt.Sprintf(" and %d in TIME_WAIT", state.Now)
		}
	}
	if p.Verdict.IsFault() && !audience {
		held += fmt.Sprintf(" (%s)", p.Verdict.Kind)
	}
	verb := ""
	switch {
	case first && over:
		verb = "ends with "
	case first:
		verb = "holds "
	case over:
		verb = "with "
	}
	return sideOf(p.Name) + " " + verb + held
}

// sideOf names a side in a sentence: those of an exercise are no sides of a comparison.
func sideOf(name string) string {
	switch name {
	case "starter":
		return "the starter"
	case "yours":
		return "yours"
	}
	return "the " + name + " side"
}

func list(parts []string) string {
	if len(parts) < 3 {
		return strings.Join(parts, ", ")
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1]
}

func first(list []string) []string { return list[:min(1, len(list))] }

func upper(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// ofProcesses says who has a fault, who holds how much, and whose sockets grow the
// fastest.
func ofProcesses(v *View, s *Snapshot) string {
	o := v.Observation
	sum, there, fastest := 0, 0, &s.Panels[0]
	for i := range s.Panels {
		p := &s.Panels[i]
		of := o.Subject(p.ID)
		if !observe.IsNoProcess(p.ID) && (of == nil || of.EndedAfter == 0) {
			there++
			switch {
			case of == nil:
				sum += p.Held
			case !of.Serves: // whose sockets are the others' other ends
				sum += heldBy(o, p.ID)
			}
		}
		if p.Growth > fastest.Growth {
			fastest = p
		}
	}
	all := fmt.Sprintf("%s %s", words.Plural(there, "process holds", "processes hold"), words.Plural(sum, "socket"))
	worst, others := worstPanel(o, s.Panels)
	if len(v.Together) > 0 {
		together := observe.Worst(v.Together, v.Verdicts)
		if found := v.Verdicts[together.ID]; found.IsFault() && (worst == nil || verdict.Compare(found, worst.Verdict) < 0) {
			// No process's own panel says why.
			text := fmt.Sprintf("%s: %s; %s.", together.Name, found.Kind, all)
			return strings.Join(append([]string{text}, first(verdict.Evidence(found))...), " ")
		}
	}
	if worst == nil {
		switch grows := fastest.Growth > 0 && !fastest.Growth.Flat(); {
		case grows && fastest.Verdict.Kind == verdict.Healthy: // it does not last
			return all + "."
		case grows:
			return fmt.Sprintf("%s; %s grows the fastest: %s.", all, fastest.Name, fastest.Trend)
		}
		return all + "; none grows."
	}
	text := fmt.Sprintf("%s: %s", worst.Name, worst.Verdict.Kind)
	if worst.Verdict.Kind != verdict.DescriptorLeak { // which is of others than these
		holds := ", holds "
		if o.Subject(worst.ID).EndedAfter > 0 {
			holds = ", has ended, held "
		}
		text += holds + words.Plural(heldBy(o, worst.ID), "socket")
	}
	if others > 0 {
		text += "; " + words.Plural(others, "other has a fault", "others have a fault")
	}
	if len(s.Panels) > 1 {
		text += "; " + all
	}
	return text + "."
}

// worstPanel is the panel whose verdict matters most, and of several that are as
// sure the one that holds most; nil if none has a fault. others is how many more
// have one.
func worstPanel(o *series.Observation, panels []Panel) (worst *Panel, others int) {
	for i := range panels {
		p := &panels[i]
		if !p.Verdict.IsFault() {
			continue
		}
		if worst != nil {
			others++
		}
		if worst == nil || verdict.Compare(p.Verdict, worst.Verdict) < 0 ||
			(verdict.Compare(p.Verdict, worst.Verdict) == 0 && heldBy(o, p.ID) > heldBy(o, worst.ID)) {
			worst = p
		}
	}
	return worst, others
}

// heldBy is how many sockets a subject holds, at both ends. With a port the other end's are
// another process's: then it is the end that has more.
func heldBy(o *series.Observation, id string) int {
	s := o.Subject(id)
	client, server := s.Now(socketstats.Client).Open(), s.Now(socketstats.Server).Open()
	if s.Paired {
		return max(client, server)
	}
	return client + server
}
