package exercise_test

import (
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/exercises"
	"socketlab/internal/exercise"
	"socketlab/internal/series"
)

// onDisk is the folder of all exercises, with what only tests play.
var onDisk = os.DirFS("../../exercises")

func all(t *testing.T) []exercise.Exercise {
	t.Helper()
	all, err := exercise.All()
	require.NoError(t, err)
	require.NotEmpty(t, all)
	return all
}

func TestExercisesAreInOrderAndComplete(t *testing.T) {
	t.Parallel()
	var before exercise.Exercise
	for _, e := range all(t) {
		require.Greater(t, e.Order, before.Order, "%s and %s: an order of its own", e.ID, before.ID)
		require.GreaterOrEqual(t, e.Level, before.Level, "%s: the levels go up", e.ID)
		require.LessOrEqual(t, e.Minutes, 60, e.ID)
		before = e
		task := read(t, e.ID+"/task.md")
		for _, section := range []string{"## The story\n", "## Predict\n", "## Your task\n"} {
			require.Contains(t, task, section, e.ID)
		}
		require.Contains(t, task, "{file}", "%s: the task names the file to change", e.ID)
		require.Contains(t, task, "done when", e.ID)
		answer := read(t, e.ID+"/answer.md")
		for _, section := range []string{"## What was wrong\n", "## Why the fix works\n"} {
			require.Contains(t, answer, section, e.ID)
		}
		if e.Sort != exercise.Diagnosis {
			require.NotEmpty(t, e.LanguageNames(), e.ID)
		}
	}
}

// The parts of each exercise in each language: those that fail a check, and those that
// pass it. scripts/exercises plays them.
func TestEachLanguageHasAllVariants(t *testing.T) {
	t.Parallel()
	for _, e := range all(t) {
		for _, name := range e.LanguageNames() {
			l, err := exercise.FindLanguage(name)
			require.NoError(t, err)
			seen := map[string]string{}
			for _, variant := range []string{"starter", "answer", "cosmetic", "other1", "other2", "other3"} {
				code := read(t, path.Join(e.ID, name, variant, path.Base(l.File)))
				require.Empty(t, seen[code], "%s %s %s is the same as another", e.ID, name, variant)
				seen[code] = variant
			}
			starter := read(t, path.Join(e.ID, name, "starter", path.Base(l.File)))
			for line := range strings.Lines(starter) {
				if comment := regexp.MustCompile(`(//|#|/?\*).*`).FindString(line); giveAway.MatchString(comment) {
					t.Errorf("%s %s: a comment of the starter gives the fault away: %s", e.ID, name, comment)
				}
			}
		}
	}
}

// giveAway are words of comments that say what is wrong.
var giveAway = regexp.MustCompile(`(?i)\b(leak\w*|bug|fixme|todo|wrong|forg[eo]t\w*|mistake|fault\w*|never|not closed|missing)\b`)

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := fs.ReadFile(onDisk, name)
	require.NoError(t, err)
	return string(data)
}

// What is asked of a program's sockets and requests is known of every program; of its
// inside nothing is.
func TestBoundsAreOfWhatIsKnownOfAnyProgram(t *testing.T) {
	t.Parallel()
	for _, e := range all(t) {
		if e.Sort == exercise.Diagnosis {
			continue
		}
		for _, language := range append(e.LanguageNames(), "") {
			for _, bound := range e.Bounds(language) {
				require.NotRegexp(t, `^(process|requests\.attempts|requests\.retries)`, bound.Metric, e.ID)
			}
			script, err := e.Play(language)
			require.NoError(t, err)
			longest := 5.0
			if e.Languages[language].Speed != 0 { // its libraries need longer times
				longest = 8
			}
			require.LessOrEqual(t, script.Length().Seconds(), longest, "%s: a participant waits for it after each change", e.ID)
			require.Nil(t, script.Fault, e.ID)
			require.Zero(t, script.Says, e.ID)
			require.Empty(t, script.Narration, e.ID)
		}
	}
}

