package web

import (
	"fmt"
	"strings"

	"socketlab/internal/scenario"
)

// line is one line of a side's code.
type line struct {
	Text string `json:"text"`
	// Differs says that the other side has no such line.
	Differs bool `json:"differs,omitempty"`
}

// marks reads from a unified difference which lines of each side, counted from
// 1, the other does not have.
func marks(difference string) map[scenario.Side]map[int]bool {
	marked := map[scenario.Side]map[int]bool{scenario.Faulty: {}, scenario.Fixed: {}}
	var faulty, fixed, length int
	inside := false
	for _, l := range strings.Split(difference, "\n") {
		switch {
		case strings.HasPrefix(l, "@@"):
			// A length of 1 may be left out.
			inside = true
			fields := strings.Fields(l)
			_, _ = fmt.Sscanf(fields[1], "-%d,%d", &faulty, &length)
			_, _ = fmt.Sscanf(fields[2], "+%d,%d", &fixed, &length)
		case !inside:
		case strings.HasPrefix(l, "-"):
			marked[scenario.Faulty][faulty] = true
			faulty++
		case strings.HasPrefix(l, "+"):
			marked[scenario.Fixed][fixed] = true
			fixed++
		default:
			faulty++
			fixed++
		}
	}
	return marked
}

func lines(code string, differs map[int]bool) []line {
	var all []line
	for i, text := range strings.Split(strings.TrimSuffix(code, "\n"), "\n") {
		all = append(all, line{Text: strings.ReplaceAll(text, "\t", "  "), Differs: differs[i+1]})
	}
	return all
}
