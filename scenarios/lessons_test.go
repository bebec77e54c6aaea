package scenarios_test

import (
	"bytes"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
	"socketlab/internal/verdict"
	"socketlab/scenarios"
)

var headings = []string{
	"## The symptom", "## What the states mean", "## The wrong line", "## Why the fix works",
	"## What the fix costs", "## See it yourself", "## A question", "## The answer",
}

func TestLessonsHaveTheSameShape(t *testing.T) {
	t.Parallel()
	for _, id := range scenarios.IDs() {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			script, err := scenarios.Script(id)
			require.NoError(t, err)
			lesson := scenarios.Lesson(id)
			require.Equal(t, "# "+script.Title, strings.Split(lesson, "\n")[0])
			found := regexp.MustCompile(`(?m)^## .*$`).FindAllString(lesson, -1)
			require.Equal(t, headings, found)
			require.Regexp(t, `https://github\.com/[\w.-]+/[\w.-]+/(issues|pull)/\d+`, lesson, "the thread it was met in")
			require.Len(t, regexp.MustCompile(`(?m)^\$ ss `).FindAllString(lesson, -1), 1, "one ss command")
			require.Contains(t, lesson, "sockwatch run "+id+" ")
			for _, line := range strings.Split(lesson, "\n") {
				quoted := strings.HasPrefix(line, "$ ") || strings.Contains(line, "http.Client{")
				require.True(t, quoted || len([]rune(line)) <= 80, "too long for a terminal: %s", line)
			}
		})
	}
}

// A lesson's Go code stands in the compiled files, so that the two cannot
// drift apart.
func TestLessonsQuoteTheCompiledCode(t *testing.T) {
	t.Parallel()
	for _, id := range scenarios.IDs() {
		code := map[string]bool{}
		for _, side := range scenario.Sides() {
			for _, line := range strings.Split(scenarios.Code(id, side), "\n") {
				code[strings.TrimSpace(line)] = true
			}
		}
		for _, line := range strings.Split(scenarios.Client(id), "\n") {
			code[strings.TrimSpace(line)] = true
		}
		blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(scenarios.Lesson(id), -1)
		require.GreaterOrEqual(t, len(blocks), 2, id)
		for _, block := range blocks {
			for _, line := range strings.Split(strings.TrimSpace(block[1]), "\n") {
				require.True(t, code[strings.TrimSpace(line)], "%s quotes %q, which is in neither file", id, line)
			}
		}
	}
}

// What is read on a projector fits one slide.
func TestCodeOfAPairFitsASlide(t *testing.T) {
	t.Parallel()
	const slide = 45
	for _, id := range scenarios.IDs() {
		for _, side := range scenario.Sides() {
			require.LessOrEqual(t, strings.Count(scenarios.Code(id, side), "\n"), slide, "%s %s", id, side)
		}
	}
}

// The difference is what a pair is about: it is read in one piece, by sockwatch
// show or by git.
func TestDifferenceOfAPairFitsAScreen(t *testing.T) {
	t.Parallel()
	const screen = 50
	git, err := exec.LookPath("git")
	for _, id := range scenarios.IDs() {
		difference := scenarios.Difference(id)
		assert.LessOrEqual(t, strings.Count(difference, "\n"), screen, "%s:\n%s", id, difference)
		assert.Regexp(t, `(?m)^\+[^+]|^-[^-]`, difference, "%s: the sides are the same but for their names", id)
		if err != nil {
			continue
		}
		// It exits with 1 where there is a difference, so that is no error.
		plain, _ := exec.CommandContext(t.Context(), git, "diff", "--no-index", id+"/faulty.go", id+"/fixed.go").Output()
		assert.NotEmpty(t, plain, id)
		assert.LessOrEqual(t, bytes.Count(plain, []byte("\n")), screen, "%s, by git:\n%s", id, plain)
	}
	if err != nil {
		t.Log("without git, its own view of the differences is not looked at:", err)
	}
}

