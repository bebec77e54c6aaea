// Package exercise reads the exercises, makes a participant's folder of one, builds what
// is in it, and judges what a run of it showed. It plays nothing itself.
package exercise

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"socketlab/exercises"
	"socketlab/internal/metric"
	"socketlab/internal/scenario"
	"socketlab/scenarios"
)

// Exercise is one exercise.yaml.
type Exercise struct {
	ID    string `yaml:"id"`
	Title string `yaml:"title"`
	// Order is where it stands among the others: those with a lower one come first.
	Order int `yaml:"order"`
	// Level is 1 to 4, and Minutes how long a participant needs.
	Level   int `yaml:"level"`
	Minutes int `yaml:"minutes"`
	// Script is the scenario whose server and load are played, and Speed the speed; 0 is
	// the scenario's own.
	Script string  `yaml:"script"`
	Speed  float64 `yaml:"speed,omitempty"`
	// Load takes the place of the scenario's, in its form; nil is the scenario's own. It is
	// for a check that says its result within 5 s of a save.
	Load any `yaml:"load,omitempty"`
	// Predict is what the participant guesses first, of the starter.
	Predict Prediction `yaml:"predict"`
	// Expect is what the participant's code must show.
	Expect []scenario.Expectation `yaml:"expect"`
	// Languages is what differs in a language; one that is not named has nothing of its
	// own.
	Languages map[string]Own `yaml:"languages,omitempty"`
	// Hints are three, of growing clarity.
	Hints []string `yaml:"hints"`
	// Sort is diagnosis where processes run and nothing is to be changed; "" where code
	// is. Script, Speed, Predict, Expect and Languages are of the latter, Processes and
	// Find of the former.
	Sort      string   `yaml:"sort,omitempty"`
	Processes []string `yaml:"processes,omitempty"`
	Find      Wanted   `yaml:"find,omitempty"`
}

// Diagnosis is the sort of an exercise in which only a diagnosis is made.
const Diagnosis = "diagnosis"

// Prediction is a question about the starter, and the metric that answers it.
type Prediction struct {
	Ask    string `yaml:"ask"`
	Metric string `yaml:"metric"`
}

// Own takes the place of an exercise's own speed, load, bounds and hints in one language. The
// zero value changes none of them.
type Own struct {
	// Speed is for a language whose libraries cannot keep up with times as short as those
	// of the speed for all.
	Speed  float64                `yaml:"speed,omitempty"`
	Load   any                    `yaml:"load,omitempty"`
	Expect []scenario.Expectation `yaml:"expect,omitempty"`
	Hints  []string               `yaml:"hints,omitempty"`
}

// maxLevel is the highest level, and hintCount how many hints an exercise has.
const (
	maxLevel  = 4
	hintCount = 3
)

// All are the exercises, in their order.
func All() ([]Exercise, error) {
	names, err := fs.Glob(exercises.Files, "*/exercise.yaml")
	if err != nil {
		return nil, err
	}
	var all []Exercise
	for _, name := range names {
		e, err := read(name)
		if err != nil {
			return nil, fmt.Errorf("exercises/%s: %w", name, err)
		}
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b Exercise) int { return a.Order - b.Order })
	return all, nil
}

func read(name string) (e Exercise, err error) {
	data, err := exercises.Files.ReadFile(name)
	if err != nil {
		return e, err
	}
	if err := yaml.UnmarshalWithOptions(data, &e, yaml.Strict()); err != nil {
		return e, err
	}
	if e.ID != path.Dir(name) {
		return e, fmt.Errorf("its id is %q", e.ID)
	}
	return e, e.check()
}

// IDs are the names of the exercises, in their order.
func IDs() []string {
	all, _ := All() // a test reads them all
	ids := make([]string, len(all))
	for i, e := range all {
		ids[i] = e.ID
	}
	return ids
}

// Find returns the exercise with a name.
func Find(id string) (Exercise, error) {
	if !slices.Contains(IDs(), id) {
		return Exercise{}, fmt.Errorf("no exercise %q", id)
	}
	return read(id + "/exercise.yaml")
}

// check says what is wrong with an exercise, or returns nil.
func (e Exercise) check() error {
	switch {
	case strings.TrimSpace(e.Title) == "":
		return errors.New("title is missing")
	case e.Level < 1 || e.Level > maxLevel:
		return fmt.Errorf("level %d is not between 1 and %d", e.Level, maxLevel)
	case e.Minutes < 1:
		return errors.New("minutes are missing")
	case len(e.Hints) != hintCount:
		return fmt.Errorf("it has %d hints, not %d", len(e.Hints), hintCount)
	case e.Sort == Diagnosis:
		return e.Find.check(e.Processes)
	case e.Sort != "":
		return fmt.Errorf("sort is %q: use %s, or leave it out", e.Sort, Diagnosis)
	case !scenarios.Has(e.Script):
		return fmt.Errorf("script %q is no scenario", e.Script)
	case len(e.Expect) == 0:
		return errors.New("expect is missing")
	case e.Predict.Ask == "":
		return errors.New("predict.ask is missing")
	}
	if _, err := metric.Lookup(e.Predict.Metric); err != nil {
		return fmt.Errorf("predict.metric: %w", err)
	}
	for name := range e.Languages {
		if _, err := FindLanguage(name); err != nil {
			return err
		}
	}
	_, err := e.Play("")
	return err
}