func TestDiagnosesNameTheLineOnceWhereItIsAsked(t *testing.T) {
	t.Parallel()
	for _, e := range all(t) {
		for _, name := range e.Processes {
			want := 0
			if e.Find.Line && name == e.Find.Process {
				want = 1
			}
			source, err := exercises.Files.ReadFile(e.ID + "/processes/" + name + "/main.go")
			require.NoError(t, err)
			require.Equal(t, want, strings.Count(string(source), "// found here\n"), "%s: %s", e.ID, name)
		}
	}
}

func TestFindSaysWhatIsNotThere(t *testing.T) {
	t.Parallel()
	_, err := exercise.Find("no-such-exercise")
	require.EqualError(t, err, `no exercise "no-such-exercise"`)
	_, err = exercise.FindLanguage("cobol")
	require.EqualError(t, err, `no language "cobol": use one of go, python, node, java`)
}

func TestAFolderIsMadeKeptAndPutBack(t *testing.T) {
	t.Parallel()
	e, l := first(t)
	dir := path.Join(t.TempDir(), "mine")
	p, err := exercise.Start(e, l, dir)
	require.NoError(t, err)
	for _, name := range []string{"TASK.md", "go.mod", "main.go", "client/client.go", ".exercise.json"} {
		require.FileExists(t, path.Join(dir, name))
	}
	task, err := os.ReadFile(path.Join(dir, "TASK.md"))
	require.NoError(t, err)
	require.Contains(t, string(task), "`client/client.go`")
	require.Contains(t, string(task), "in an empty folder of yours")
	require.NotContains(t, string(task), "{file}")
	_, err = exercise.Start(e, l, dir)
	require.ErrorContains(t, err, "is there already, and is not empty")

	guess := 7.0
	p.State.Guess = &guess
	require.NoError(t, p.Checked(false))
	require.NoError(t, p.Checked(true))
	done := p.State.Done
	require.False(t, done.IsZero())
	require.NoError(t, p.Checked(false))
	require.NoError(t, os.WriteFile(path.Join(dir, "client", "more.go"), []byte("package client\n"), 0o600))
	require.NoError(t, os.WriteFile(path.Join(dir, "client", "client.go"), []byte("package client\n\nvar changed = true\n"), 0o600))

	again, err := exercise.Open(dir)
	require.NoError(t, err)
	require.Equal(t, p.State, again.State)
	require.Equal(t, 3, again.State.Checks)
	require.Equal(t, done, again.State.Done, "what passed once is done")
	code, err := l.Sources(dir)
	require.NoError(t, err)
	require.Len(t, code, 2, "files of the participant's own are taken, too")

	require.NoError(t, again.Reset())
	starter, err := e.Code(l, "starter")
	require.NoError(t, err)
	code, err = l.Sources(dir)
	require.NoError(t, err)
	require.Equal(t, string(starter["client/client.go"]), string(code["client/client.go"]))
	require.Contains(t, code, "client/more.go")
	require.Equal(t, &guess, again.State.Guess)

	require.NoError(t, os.Remove(path.Join(dir, "client", "client.go")))
	_, err = l.Sources(dir)
	require.ErrorContains(t, err, "reset")
	_, err = exercise.Open(t.TempDir())
	require.ErrorContains(t, err, "is not the folder of an exercise")
}

func TestAFolderHasAName(t *testing.T) {
	t.Parallel()
	e, l := first(t)
	_, err := exercise.Start(e, l, "")
	require.ErrorIs(t, err, exercise.ErrNoFolder)
	_, err = exercise.Open("")
	require.ErrorIs(t, err, exercise.ErrNoFolder)
}