// A lesson promises what the script checks: a fault has expectations that the
// other side does not meet. Without a fault both sides are healthy: a control has
// the same expectations for both, a comparison others.
func TestScriptsSayWhatBothSidesShow(t *testing.T) {
	t.Parallel()
	for _, id := range scenarios.IDs() {
		for _, goVersion := range goVersions {
			script := scriptForGo(t, id, goVersion)
			if script.Fault == nil && slices.Equal(script.Expect.Faulty, script.Expect.Fixed) {
				continue // a control; that both are healthy, TestFaultsAreVerdicts sees to
			}
			require.NotEqual(t, script.Expect.Faulty, script.Expect.Fixed, id)
			require.GreaterOrEqual(t, len(script.Expect.Faulty), 3, id)
			require.GreaterOrEqual(t, len(script.Expect.Fixed), 3, id)
		}
	}
}

// goVersions are those that the catalogue is played with, the older first.
var goVersions = []string{"go1.26.9", "go1.27.4"}

func scriptForGo(t *testing.T, id, goVersion string) scenario.Script {
	t.Helper()
	return scriptOf(t, id).ForGo(goVersion)
}

// ranges are the versions of Go that a text names.
func ranges(text string, form *regexp.Regexp) []string {
	var found []string
	for _, m := range form.FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// A script that expects something else of another Go has a lesson that says so, and
// the other way round.
func TestLessonsDifferByTheVersionsOfTheirScripts(t *testing.T) {
	t.Parallel()
	differ := 0
	for _, id := range scenarios.IDs() {
		inScript := ranges(scriptFile(t, id), regexp.MustCompile(`\bgo: "(.*?)"`))
		inLesson := ranges(scenarios.Lesson(id), scenarios.Passage)
		require.Equal(t, inScript, inLesson, id)
		for _, r := range inLesson {
			parsed, err := scenario.ParseGoRange(r)
			require.NoError(t, err, id)
			require.Equal(t, r, string(parsed), "%s: the form in which it is shown", id)
		}
		if len(inScript) > 0 {
			differ++
		}
		require.Equal(t, strings.Count(scenarios.Lesson(id), "<!-- "), 2*len(scenarios.Passage.FindAllString(scenarios.Lesson(id), -1)), id)
	}
	require.Positive(t, differ)
}

func TestLessonSaysWhichPassagesHold(t *testing.T) {
	t.Parallel()
	const old, now = "Close drains nothing", "a goroutine of the Transport reads on"
	before, after := scenarios.LessonFor("body-not-drained", "go1.26.9", "linux"), scenarios.LessonFor("body-not-drained", "go1.27.4", "linux")
	require.Contains(t, before, "\n*Go < 1.27, as here (go1.26.9):*\n\n"+old)
	require.Contains(t, before, "\n> *Go >= 1.27, not as here (go1.26.9):*\n>\n> After Close has returned, "+now)
	require.Contains(t, after, "\n> *Go < 1.27, not as here (go1.27.4):*\n>\n> "+old)
	require.Contains(t, after, "\n*Go >= 1.27, as here (go1.27.4):*\n\nAfter Close has returned, "+now)
	require.NotContains(t, before, "<!--")
	require.Equal(t, scenarios.Lesson("no-timeout"), scenarios.LessonFor("no-timeout", "go1.26.9", "linux"))
}

func TestLessonHasTheCommandOfTheSystem(t *testing.T) {
	t.Parallel()
	for id, want := range map[string][2]string{ // macOS, Windows
		"body-not-closed": {
			"$ netstat -an -p tcp | grep -E '\\.(8081) ' | awk '{print $6}' | sort | uniq -c",
			"PS> Get-NetTCPConnection | Where-Object { $_.LocalPort, $_.RemotePort -match '^(8081)$' } | Group-Object State -NoElement",
		},
		"fd-limit": {
			"$ netstat -an -p tcp | grep -E '\\.(8081|8082) '",
			"PS> Get-NetTCPConnection | Where-Object { $_.LocalPort, $_.RemotePort -match '^(8081|8082)$' }",
		},
	} {
		for i, system := range []string{"darwin", "windows"} {
			require.Contains(t, scenarios.LessonFor(id, "go1.26.9", system), "\nOn this system ("+system+"):\n\n```console\n"+want[i]+"\n```\n")
		}
	}
}

// The catalogue and the verdicts name each other.
func TestFaultsAreVerdicts(t *testing.T) {
	t.Parallel()
	for _, id := range scenarios.IDs() {
		script := scriptOf(t, id)
		kind := verdict.Healthy
		if script.Fault != nil {
			kind = verdict.Kind(script.Fault.Kind)
		}
		_, known := verdict.Lookup(kind)
		require.True(t, known, "%s: %s", id, kind)
		faulty := map[verdict.Kind]bool{}
		for _, goVersion := range goVersions {
			own := scriptForGo(t, id, goVersion)
			require.Equal(t, scenario.VerdictMetric, own.Expect.Faulty[0].Metric, "%s, %s", id, goVersion)
			faulty[own.Expect.Faulty[0].Kind] = true
			if !partOfRepair(t, id) { // which may leave something for the next step
				require.Equal(t, verdict.Healthy, own.Expect.Fixed[0].Kind, "%s, %s", id, goVersion)
			}
		}
		require.True(t, faulty[kind], "%s: %s", id, kind)
	}
	for _, kind := range verdict.Kinds() {
		about, _ := verdict.Lookup(kind)
		require.True(t, about.Scenario == "" || scenarios.Has(about.Scenario), "%s: %s", kind, about.Scenario)
	}
}

// The catalogue is grouped by what is seen: what is wrong somewhere is seen
// somehow, and nothing stands in the list that no scenario shows.
func TestSymptomsAreShown(t *testing.T) {
	t.Parallel()
	shown := map[string]bool{}
	for _, id := range scenarios.IDs() {
		script, err := scenarios.Script(id)
		require.NoError(t, err)
		if script.Fault != nil { // a control may have nothing to see
			require.NotEmpty(t, script.Symptoms, id)
		}
		require.LessOrEqual(t, len(script.Symptoms), 3, "%s: name the most telling", id)
		for _, name := range script.Symptoms {
			shown[name] = shown[name] || script.Sort == scenario.Pair
		}
	}
	for _, symptom := range scenario.Symptoms() {
		assert.True(t, shown[symptom.Name], "no scenario shows %s", symptom.Name)
	}
}

// partOfRepair reports whether a scenario is a step of another, and not its last.
func partOfRepair(t *testing.T, id string) bool {
	for _, other := range scenarios.IDs() {
		script := scriptOf(t, other)
		if i := slices.Index(script.Steps, id); i >= 0 && i < len(script.Steps)-1 {
			return true
		}
	}
	return false
}

// scriptOf is a script of the catalogue. Each is parsed once: with the race detector that
// takes some milliseconds, and tests ask for all of them for each of them.
func scriptOf(t *testing.T, id string) scenario.Script {
	t.Helper()
	script, err := parsed(id)
	require.NoError(t, err)
	return script
}

var parsed = func() func(string) (scenario.Script, error) {
	var all sync.Map // of functions, by id
	return func(id string) (scenario.Script, error) {
		parse, _ := all.LoadOrStore(id, sync.OnceValues(func() (scenario.Script, error) { return scenarios.Script(id) }))
		return parse.(func() (scenario.Script, error))()
	}
}()

// Each step of a repair begins with what the one before has made, and the last
// ends with what the whole is fixed to: but for numbers, because the limit of a pool
// follows the load and the servers of each script.
func TestStepsFollowEachOther(t *testing.T) {
	t.Parallel()
	codeOf := func(id string, side scenario.Side) string {
		code := scenarios.Code(id, side)
		code = code[strings.Index(code, "\n"):] // but for the package
		code = regexp.MustCompile(`\b\d+\b`).ReplaceAllString(code, "0")
		return strings.NewReplacer("NewFaulty", "New", "NewFixed", "New").Replace(code)
	}
	for _, id := range scenarios.IDs() {
		script, err := scenarios.Script(id)
		require.NoError(t, err)
		before := codeOf(id, scenario.Faulty)
		for _, step := range script.Steps {
			require.Equal(t, before, codeOf(step, scenario.Faulty), step)
			before = codeOf(step, scenario.Fixed)
		}
		if len(script.Steps) > 0 {
			require.Equal(t, before, codeOf(id, scenario.Fixed), id)
		}
	}
}
