//go:build linux

package field_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// form is a form.yaml: a program that leaks, and the same program when it is healthy.
type form struct {
	Name     string       `yaml:"name"`
	Half     string       `yaml:"half"`    // a or b
	Runtime  string       `yaml:"runtime"` // what the judged program runs on
	What     string       `yaml:"what"`
	Start    string       `yaml:"start"` // called with leaking or healthy, and seconds
	Requires requirements `yaml:"requires"`
	// Inside names what the form is played inside of, instead of directly: see [wrap].
	Inside []string `yaml:"inside"`
	// Variants are further plays of the same form, by name, each with its Inside.
	Variants map[string][]string `yaml:"variants"`
	Leaking  *side               `yaml:"leaking"`
	Healthy  *side               `yaml:"healthy"`
	// Only says why one of the two sides is missing.
	Only string `yaml:"only"`
}

type requirements struct {
	Commands []string `yaml:"commands"`
	Packages []string `yaml:"packages"` // of Debian 12, which bring the commands and modules
	Python   []string `yaml:"python"`   // modules
	Npm      []string `yaml:"npm"`      // packages, name@version, found through NODE_PATH
	Root     bool     `yaml:"root"`
}

type side struct {
	// Facts are what the sockets do, checked against /proc while the form is played.
	Facts []fact  `yaml:"facts"`
	Looks []query `yaml:"looks"`
	// CannotTell is why no one outside the program can know what is true.
	CannotTell string `yaml:"cannot_tell"`
	// After is how long the form is left alone before it is looked at.
	After time.Duration `yaml:"after"`
}

// query is one call of sockwatch diagnose, and what is true of its subject. Looks of a
// side with the same By, Role, As and For are one call.
type query struct {
	By   string        `yaml:"by"`   // pid, name or port
	Role string        `yaml:"role"` // whose pid, name or port
	As   string        `yaml:"as"`   // the user who looks; root unless told
	For  time.Duration `yaml:"for"`  // --for, if not zero
	// Subject is the role that the verdict must be about; Role unless told.
	Subject  string   `yaml:"subject"`
	Kind     []string `yaml:"kind"`     // the first is the best word; the others are true too
	Severity []string `yaml:"severity"` // none, note, fault or leak
	// Confidence is what the answer may claim, where what is seen cannot bear more.
	Confidence []string      `yaml:"confidence"`
	Within     time.Duration `yaml:"within"` // an answer later than this is late
	// Quick ones are part of every go test: their forms need Go and Python only.
	Quick bool `yaml:"quick"`
}

func (l query) String() string {
	s := "--" + l.By + " of " + l.Role
	if l.For > 0 {
		s += ", --for " + l.For.String()
	}
	if l.As != "" {
		s += ", as " + l.As
	}
	return s
}

// A fact is "ROLE.COUNTER grows", "… flat", "… >= N" or "… <= N". A role with a
// star is its process with all below it.
type fact string

var factPattern = regexp.MustCompile(`^([\w-]+\*?)\.(\w+) (?:(grows|flat)|(>=|<=) (\d+))$`)

var (
	kinds = []string{
		"healthy", "not-enough-data", "growing", "connection-churn", "idle-connections-not-reused", "connection-growth",
		"response-body-leak", "close-wait-leak", "half-closed-connections", "descriptor-leak", "inherited-connections",
		"request-stalled", "connect-stalled", "accept-stalled", "accept-queue-overflow", "pool-exhaustion",
		"server-idle-clients", "half-open-connections", "fd-exhaustion", "port-exhaustion", "cannot-see",
		"idle-timeout-missing", "retry-storm",
	}
	severities = []string{"none", "note", "fault", "leak"}
	places     = []string{"network", "pid", "nobody"}
)

// sides are the form's, in the order in which they are played.
func (f *form) sides() map[string]*side {
	m := map[string]*side{}
	if f.Leaking != nil {
		m["leaking"] = f.Leaking
	}
	if f.Healthy != nil {
		m["healthy"] = f.Healthy
	}
	return m
}

