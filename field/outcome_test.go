//go:build linux

package field_test

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// outcome is one look's answer beside what is true.
type outcome struct {
	form       *form
	mode       string
	look       query
	kind       string // said of the subject
	severity   string
	confidence string
	late       bool
	wrong      string // "" if the answer is right
	falseAlarm bool
	cannotTell bool
}

// judge compares what was said with what is true of one look's subject. expected is
// all looks of the same call: their subjects may be accused, nobody else.
func (p *player) judge(f *form, mode string, l query, expected []query, s said) outcome {
	o := outcome{form: f, mode: mode, look: l, kind: "nothing", severity: "none", late: s.stopped}
	healthy := !slices.Contains(l.Severity, "leak") && !slices.Contains(l.Severity, "fault")
	subject := p.subjectOf(s, l.Subject)
	if subject >= 0 {
		v := s.Subjects[subject].Verdict
		o.kind, o.severity, o.confidence = v.Kind, cmp.Or(v.Severity, "none"), v.Confidence
	} else if len(s.Subjects) == 0 && s.exit == 1 {
		o.kind = "cannot-see"
	} else if len(s.Subjects) > 0 && healthy {
		o.kind, o.severity = s.Kind, cmp.Or(s.Severity, "none") // of all that was looked at
	} else if len(s.Subjects) > 0 {
		o.kind = "nothing of it"
	}
	var wrong []string
	var blamed []string
	for i, other := range s.Subjects {
		if i == subject || !accuses(other.Verdict.Severity) {
			continue
		}
		// A sum over several processes may say what is true of one of them, and so may
		// one that the subject started.
		if !slices.ContainsFunc(expected, func(e query) bool {
			return p.subjectOf(s, e.Subject) == i ||
				(other.PID == 0 || slices.Contains(below(p.pids[e.Subject]), other.PID)) &&
					slices.Contains(e.Kind, other.Verdict.Kind) && slices.Contains(e.Severity, other.Verdict.Severity)
		}) {
			blamed = append(blamed, fmt.Sprintf("%s is blamed of %s", other.Name, other.Verdict.Kind))
		}
	}
	wrong = append(wrong, blamed...)
	// Growing is said of no fault yet, with whatever weight.
	growing := o.kind == "growing" && !accuses(o.severity)
	if !slices.Contains(l.Kind, o.kind) || !slices.Contains(l.Severity, o.severity) && !growing {
		wrong = append(wrong, fmt.Sprintf("want %s (%s) of %s, got %s (%s)", strings.Join(l.Kind, " or "),
			strings.Join(l.Severity, " or "), l.Subject, o.kind, o.severity))
	}
	if len(l.Confidence) > 0 && !slices.Contains(l.Confidence, o.confidence) {
		wrong = append(wrong, "nothing that is seen bears confidence "+o.confidence)
	}
	if len(wrong) == 0 && !s.stopped && (accuses(o.severity) != (s.exit == 3)) && len(expected) == 1 {
		wrong = append(wrong, fmt.Sprintf("exit code %d", s.exit))
	}
	o.wrong = strings.Join(wrong, "; ")
	if o.wrong != "" {
		o.falseAlarm = len(blamed) > 0 || healthy && accuses(o.severity)
		o.cannotTell = !o.falseAlarm && slices.Contains([]string{"not-enough-data", "growing", "cannot-see", "nothing"}, o.kind)
	}
	return o
}

func accuses(severity string) bool { return severity == "leak" || severity == "fault" }

// subjectOf is the index of the subject that speaks of a role: its own process, or
// one that it is a child of, or below it; -1 if there is none.
func (p *player) subjectOf(s said, role string) int {
	pid := p.pids[role]
	find := func(match func(subject int) bool) int {
		for i, subject := range s.Subjects {
			if match(subject.PID) {
				return i
			}
		}
		return -1
	}
	if i := find(func(other int) bool { return other == pid }); i >= 0 {
		return i
	}
	if i := find(func(other int) bool { return slices.Contains(below(other), pid) }); i >= 0 {
		return i
	}
	// Of several children, the one that says most.
	kids := below(pid)
	if i := find(func(other int) bool { return slices.Contains(kids, other) && accusesPID(s, other) }); i >= 0 {
		return i
	}
	return find(func(other int) bool { return slices.Contains(kids, other) })
}

func accusesPID(s said, pid int) bool {
	for _, subject := range s.Subjects {
		if subject.PID == pid && accuses(subject.Verdict.Severity) {
			return true
		}
	}
	return false
}

// printTables prints what was said against what is true, for each half apart, and
// returns how many answers are wrong.
func printTables(w io.Writer, outcomes []outcome) int {
	allWrong := 0
	for _, half := range []string{"a", "b"} {
		var of []outcome
		for _, o := range outcomes {
			if o.form.Half == half {
				of = append(of, o)
			}
		}
		if len(of) == 0 {
			continue
		}
		n := map[[2]string]int{}
		said, right := map[string]bool{}, 0
		var late, alarms, cannot, missed int
		graded := map[string][2]int{} // by confidence: wrong, all
		names := map[string]bool{}
		for _, o := range of {
			names[o.form.Name] = true
			truth := o.look.Kind[0] + " (" + strings.Join(o.look.Severity, " or ") + ")"
			n[[2]string{truth, o.kind}]++
			n[[2]string{truth, ""}]++
			said[o.kind] = true
			g := graded[o.confidence]
			g[1]++
			if o.wrong == "" {
				right++
				if o.late {
					late++
				}
			} else {
				g[0]++
				switch {
				case o.falseAlarm:
					alarms++
				case o.cannotTell:
					cannot++
				case !accuses(o.severity):
					missed++
				}
			}
			graded[o.confidence] = g
		}
		allWrong += len(of) - right
		fmt.Fprintf(w, "\nHalf %s: %d forms, %d answers\n\n", half, len(names), len(of))
		columns := slices.Sorted(maps.Keys(said))
		fmt.Fprintf(w, "| true | answers | %s |\n|%s\n", strings.Join(columns, " | "), strings.Repeat(" --- |", len(columns)+2))
		truths := map[string]bool{}
		for key := range n {
			truths[key[0]] = true
		}
		for _, truth := range slices.Sorted(maps.Keys(truths)) {
			fmt.Fprintf(w, "| %s | %d |", truth, n[[2]string{truth, ""}])
			for _, c := range columns {
				fmt.Fprintf(w, " %d |", n[[2]string{truth, c}])
			}
			fmt.Fprintln(w)
		}
		wrong := len(of) - right
		fmt.Fprintf(w, "\nright: %d of %d (%.1f %%), %d of them asked for at the end of their time\n", right, len(of), 100*float64(right)/float64(len(of)), late)
		fmt.Fprintf(w, "wrong: %d: %d false alarms, %d faults missed, %d \"cannot tell\", %d other kinds or severities\n",
			wrong, alarms, missed, cannot, wrong-alarms-missed-cannot)
		for _, c := range []string{"high", "medium", "low"} {
			fmt.Fprintf(w, "confidence %s: %d wrong of %d\n", c, graded[c][0], graded[c][1])
		}
		for _, o := range of {
			if o.wrong != "" {
				fmt.Fprintf(w, "wrong: %s, %s, %s: %s%s\n", o.form.Name, o.mode, o.look, o.wrong, confidenceOf(o))
			}
		}
	}
	return allWrong
}

func confidenceOf(o outcome) string {
	if o.confidence == "" {
		return ""
	}
	return ", confidence " + o.confidence
}

// logf prints progress at once, whatever go test keeps back.
func logf(format string, a ...any) { fmt.Fprintf(os.Stderr, format+"\n", a...) }