func TestNobodyHasSeenMoreHintsThanThereAre(t *testing.T) {
	t.Parallel()
	e, l := first(t)
	dir := path.Join(t.TempDir(), "mine")
	p, err := exercise.Start(e, l, dir)
	require.NoError(t, err)
	for _, hints := range []int{0, 3, -5, 4, math.MaxInt} {
		p.State.Hints = hints
		require.NoError(t, p.Save())
		_, err := exercise.Open(dir)
		if hints == 0 || hints == 3 {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, fmt.Sprintf(`.exercise.json: "hints" is %d`, hints))
	}
	require.NoError(t, os.WriteFile(path.Join(dir, ".exercise.json"), nil, 0o600))
	_, err = exercise.Open(dir)
	require.ErrorContains(t, err, "is damaged")
}

func first(t *testing.T) (exercise.Exercise, *exercise.Language) {
	t.Helper()
	e, err := exercise.Find("health-check-runs-dry")
	require.NoError(t, err)
	l, err := exercise.FindLanguage("go")
	require.NoError(t, err)
	return e, l
}

func TestCodeThatDoesNotBuildIsSaidInTheCompilersWords(t *testing.T) {
	t.Parallel()
	_, l := first(t)
	if l.Missing() != "" {
		t.Skip(l.Missing(), " is not installed")
	}
	dir := t.TempDir()
	_, err := l.Build(t.Context(), dir, map[string][]byte{"client/client.go": []byte("package client\n\nfunc New() { return 1 }\n")})
	require.ErrorIs(t, err, exercise.ErrBuild)
	require.Contains(t, err.Error(), "client/client.go:3:21: too many return values")
	require.NotContains(t, err.Error(), dir)
}

// What is not known is no success, and a run that was stopped is none either.
func TestOnlyWhatWasSeenPasses(t *testing.T) {
	t.Parallel()
	e, l := first(t)
	script, err := e.Play("go")
	require.NoError(t, err)
	p := &exercise.Project{Exercise: e, Language: l}
	observation := func(sent, ok, opened int64) *series.Observation {
		o := &series.Observation{Over: true}
		for _, id := range []string{exercise.StarterSide, exercise.YourSide} {
			o.Subjects = append(o.Subjects, &series.Subject{
				Identity: series.Identity{ID: id},
				Final: &series.Final{ClientMetrics: series.ClientMetrics{
					Requests: &series.Requests{Sent: sent, OK: ok}, Connections: &series.ClientConns{Opened: opened},
				}},
			})
		}
		return o
	}
	judge := func(o *series.Observation) exercise.Result { return p.Judge(o, script, nil, "") }
	r := judge(observation(50, 50, 1))
	require.True(t, r.Passed)
	require.InDelta(t, 1, *r.Came, 0)
	require.False(t, judge(observation(50, 49, 1)).Passed, "one request was not answered")
	require.False(t, judge(observation(50, 50, 50)).Passed, "a connection for each request")
	require.Contains(t, fmt.Sprint(judge(observation(50, 49, 1)).Document().Blocks), "1 of 3 is not as it should be.")
	require.Contains(t, fmt.Sprint(judge(observation(50, 49, 50)).Document().Blocks), "2 of 3 are not as they should be.")
	printing := observation(50, 0, 50)
	printing.Subject(exercise.YourSide).Final.Requests.Errors = map[string]int64{"other": 50}
	require.Equal(t, "Find the line of client/client.go that makes this error.", judge(printing).Unanswered)
	printing.Subject(exercise.YourSide).Final.Requests.OK = 6
	require.NotEmpty(t, judge(printing).Unanswered, "some lines may be the ends of others")
	looping := observation(50, 0, 0)
	looping.Subject(exercise.YourSide).Final.Requests.InFlight = 50
	require.Equal(t, "50 requests had not ended when the load was over. Does your code loop or wait without an end?", judge(looping).Unanswered)
	require.Empty(t, judge(observation(50, 50, 1)).Unanswered)
	// What is called answered has to have come to the server.
	claiming := func(ok, failed, opened, received int64) string {
		o := observation(50, ok, opened)
		sample := series.Sample{ClientMetrics: o.Subject(exercise.YourSide).Final.ClientMetrics}
		sample.Requests.Failed, sample.Requests.Received = failed, &received
		o.Subject(exercise.YourSide).Samples = []series.Sample{sample, sample}
		r := judge(o)
		require.Equal(t, r.Untrue == "" && ok == 50, r.Passed)
		return r.Untrue
	}
	require.Empty(t, claiming(50, 0, 1, 50))
	require.Contains(t, claiming(50, 0, 1, 10), "calls 50 requests answered, and the server received 10")
	require.Contains(t, claiming(50, 0, 0, 0), "opened no connection")
	require.Contains(t, claiming(0, 50, 0, 0), "opened no connection")
	require.Empty(t, claiming(0, 0, 0, 0), "it has not come to that")
	stopped := observation(50, 50, 1)
	stopped.Stopped = "the client reached its limit"
	require.False(t, judge(stopped).Passed)
	unknown := observation(50, 50, 1)
	for _, s := range unknown.Subjects {
		s.Final.Requests, s.Final.Connections = nil, nil
	}
	r = judge(unknown)
	require.False(t, r.Passed)
	require.Nil(t, r.Came)
}