// loadForms reads all forms, with each variant as a form of its own.
func loadForms() ([]*form, error) {
	files, err := filepath.Glob("forms/*/form.yaml")
	if err != nil {
		return nil, err
	}
	var forms []*form
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		f := &form{}
		if err := yaml.UnmarshalWithOptions(data, f, yaml.Strict()); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if err := f.check(filepath.Base(filepath.Dir(file))); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		forms = append(forms, f)
		for name, inside := range f.Variants {
			v := *f
			v.Name, v.Inside, v.Variants = f.Name+"/"+name, inside, nil
			v.Leaking, v.Healthy = v.Leaking.inside(inside), v.Healthy.inside(inside)
			forms = append(forms, &v)
		}
	}
	return forms, nil
}

// inside is the side as it is looked at when it is played in other places. A port in
// another network namespace is nobody's here, and an ordinary user looks too where
// the program is that user's.
func (s *side) inside(places []string) *side {
	if s == nil {
		return nil
	}
	t := *s
	t.Looks = nil
	for _, l := range s.Looks {
		if l.By == "port" && slices.Contains(places, "network") {
			continue
		}
		l.Quick = false
		t.Looks = append(t.Looks, l)
		if slices.Contains(places, "nobody") && l.By == "pid" {
			l.As = "nobody"
			t.Looks = append(t.Looks, l)
		}
	}
	return &t
}

// quick is the side with its quick looks only, or nil.
func (s *side) quick() *side {
	if s == nil {
		return nil
	}
	t := *s
	t.Looks = slices.DeleteFunc(slices.Clone(s.Looks), func(l query) bool { return !l.Quick })
	if len(t.Looks) == 0 {
		return nil
	}
	for i := range t.Looks {
		t.Looks[i].Within = 5 * time.Minute // late is no failure of a test
	}
	return &t
}

// check completes what is left out, and returns what is wrong.
func (f *form) check(folder string) error {
	var wrong []string
	mustBe := func(ok bool, format string, a ...any) {
		if !ok {
			wrong = append(wrong, fmt.Sprintf(format, a...))
		}
	}
	mustBe(f.Name == folder, "name %q is not the folder's", f.Name)
	mustBe(f.Half == "a" || f.Half == "b", "half %q", f.Half)
	mustBe(f.What != "" && f.Runtime != "" && f.Start != "", "what, runtime and start must be there")
	mustBe((f.Leaking != nil && f.Healthy != nil) != (f.Only != ""), "both sides, or only: why there is one")
	for _, place := range f.Inside {
		mustBe(slices.Contains(places, place), "inside %q", place)
	}
	for name, s := range f.sides() {
		mustBe(len(s.Looks) > 0, "%s has no look", name)
		mustBe(len(s.Facts) > 0, "%s has no fact", name)
		for _, fact := range s.Facts {
			mustBe(factPattern.MatchString(string(fact)), "fact %q", fact)
		}
		for i := range s.Looks {
			l := &s.Looks[i]
			if l.Subject == "" {
				l.Subject = l.Role
			}
			if l.Within == 0 {
				l.Within = max(time.Minute, l.For+15*time.Second)
			}
			mustBe(slices.Contains([]string{"pid", "name", "port"}, l.By), "by %q", l.By)
			mustBe(l.Role != "", "a look without role")
			mustBe(len(l.Kind) > 0 && len(l.Severity) > 0, "a look without kind or severity")
			for _, k := range l.Kind {
				mustBe(slices.Contains(kinds, k), "kind %q", k)
			}
			for _, v := range l.Severity {
				mustBe(slices.Contains(severities, v), "severity %q", v)
			}
		}
	}
	if len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "; "))
	}
	return nil
}

// missing says what the form needs that is not here, or "".
func (f *form) missing() string {
	if os.Geteuid() != 0 && (f.Requires.Root || len(f.Inside) > 0) {
		return "root"
	}
	commands := append([]string{strings.Fields(f.Start)[0]}, f.Requires.Commands...)
	for _, c := range commands {
		if c == "{go}" {
			c = "go"
		}
		if _, err := exec.LookPath(c); err != nil {
			return c + " (" + strings.Join(f.Requires.Packages, " ") + ")"
		}
	}
	for _, module := range f.Requires.Python {
		if exec.Command("python3", "-c", "import "+module).Run() != nil {
			return "Python's " + module + " (" + strings.Join(f.Requires.Packages, " ") + ")"
		}
	}
	for _, p := range f.Requires.Npm {
		name, _, _ := strings.Cut(p, "@")
		if exec.Command("node", "-e", "require.resolve(process.argv[1])", name).Run() != nil {
			return "npm's " + p
		}
	}
	return ""
}
