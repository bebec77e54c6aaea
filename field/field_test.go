//go:build linux

// Package field_test plays programs that are not the lab's own, each leaking and
// healthy, and compares what sockwatch diagnose says with what is true: see README.md.
package field_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What scripts/field says by the environment.
var (
	wanted     = os.Getenv("FIELD_FORMS")     // names of forms, or "all"; nothing plays the quick ones only
	wantedHalf = os.Getenv("FIELD_HALF")      // a, b or both
	wantedSide = os.Getenv("FIELD_SIDE")      // leaking, healthy or both
	atATime    = os.Getenv("FIELD_JOBS")      // forms side by side
	again      = os.Getenv("FIELD_AGAIN")     // for how long to begin them again; not at all by default
	onceMore   = os.Getenv("FIELD_ONCE_MORE") // what was wrong beside others is played once more, alone
	program    = os.Getenv("FIELD_SOCKWATCH") // built already
	factsOnly  = os.Getenv("FIELD_FACTS")     // seconds: no diagnosis, only what the sockets do
)

// someWrong becomes exit code 3: the corpus was played, and an answer is wrong.
var someWrong bool

func TestMain(m *testing.M) {
	// Programs of the system before others of the same name: its packages bring
	// modules for them only.
	_ = os.Setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin:"+os.Getenv("PATH"))
	code := m.Run()
	if code == 0 && someWrong {
		code = 3
	}
	os.Exit(code)
}

func TestFormsAreWrittenAndPaired(t *testing.T) {
	t.Parallel()
	forms, err := loadForms()
	require.NoError(t, err)
	require.NotEmpty(t, forms)
	both, cannotTell := 0, 0
	for _, f := range forms {
		if f.Leaking != nil && f.Healthy != nil {
			both++
		}
		for _, s := range f.sides() {
			if s.CannotTell != "" {
				cannotTell++
			}
		}
	}
	assert.LessOrEqual(t, 20*cannotTell, 2*len(forms), "one in twenty at most cannot be told from outside")
	t.Logf("%d forms, %d of them leaking and healthy", len(forms), both)
}

// The quick forms need Go and Python only, and are right on a busy machine too.
func TestQuickForms(t *testing.T) {
	if wanted != "" {
		t.Skip("scripts/field plays what it was asked for")
	}
	if testing.Short() {
		t.Skip("it takes most of a minute")
	}
	forms, err := loadForms()
	require.NoError(t, err)
	forms = slices.DeleteFunc(forms, func(f *form) bool {
		f.Leaking, f.Healthy = f.Leaking.quick(), f.Healthy.quick()
		return f.Leaking == nil && f.Healthy == nil
	})
	require.NotEmpty(t, forms)
	for _, o := range play(t, forms, len(forms)*2, false) {
		assert.Empty(t, o.wrong, "%s, %s, %s", o.form.Name, o.mode, o.look)
	}
}

func TestCorpus(t *testing.T) {
	if wanted == "" {
		t.Skip("scripts/field plays the whole corpus")
	}
	forms, err := loadForms()
	require.NoError(t, err)
	forms = slices.DeleteFunc(forms, func(f *form) bool { return !isWanted(f) })
	for _, name := range strings.Fields(wanted) {
		require.True(t, name == "all" || slices.ContainsFunc(forms, func(f *form) bool { return f.is(name) }), "no form is called %s", name)
	}
	began := time.Now()
	jobs, err := strconv.Atoi(atATime)
	require.NoError(t, err)
	var more time.Duration
	if again != "" {
		more, err = time.ParseDuration(again)
		require.NoError(t, err)
	}
	outcomes := play(t, forms, jobs, true)
	for time.Since(began) < more {
		outcomes = append(outcomes, play(t, forms, jobs, true)...)
	}
	if factsOnly == "" {
		someWrong = printTables(os.Stdout, outcomes) > 0
	}
}

func isWanted(f *form) bool {
	if wantedHalf != "" && wantedHalf != f.Half {
		return false
	}
	return wanted == "all" || slices.ContainsFunc(strings.Fields(wanted), f.is)
}

// is says whether a form is meant by a name: its own, or that of the form of which
// it is a variant.
func (f *form) is(name string) bool {
	base, _, _ := strings.Cut(f.Name, "/")
	return f.Name == name || base == name
}

