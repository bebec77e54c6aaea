package exercise

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"socketlab/exercises"
	"socketlab/internal/regular"
	"socketlab/internal/render"
	"socketlab/internal/scenario"
	"socketlab/internal/verdict/kind"
)

// answerFile is where the participant writes what was found.
const answerFile = "answer.yaml"

// Wanted is the right answer to a diagnosis. Process is the name of the one with the fault.
type Wanted struct {
	Process string `yaml:"process"`
	// Kinds are the kinds of fault that are right: of some faults sockets show one
	// and descriptors another.
	Kinds []kind.Kind `yaml:"kinds"`
	// Line says that the line of its source is asked for, which its goroutine profile has.
	Line bool `yaml:"line,omitempty"`
}

func (f Wanted) check(processes []string) error {
	switch {
	case !slices.Contains(processes, f.Process):
		return fmt.Errorf("find.process %q is none of the processes", f.Process)
	case len(f.Kinds) == 0:
		return errors.New("find.kinds are missing")
	}
	for _, k := range f.Kinds {
		if !slices.Contains(kind.All(), k) {
			return fmt.Errorf("find.kinds: %q is no kind of verdict", k)
		}
	}
	return nil
}

// form is the file that the participant fills in.
func (f Wanted) form() string {
	text := "# What did you find? Write it after the colons, then: sockwatch exercise check\n" +
		"process: # its name\n" +
		"kind:    # the kind of fault, as 'sockwatch explain' lists them\n"
	if f.Line {
		text += "line:    # the number of the line in its main.go\n"
	}
	return text
}

// found is what a participant wrote.
type found struct {
	Process string `yaml:"process"`
	Kind    string `yaml:"kind"`
	Line    string `yaml:"line"`
}

// Finding is one thing that was to be found, with what the participant wrote.
type Finding struct {
	What, Yours string
	Right       bool
	Unknown     bool // there is no process, or no kind of fault, of that name
}

// Diagnosed holds a participant's answer against the right one: a finding for each part
// that is asked for, in that order.
type Diagnosed struct {
	Exercise Exercise
	Findings []Finding
}

// Passed says that all was found.
func (d Diagnosed) Passed() bool {
	return !slices.ContainsFunc(d.Findings, func(f Finding) bool { return !f.Right })
}

// mark ends the line of a process's source that is to be found.
const mark = "// found here"

// line is the number of the line to find; 0 if there is none.
func (e Exercise) line() (int, error) {
	source, err := exercises.Files.ReadFile(e.ID + "/processes/" + e.Find.Process + "/main.go")
	for i, text := range strings.Split(string(source), "\n") {
		if strings.HasSuffix(text, mark) {
			return i + 1, err
		}
	}
	return 0, err
}

// Diagnosed compares what the participant wrote with what is so.
func (p *Project) Diagnosed() (Diagnosed, error) {
	d := Diagnosed{Exercise: p.Exercise}
	name := filepath.Join(p.Dir, answerFile)
	data, err := regular.Read(name, maxSource)
	if err != nil {
		return d, fmt.Errorf("%w: 'sockwatch exercise reset' puts it back as it was", err)
	}
	var wrote found
	if err := scenario.ReadYAML(name, data, "an answer", "process and kind", &wrote); err != nil {
		return d, err
	}
	find := p.Exercise.Find
	process, fault := strings.TrimSpace(wrote.Process), kind.Kind(strings.TrimSpace(wrote.Kind))
	d.Findings = []Finding{
		{What: "process", Yours: wrote.Process, Right: process == find.Process, Unknown: !slices.Contains(p.Exercise.Processes, process)},
		{What: "kind", Yours: wrote.Kind, Right: slices.Contains(find.Kinds, fault), Unknown: !slices.Contains(kind.All(), fault)},
	}
	if find.Line {
		line, err := p.Exercise.line()
		if err != nil {
			return d, err
		}
		d.Findings = append(d.Findings, Finding{What: "line", Yours: wrote.Line, Right: strings.TrimSpace(wrote.Line) == strconv.Itoa(line)})
	}
	return d, nil
}

// Document is the result for people and for programs.
func (d Diagnosed) Document() *render.Document {
	table := render.Table{Name: "what you found", Columns: []render.Column{{Title: "what"}, {Title: "your answer"}, {Title: "result"}}}
	var (
		group    render.Group
		findings []render.Object
	)
	records := [][]string{{"what", "answer", "right"}}
	for _, f := range d.Findings {
		label := "right"
		switch {
		case f.Yours == "":
			label = "nothing yet"
		case f.Unknown:
			label = "NOT RIGHT: no such " + f.What
		case !f.Right:
			label = "NOT RIGHT"
		}
		group.Rows = append(group.Rows, render.Words(f.What, f.Yours, label))
		records = append(records, []string{f.What, f.Yours, fmt.Sprint(f.Right)})
		findings = append(findings, render.Object{{Name: "what", Value: f.What}, {Name: "answer", Value: f.Yours}, {Name: "right", Value: f.Right}})
	}
	table.Groups = []render.Group{group}
	title, says := d.Exercise.ID+": "+d.Exercise.Title, "Done: your diagnosis is right."
	if !d.Passed() {
		says = "Not done yet. Stuck? 'sockwatch exercise hint' helps a little, and a little more each time."
	}
	return &render.Document{
		Title: title, Records: records,
		Data: render.Object{
			{Name: "schema", Value: "sockwatch.exercise-diagnosis/v1"},
			{Name: "exercise", Value: d.Exercise.ID},
			{Name: "passed", Value: d.Passed()},
			{Name: "findings", Value: findings},
		},
		Blocks: []render.Block{render.Part{Title: title}, table, render.Text{Text: says}},
	}
}
