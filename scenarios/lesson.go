package scenarios

import (
	"fmt"
	"regexp"
	"strings"

	"socketlab/internal/scenario"
)

// Lesson returns the lesson of scenario id, as Markdown. A passage that holds for some
// versions of Go only stands between two comments:
//
//	<!-- go: >= 1.27 -->
//	<!-- end -->
func Lesson(id string) string { return string(read(texts, id+"/lesson.md")) }

// Passage is the form of such a passage: its range of versions, and its text.
var Passage = regexp.MustCompile(`(?s)<!-- go: ([^\n]*?) -->\n(.*?)<!-- end -->\n`)

// LessonFor is the lesson for who runs a client built by a version of Go: beside each
// passage stands whether it holds, and what does not is a quotation.
func LessonFor(id, goVersion string) string {
	return Passage.ReplaceAllStringFunc(Lesson(id), func(passage string) string {
		m := Passage.FindStringSubmatch(passage)
		if scenario.GoRange(m[1]).Holds(goVersion) {
			return fmt.Sprintf("*Go %s, as here (%s):*\n\n%s", m[1], goVersion, m[2])
		}
		quoted := fmt.Sprintf("> *Go %s, not as here (%s):*\n>\n", m[1], goVersion)
		for line := range strings.Lines(m[2]) {
			quoted += strings.TrimRight("> "+line, " \n") + "\n"
		}
		return quoted
	})
}

// Answer divides a lesson before the answer to its question; the answer is "" where there
// is none.
func Answer(lesson string) (toQuestion, answer string) {
	if i := strings.Index(lesson, "\n## The answer\n"); i >= 0 {
		return lesson[:i], lesson[i+1:]
	}
	return lesson, ""
}