// play plays both sides of each form, at most jobs at a time, and returns the
// answers in the order of the forms. A form that does not do what it says fails the test.
func play(t *testing.T, forms []*form, jobs int, verbose bool) []outcome {
	dir := t.TempDir()
	// The ordinary user of some looks must reach the program.
	for d := dir; len(d) > len(os.TempDir()); d = filepath.Dir(d) {
		require.NoError(t, os.Chmod(d, 0o755))
	}
	sockwatch := program
	if sockwatch == "" {
		sockwatch = filepath.Join(dir, "sockwatch")
		build(t, sockwatch, "../cmd/sockwatch")
	}
	forms = slices.DeleteFunc(slices.Clone(forms), func(f *form) bool {
		what := f.missing()
		if what != "" {
			t.Logf("%s is left out: it needs %s", f.Name, what)
			if verbose {
				logf("%s is left out: it needs %s", f.Name, what)
			}
		}
		return what != ""
	})
	for _, f := range forms { // before any is played: to build takes all processors
		if strings.Contains(f.Start, "{go}") && !strings.Contains(f.Name, "/") {
			build(t, filepath.Join(dir, f.Name), "forms/"+f.Name+"/main.go")
		}
	}
	results, failed := make([][]outcome, 2*len(forms)), make([]error, 2*len(forms))
	var wg sync.WaitGroup
	free := make(chan struct{}, jobs)
	for i, f := range forms {
		for j, mode := range []string{"leaking", "healthy"} {
			s := f.sides()[mode]
			if s == nil || wantedSide != "" && wantedSide != mode {
				continue
			}
			wg.Go(func() {
				free <- struct{}{}
				defer func() { <-free }()
				began := time.Now()
				answers, err := playSide(f, mode, s, dir, sockwatch)
				results[2*i+j], failed[2*i+j] = answers, err
				if verbose {
					logf("%s, %s (%.0f s)%s", f.Name, mode, time.Since(began).Seconds(), brief(answers, err))
				}
			})
		}
	}
	wg.Wait()
	for i, err := range failed {
		f, mode := forms[i/2], []string{"leaking", "healthy"}[i%2]
		if onceMore != "" && (err != nil || slices.ContainsFunc(results[i], func(o outcome) bool { return o.wrong != "" })) {
			results[i], err = playSide(f, mode, f.sides()[mode], dir, sockwatch)
			logf("%s, %s, once more, alone%s", f.Name, mode, brief(results[i], err))
		}
		if err != nil {
			t.Errorf("%s, %s: %v", f.Name, mode, err)
		}
	}
	return slices.Concat(results...)
}

func brief(answers []outcome, err error) string {
	var b strings.Builder
	for _, o := range answers {
		verdict := "right"
		if o.wrong != "" {
			verdict = "WRONG"
		}
		fmt.Fprintf(&b, "\n    %s %s: %s %s %s", verdict, o.look, o.kind, o.severity, o.confidence)
	}
	if err != nil {
		fmt.Fprintf(&b, "\n    the form fails: %v", err)
	}
	return b.String()
}

func build(t *testing.T, to, what string) {
	out, err := exec.Command("go", "build", "-o", to, what).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// playSide plays one side of a form, with all its looks at once.
func playSide(f *form, mode string, s *side, bin, sockwatch string) (outcomes []outcome, err error) {
	seconds := time.Duration(0)
	for _, l := range s.Looks {
		seconds = max(seconds, l.Within)
	}
	settle := 2 * time.Second // until the first count; programs start
	look := max(s.After, settle)
	only, _ := strconv.Atoi(factsOnly)
	// It ends when it is stopped, and by itself if nothing stops it.
	p, err := start(f, mode, bin, look+seconds+10*time.Minute)
	if err != nil {
		return nil, err
	}
	defer func() {
		p.stop()
		if left := p.alive(); err == nil && len(left) > 0 {
			err = fmt.Errorf("it left processes behind: %v", left)
		}
	}()
	for _, l := range s.Looks {
		if p.pids[l.Subject] == 0 || l.By == "port" && p.ports[l.Role] == 0 {
			return nil, fmt.Errorf("the form has not said the pid of %s, or the port of %s: %v %v", l.Subject, l.Role, p.pids, p.ports)
		}
	}
	time.Sleep(settle)
	first := p.roleCounts()
	time.Sleep(look - settle)
	if only > 0 {
		time.Sleep(time.Duration(only) * time.Second)
	} else if outcomes, err = p.lookAll(f, mode, s, sockwatch); err != nil {
		return outcomes, err
	}
	// Growth is given twelve seconds to show.
	time.Sleep(12*time.Second - min(12*time.Second, time.Since(p.started)))
	later := p.roleCounts()
	for _, fact := range s.Facts {
		if d := fact.disagrees(first, later); d != "" {
			return outcomes, fmt.Errorf("not what it says: %s; %s", d, last(p.errs.String(), 300))
		}
	}
	return outcomes, nil
}

// lookAll makes each call of sockwatch once, all at the same time.
func (p *player) lookAll(f *form, mode string, s *side, sockwatch string) ([]outcome, error) {
	type call struct {
		looks []query
		said  said
		err   error
	}
	var calls []*call
	for _, l := range s.Looks {
		i := slices.IndexFunc(calls, func(c *call) bool { return c.looks[0].String() == l.String() })
		if i < 0 {
			calls = append(calls, &call{})
			i = len(calls) - 1
		}
		calls[i].looks = append(calls[i].looks, l)
	}
	var wg sync.WaitGroup
	for _, c := range calls {
		wg.Go(func() { c.said, c.err = p.diagnose(sockwatch, c.looks[0]) })
	}
	wg.Wait()
	var outcomes []outcome
	for _, c := range calls {
		if c.err != nil {
			return outcomes, fmt.Errorf("%s: %w", c.looks[0], c.err)
		}
		for _, l := range c.looks {
			outcomes = append(outcomes, p.judge(f, mode, l, c.looks, c.said))
		}
	}
	return outcomes, nil
}