// Bounds returns the expectations of code in a language: those that the exercise has for
// it, or else those for all.
func (e Exercise) Bounds(language string) []scenario.Expectation {
	if own := e.Languages[language].Expect; len(own) > 0 {
		return own
	}
	return e.Expect
}

// HintsFor are the hints for those who work in a language.
func (e Exercise) HintsFor(language string) []string {
	if own := e.Languages[language].Hints; len(own) > 0 {
		return own
	}
	return e.Hints
}

// giveAway are the parts of a scenario's script that name its fault or judge its own
// code, and those that the exercise has itself.
var giveAway = []string{"id", "title", "order", "fault", "symptoms", "headline", "says", "steps", "sweep", "expect", "narration", "speed"}

// Play is the script to play with code in a language, at its speed: the scenario's
// server and load, under the exercise's name and bounds.
func (e Exercise) Play(language string) (scenario.Script, error) {
	of, err := scenarios.Script(e.Script)
	if err != nil {
		return scenario.Script{}, err
	}
	speed := cmp.Or(e.Languages[language].Speed, e.Speed, of.Speed)
	load := e.Load
	if own := e.Languages[language].Load; own != nil {
		load = own
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "id: %s\ntitle: %q\nspeed: %g\nheadline: %s\n", e.ID, e.Title, speed, e.Predict.Metric)
	if of.Implementation == e.Script {
		fmt.Fprintf(&text, "implementation: %s\n", e.Script)
	}
	left := giveAway
	if load != nil {
		own, err := yaml.Marshal(map[string]any{"load": load})
		if err != nil {
			return scenario.Script{}, err
		}
		text.Write(own)
		left = append(slices.Clone(left), "load")
	}
	text.WriteString(without(of.Text, left))
	text.WriteString("\nexpect:\n")
	for _, side := range scenario.Sides() {
		fmt.Fprintf(&text, "  %s:\n", side)
		for _, bound := range e.Bounds(language) {
			fmt.Fprintf(&text, "    - %q\n", bound)
		}
	}
	s, err := scenario.Parse("the script of "+e.ID, text.Bytes(), scenarios.IDs())
	if err != nil {
		return scenario.Script{}, err
	}
	return s.AtSpeed(speed), nil
}

// without leaves keys of the first level out of a YAML text.
func without(text string, keys []string) string {
	var kept strings.Builder
	skip := false
	for line := range strings.Lines(text) {
		switch line[0] {
		case ' ', '\t', '#', '\n', '\r', '-', ']', '}': // of the key before
		default:
			key, _, _ := strings.Cut(line, ":")
			skip = slices.Contains(keys, key)
		}
		if !skip {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// text reads one of the texts of the exercise, with the file to change of a language; nil
// is that of a diagnosis.
func (e Exercise) text(name string, l *Language) (string, error) {
	data, err := exercises.Files.ReadFile(e.ID + "/" + name)
	file := answerFile
	if l != nil {
		file = l.File
	}
	return strings.ReplaceAll(string(data), "{file}", file), err
}

// Code returns the files of a variant, such as starter, in a language: their names in the
// participant's folder, and what is in them. It fails where the exercise is not in that
// language.
func (e Exercise) Code(l *Language, variant string) (map[string][]byte, error) {
	files, err := l.read(exercises.Files, path.Join(e.ID, l.Name, variant))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not in %s: use --lang %s", e.ID, l.Title, strings.Join(e.LanguageNames(), " or "))
	}
	return files, err
}

// LanguageNames are the languages that the exercise is in.
func (e Exercise) LanguageNames() (names []string) {
	for _, l := range languages {
		if _, err := fs.Stat(exercises.Files, path.Join(e.ID, l.Name)); err == nil {
			names = append(names, l.Name)
		}
	}
	return names
}

// Answer is our explanation, and our code in a language; none for a diagnosis, whose
// language is nil.
func (e Exercise) Answer(l *Language) (text string, code map[string][]byte, err error) {
	if text, err = e.text("answer.md", l); err != nil || l == nil {
		return text, nil, err
	}
	code, err = e.Code(l, "answer")
	return text, code, err
}
