package bench

import (
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/host"
	"github.com/shirou/gopsutil/v3/mem"
)

// document is a whole run of the bench.
type document struct {
	began   time.Time
	runs    int
	command string
	limits  string // what of this machine changed the measurements; "" for nothing
	// neighbours says what other programs did to the measurements.
	neighbours string
	tables     []table
}

// table is one measurement: the product in the first column, then its peers,
// where the columns are not something else.
type table struct {
	title   string
	limits  []string // what could not be measured here, a sentence each
	columns []string
	rows    []row  // none where nothing could be measured
	how     string // a paragraph
}

type row struct {
	what   string
	digits int
	cells  []figures // one for each column; nil leaves it empty
	bar    *bar      // nil for none
}

// bar is what the product must reach, in the first column if it does not say
// otherwise.
type bar struct {
	text string
	met  bool
}

func atMost(limit, got float64) *bar { return &bar{fmt.Sprintf("at most %g", limit), got <= limit} }

func atLeast(limit, got float64) *bar { return &bar{fmt.Sprintf("at least %g", limit), got >= limit} }

// of says what the bar is for.
func (b *bar) of(what string) *bar {
	b.text += " " + what
	return b
}

// missed names the bars that were not met.
func (d document) missed() []string {
	var missed []string
	for _, t := range d.tables {
		for _, r := range t.rows {
			if r.bar != nil && !r.bar.met {
				missed = append(missed, fmt.Sprintf("%s: %s: %s", t.title, r.what, r.bar.text))
			}
		}
	}
	return missed
}

func (d document) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Benchmarks

Written by scripts/bench; do not edit. Each figure is the median of %d runs, with the smallest and the
largest. A ratio is taken within each run, and the peers take turns in being first. A bar is for the
first column where it says nothing else.

%s
`, d.runs, d.machine())
	if d.limits != "" {
		fmt.Fprintf(&b, "\n**%s**\n", d.limits)
	}
	for _, t := range d.tables {
		b.WriteString(t.markdown())
	}
	return b.String()
}

func (t table) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## %s\n\n", t.title)
	for _, limit := range t.limits {
		fmt.Fprintf(&b, "**%s**\n\n", limit)
	}
	if len(t.rows) > 0 {
		fmt.Fprintf(&b, "| | %s | bar | met |\n|---%s|---|---|\n", strings.Join(t.columns, " | "), strings.Repeat("|---:", len(t.columns)))
	}
	for _, r := range t.rows {
		fmt.Fprintf(&b, "| %s |", r.what)
		for _, c := range r.cells {
			fmt.Fprintf(&b, " %s |", c.text(r.digits))
		}
		switch {
		case r.bar == nil:
			b.WriteString(" | |\n")
		case r.bar.met:
			fmt.Fprintf(&b, " %s | yes |\n", r.bar.text)
		default:
			fmt.Fprintf(&b, " %s | **no** |\n", r.bar.text)
		}
	}
	if len(t.rows) > 0 {
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "%s\n", t.how)
	return b.String()
}

// machine is a list of what the figures depend on. What the system does not
// tell is left out.
func (d document) machine() string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "- %s: %s\n", name, value)
		}
	}
	line("date", fmt.Sprintf("%s; the whole took %s", d.began.UTC().Format(time.DateOnly), time.Since(d.began).Round(time.Second)))
	line("command", "`"+d.command+"`")
	if cpus, err := cpu.Info(); err == nil && len(cpus) > 0 {
		line("CPU", fmt.Sprintf("%s, %d cores", cpus[0].ModelName, runtime.NumCPU()))
	}
	if memory, err := mem.VirtualMemory(); err == nil {
		line("memory", fmt.Sprintf("%d MiB", memory.Total>>20))
	}
	if kernel, err := host.KernelVersion(); err == nil {
		line("system", fmt.Sprintf("%s %s, %s", runtime.GOOS, kernel, runtime.GOARCH))
	}
	line("Go", runtime.Version())
	line("neighbours", d.neighbours)
	return strings.TrimSuffix(b.String(), "\n")
}