// What a program said is shown where it helps, in its own words and in bounds.
func TestWhatAProgramSaidIsShown(t *testing.T) {
	t.Parallel()
	e, l := first(t)
	script, err := e.Play("go")
	require.NoError(t, err)
	p := &exercise.Project{Exercise: e, Language: l}
	said := func(errors map[string]int64, texts map[string]string, printed string) string {
		o := &series.Observation{Over: true}
		for _, id := range []string{exercise.StarterSide, exercise.YourSide} {
			o.Subjects = append(o.Subjects, &series.Subject{
				Identity: series.Identity{ID: id},
				Final:    &series.Final{ClientMetrics: series.ClientMetrics{Requests: &series.Requests{Sent: 50, OK: 50, Errors: errors}}},
			})
			if len(errors) > 0 {
				o.Subjects[len(o.Subjects)-1].Final.Requests.OK = 1
			}
		}
		return fmt.Sprintf("%+v", p.Judge(o, script, texts, printed).Document().Blocks[2:])
	}
	text := said(map[string]int64{"other": 30, "timeout": 2}, map[string]string{"other": `"no price: \x1b[31m200\x1b[0m OK"`}, "got it\r\n\n")
	require.Contains(t, text, "32 requests of your code failed.")
	require.Contains(t, text, "30 x no price: 200 OK\n2 x timeout ")
	require.Contains(t, text, "Find the line of client/client.go")
	require.Contains(t, text, "{Language: Text:got it ")
	require.NotContains(t, said(map[string]int64{}, nil, "got it"), "got it", "where all is well nothing is shown")

	many := map[string]int64{"A": 4, "B": 3, "C": 2, "D": 1, "E": 1}
	text = said(many, map[string]string{"A": strings.Repeat("a\n", 10_000)}, strings.Repeat("a line\nthe same line\nthe same line\n", 1000))
	require.Contains(t, text, "and 2 kinds more")
	require.Less(t, len(text), 2000)
	require.Equal(t, 12, strings.Count(text, "line\n")+1)
	require.NotContains(t, text, "the same line\nthe same line")
}

func TestAProgramThatEndsIsAdvised(t *testing.T) {
	t.Parallel()
	python, err := exercise.FindLanguage("python")
	require.NoError(t, err)
	for _, c := range []struct{ failure, printed, advice string }{
		{"your program ended (exit status 1)\n  No module named 'requests'", "No module named 'requests'", "pip install requests"},
		{"the code as it was at the start ended\n  No module named 'requests'", "", "pip install requests"},
		{"your program ended (exit status 3)", "", "It printed nothing. Does your code end the process?"},
		{"your program ended (exit status 3)\n  NameError", "NameError", "Look for the line of client.py"},
	} {
		require.Contains(t, python.Advised(c.failure, c.printed), c.failure+"\n", c.failure)
		require.Contains(t, python.Advised(c.failure, c.printed), c.advice, c.failure)
	}
	require.Equal(t, "interrupted", python.Advised("interrupted", ""))
}
