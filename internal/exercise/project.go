package exercise

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"socketlab/internal/regular"
)

// stateFile is the file of a participant's folder that says what it is.
const stateFile = ".exercise.json"

// State is what is kept of a participant's work, in the folder alone.
type State struct {
	ID       string `json:"exercise"`
	Language string `json:"language,omitempty"`
	// Guess is what the participant predicted; nil before that.
	Guess *float64 `json:"guess,omitempty"`
	// GuessShown says that a check has shown the guess beside what came.
	GuessShown bool `json:"guess_shown,omitempty"`
	// Hints is how many were seen, and Checks how often the work was checked.
	Hints  int `json:"hints,omitempty"`
	Checks int `json:"checks,omitempty"`
	// Started is when the folder was made, and Done when a check first passed; zero
	// before that.
	Started time.Time `json:"started,omitzero"`
	Done    time.Time `json:"done,omitzero"`
}

// Took is how long the participant has worked at now, or had when a check first passed; 0
// where that is not known.
func (s *State) Took(now time.Time) time.Duration {
	if !s.Done.IsZero() {
		now = s.Done
	}
	if s.Started.IsZero() {
		return 0
	}
	return max(0, now.Sub(s.Started))
}

// Project is a participant's folder.
type Project struct {
	Dir      string
	Exercise Exercise
	// Language is nil for a diagnosis.
	Language *Language
	State    State
}

// File is what the participant is to change or to fill in.
func (p *Project) File() string {
	if p.Language == nil {
		return answerFile
	}
	return p.Language.File
}

// commands end every task: they are the same in all.
const commands = `
## The commands

In this folder:

    sockwatch exercise predict NUMBER   # your guess, before the first check
    sockwatch exercise check            # plays the load against your code and measures it
    sockwatch exercise watch            # does so each time you save
    sockwatch exercise hint             # three hints, one after the other
    sockwatch exercise answer           # what was wrong, and our solution
    sockwatch exercise reset            # puts the files back as they were
` + nextOne

// commandsOfDiagnosis are those of a diagnosis.
const commandsOfDiagnosis = `
## The commands

In this folder:

    sockwatch exercise run     # starts the processes, and ends them with Ctrl-C (leave it running)

In another terminal, in this folder:

    sockwatch watch --pid PID      # its sockets, while they come and go
    sockwatch diagnose --pid PID   # what sockwatch finds
    sockwatch explain              # all kinds of faults
    sockwatch exercise check       # is your answer right?
    sockwatch exercise hint        # three hints, one after the other
    sockwatch exercise answer      # what was wrong
` + nextOne

// nextOne says where to begin the next exercise.
const nextOne = `
Begin another exercise in an empty folder of yours, and not in this one:
` + "`sockwatch exercise start ID` makes its folder there. In a git clone its files would be\nuntracked ones.\n"

// ErrNoFolder is the error of a folder whose name is empty, as the variable of a script is that
// was not set: the files of the current one would be written over.
var ErrNoFolder = errors.New("the folder's name is empty: give one, or . for this folder")

// Start makes a participant's folder, which must not be there, or be empty. The language
// is nil for a diagnosis.
func Start(e Exercise, l *Language, dir string) (*Project, error) {
	if dir == "" {
		return nil, ErrNoFolder
	}
	switch entries, err := os.ReadDir(dir); {
	case err == nil && len(entries) > 0:
		return nil, fmt.Errorf("%s is there already, and is not empty: give another folder (sockwatch exercise start %s DIR)", dir, e.ID)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	p := &Project{Dir: dir, Exercise: e, Language: l, State: State{ID: e.ID, Started: time.Now().UTC().Truncate(time.Second)}}
	if l != nil {
		p.State.Language = l.Name
	}
	if err := p.Reset(); err != nil {
		empty(dir) // a part of it would look like all
		return nil, err
	}
	return p, nil
}

// empty removes what is in a folder, and the folder where that can be: not the one we are in.
func empty(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		_ = os.RemoveAll(filepath.Join(dir, e.Name()))
	}
	_ = os.Remove(dir)
}

// Reset writes all files as they were at the start. What is known of the participant's
// work stays.
func (p *Project) Reset() error {
	task, err := p.Exercise.text("task.md", p.Language)
	if err != nil {
		return err
	}
	files, end := map[string][]byte{answerFile: []byte(p.Exercise.Find.form())}, commandsOfDiagnosis
	if p.Language != nil {
		end = p.Language.install + commands
		if files, err = p.code(); err != nil {
			return err
		}
	}
	files["TASK.md"] = []byte(task + end)
	if err := writeFiles(p.Dir, files); err != nil {
		return err
	}
	return p.Save()
}

// code is the starter with its harness.
func (p *Project) code() (map[string][]byte, error) {
	files, err := p.Exercise.Code(p.Language, "starter")
	if err != nil {
		return nil, err
	}
	harness, err := p.Language.harness()
	maps.Copy(files, harness)
	return files, err
}

// Open reads a participant's folder.
func Open(dir string) (*Project, error) {
	if dir == "" {
		return nil, ErrNoFolder
	}
	data, err := regular.Read(filepath.Join(dir, stateFile), maxSource)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not the folder of an exercise: go to one, or make one with 'sockwatch exercise start ID'", dir)
	}
	if err != nil {
		return nil, err
	}
	p := &Project{Dir: dir}
	if err := json.Unmarshal(data, &p.State); err != nil {
		return nil, fmt.Errorf("%s is damaged (%w): begin anew in another folder with 'sockwatch exercise start ID', and copy your code there", filepath.Join(dir, stateFile), err)
	}
	if p.Exercise, err = Find(p.State.ID); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, stateFile), err)
	}
	if hints := len(p.Exercise.HintsFor(p.State.Language)); p.State.Hints < 0 || p.State.Hints > hints {
		return nil, fmt.Errorf("%s: \"hints\" is %d, and it is how many of the %d you have seen: put it right", filepath.Join(dir, stateFile), p.State.Hints, hints)
	}
	if p.Exercise.Sort == Diagnosis {
		return p, nil
	}
	if p.Language, err = FindLanguage(p.State.Language); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, stateFile), err)
	}
	return p, nil
}

// Save writes what is known of the participant's work. What was known before stays where
// that cannot be written, on a full disk for instance.
func (p *Project) Save() error {
	data, err := json.MarshalIndent(p.State, "", "  ")
	if err != nil {
		return err
	}
	at := filepath.Join(p.Dir, stateFile)
	err = os.WriteFile(at+".new", append(data, '\n'), 0o644)
	if err == nil {
		err = os.Rename(at+".new", at)
	}
	if err != nil {
		_ = os.Remove(at + ".new")
	}
	return err
}

// Checked enters a check, and saves.
func (p *Project) Checked(ok bool) error {
	p.State.Checks++
	p.State.GuessShown = p.State.Guess != nil
	if ok && p.State.Done.IsZero() {
		p.State.Done = time.Now().UTC().Truncate(time.Second)
	}
	return p.Save()
}
