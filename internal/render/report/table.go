package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"socketlab/internal/expect"
	"socketlab/internal/scenario"
)

// sink passes writes on until one fails, so that a table's writer needs to
// look for an error once, at the end.
type sink struct {
	w   io.Writer
	err error
}

func (s *sink) Write(p []byte) (int, error) {
	if s.err == nil {
		_, s.err = s.w.Write(p)
	}
	return len(p), s.err
}

func (s *sink) printf(format string, args ...any) { fmt.Fprintf(s, format, args...) }

var header = []string{"sockets: peak / final", "faulty", "fixed"}

// headerAsIs keeps TIME_WAIT from becoming "TIME WAIT".
var headerAsIs = tablewriter.WithHeaderAutoFormat(tw.Off)

func writeTables(w io.Writer, entries []Entry) error {
	out := &sink{w: w}
	for i, e := range entries {
		if i > 0 {
			out.printf("\n")
		}
		out.printf("%s\n%s\n", title(e.Run), conditions(e.Run))
		table := tablewriter.NewTable(out, headerAsIs,
			tablewriter.WithHeaderAlignment(tw.AlignLeft), tablewriter.WithRowAlignment(tw.AlignLeft))
		table.Header(header)
		if err := appendGroups(table, comparison(e)); err != nil {
			return err
		}
		if err := table.Render(); err != nil {
			return err
		}
		writeVerdicts(out, e)
		if e.Run.Stopped != "" {
			out.printf("The run ended early: what it should show was not judged.\n")
			continue
		}
		writeExpectations(out, e.Outcome.Expectations)
	}
	return writeSteps(out, entries, "\n%s\n", tablewriter.WithRowAlignment(tw.AlignLeft))
}

// appendGroups fills a table, with an empty row between two groups.
func appendGroups(table *tablewriter.Table, groups []group) error {
	for i, g := range groups {
		if i > 0 {
			if err := table.Append([]string{"", "", ""}); err != nil {
				return err
			}
		}
		for _, r := range g {
			if err := table.Append([]string{r.name, folded(r.faulty), folded(r.fixed)}); err != nil {
				return err
			}
		}
	}
	return nil
}

// folded breaks a kind of verdict, which is one long word, after a hyphen, so
// that two columns fit a terminal.
func folded(cell string) string {
	const width = 24
	if len(cell) <= width || !strings.HasPrefix(cell, leak) {
		return cell
	}
	if at := strings.LastIndexByte(cell[:width], '-'); at > 0 {
		return cell[:at+1] + "\n" + cell[at+1:]
	}
	return cell
}

func writeVerdicts(out *sink, e Entry) {
	for _, side := range scenario.Sides() {
		v := e.Outcome.Of(side)
		out.printf("%s", Wrap(fmt.Sprintf("%-6s  ", side), strings.Join(Words(v), " ")))
	}
}

// Wrap breaks text into lines of a terminal's least width. The first begins
// with lead, the others with as much space.
func Wrap(lead, text string) string {
	const width = 80
	var out strings.Builder
	line := lead
	for _, word := range strings.Fields(text) {
		if len(line)+len(word) > width && len(line) > len(lead) {
			out.WriteString(strings.TrimRight(line, " ") + "\n")
			line = strings.Repeat(" ", len(lead))
		}
		line += word + " "
	}
	out.WriteString(strings.TrimRight(line, " ") + "\n")
	return out.String()
}

func writeExpectations(out *sink, results []expect.Result) {
	met, skipped := 0, 0
	for _, r := range results {
		switch {
		case r.Skipped != "":
			skipped++
			out.printf("skipped   %s (%s)\n", r.Text, r.Skipped)
		case r.Met:
			met++
		default:
			out.printf("NOT MET   %s, got %s\n", r.Text, r.Got)
		}
	}
	out.printf("%d of %d expectations met", met, len(results)-skipped)
	if skipped > 0 {
		out.printf(", %d skipped", skipped)
	}
	out.printf("\n")
}

func writeMarkdown(w io.Writer, entries []Entry) error {
	out := &sink{w: w}
	for i, e := range entries {
		if i > 0 {
			out.printf("\n")
		}
		out.printf("### %s\n\n%s\n\n", markdownText(title(e.Run)), markdownText(conditions(e.Run)))
		table := tablewriter.NewTable(out, headerAsIs, tablewriter.WithRenderer(renderer.NewMarkdown()),
			tablewriter.WithHeaderAlignment(tw.AlignLeft), tablewriter.WithRowAlignment(tw.AlignLeft))
		table.Header(header)
		for _, g := range comparison(e) {
			for _, r := range g {
				if err := table.Append([]string{markdownText(r.name), markdownText(r.faulty), markdownText(r.fixed)}); err != nil {
					return err
				}
			}
		}
		if err := table.Render(); err != nil {
			return err
		}
		for _, side := range scenario.Sides() {
			out.printf("\n**%s**: %s\n", side, markdownText(strings.Join(Words(e.Outcome.Of(side)), " ")))
		}
		out.printf("\n")
		for _, r := range e.Outcome.Expectations {
			mark, note := "x", ""
			switch {
			case r.Skipped != "":
				mark, note = " ", ": skipped, "+r.Skipped
			case !r.Met:
				mark, note = " ", ": NOT MET, got "+r.Got
			}
			out.printf("- [%s] %s%s\n", mark, markdownText(r.Text), markdownText(note))
		}
	}
	return writeSteps(out, entries, "\n### %s\n\n", tablewriter.WithRenderer(renderer.NewMarkdown()))
}

// markdownText escapes what would end a cell or begin markup; tablewriter's
// renderer does not.
func markdownText(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", "<br>", "_", `\_`, "*", `\*`, "<", "&lt;", ">", "&gt;").Replace(s)
}

// writeCSV writes one line for each figure of each side, named as in JSON.
func writeCSV(w io.Writer, entries []Entry) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"scenario", "side", "measure", "value"}); err != nil {
		return err
	}
	for _, e := range entries {
		for _, side := range scenario.Sides() {
			for _, name := range figures(e.Run) {
				value, ok := e.Run.Of(side).Metric(name)
				if !ok || !e.Run.Of(side).Report.Knows(name) {
					continue
				}
				if err := out.Write([]string{e.Run.Scenario, string(side), name, fmt.Sprint(value)}); err != nil {
					return err
				}
			}
			if err := out.Write([]string{e.Run.Scenario, string(side), "verdict.kind", string(e.Outcome.Of(side).Kind)}); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}
