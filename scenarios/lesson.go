package scenarios

import (
	"fmt"
	"regexp"
	"slices"
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

// LessonFor is the lesson for a reader whose client is built by goVersion and runs on
// system, a GOOS. Beside each passage stands whether it holds, and what does not is a
// quotation. A command of Linux that lists sockets is followed by that of the system.
func LessonFor(id, goVersion, system string) string {
	return withCommandOf(system, Passage.ReplaceAllStringFunc(Lesson(id), func(passage string) string {
		m := Passage.FindStringSubmatch(passage)
		if scenario.GoRange(m[1]).Holds(goVersion) {
			return fmt.Sprintf("*Go %s, as here (%s):*\n\n%s", m[1], goVersion, m[2])
		}
		quoted := fmt.Sprintf("> *Go %s, not as here (%s):*\n>\n", m[1], goVersion)
		for line := range strings.Lines(m[2]) {
			quoted += strings.TrimRight("> "+line, " \n") + "\n"
		}
		return quoted
	}))
}

var (
	ssBlock = regexp.MustCompile("```console\n\\$ (ss -t[^\n]*)\n(?s:.*?)```\n")
	ssPort  = regexp.MustCompile(`port = :(\d+)`)
)

// withCommandOf adds the system's own command to each that lists the sockets of some
// ports by ss.
func withCommandOf(system, lesson string) string {
	if system == "linux" {
		return lesson
	}
	return ssBlock.ReplaceAllStringFunc(lesson, func(block string) string {
		command := ssBlock.FindStringSubmatch(block)[1]
		var ports []string
		for _, m := range ssPort.FindAllStringSubmatch(command, -1) {
			ports = append(ports, m[1])
		}
		slices.Sort(ports)
		if ports = slices.Compact(ports); len(ports) == 0 {
			return block
		}
		own := listCommand(system, ports, strings.HasSuffix(command, "uniq -c"))
		return fmt.Sprintf("%s\nOn this system (%s):\n\n```console\n%s\n```\n", block, system, own)
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

// listCommand lists a system's sockets at some ports, or counts them by state.
func listCommand(system string, ports []string, counted bool) string {
	if system == "windows" {
		command := fmt.Sprintf("PS> Get-NetTCPConnection | Where-Object { $_.LocalPort, $_.RemotePort -match '^(%s)$' }", strings.Join(ports, "|"))
		if counted {
			command += " | Group-Object State -NoElement"
		}
		return command
	}
	// macOS and the BSDs write a point before the port.
	command := fmt.Sprintf(`$ netstat -an -p tcp | grep -E '\.(%s) '`, strings.Join(ports, "|"))
	if counted {
		command += ` | awk '{print $6}' | sort | uniq -c`
	}
	return command
}
