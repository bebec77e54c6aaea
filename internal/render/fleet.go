package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"socketlab/internal/expect"
	"socketlab/internal/fleet"
	"socketlab/internal/series"
	"socketlab/internal/words"
)

// fleetSchema names the form of a fleet in JSON. Names are only ever added.
const fleetSchema = "sockwatch.fleet/v1"

// Fleet is the answer of many exporters: the processes, the worst first, at most so many
// of those without a verdict of something wrong, and then who is silent. 0 is all.
func Fleet(f *fleet.Fleet, most int) *Document {
	nodes := words.Plural(max(f.Expected, len(f.Nodes)), "node")
	d := &Document{
		Title:   "A fleet of " + nodes,
		Records: [][]string{{"node", "process", "pid", "namespace", "pod", "container", "kind", "severity", "confidence", "open", "close_wait", "time_wait", "growth_per_second", "runs_out", "runs_out_in_ms", "silent"}},
		Checks:  []Check{},
	}
	t := Table{Name: "the processes, the worst first", Columns: []Column{
		{Title: "node"},
		{Title: "process"},
		{Title: "pod", Wide: true},
		{Title: "verdict"},
		{Title: "open", Number: true},
		{Title: "CLOSE_WAIT", Number: true, Wide: true},
		{Title: "TIME_WAIT", Number: true, Wide: true},
		{Title: "growth", Number: true},
		{Title: "runs out"},
	}, Groups: []Group{{}}}
	objects, faults, unjudged, shown, left := []Object{}, 0, 0, 0, 0
	for _, p := range f.Processes() {
		switch {
		case p.Verdict.IsFault():
			faults++
		case p.Verdict.Kind == "" && p.PID != "": // what many processes hold together has no verdict
			unjudged++
		}
		d.Records = append(d.Records, fleetRecord(p))
		objects = append(objects, fleetObject(p))
		d.Checks = append(d.Checks, fleetCheck(p))
		if p.Verdict.Severity == "" {
			if shown++; shown > most && most > 0 {
				left++
				continue
			}
		}
		t.Groups[0].Rows = append(t.Groups[0].Rows, fleetRow(p))
	}
	headline := "No fault on " + nodes
	if unjudged > 0 {
		headline += fmt.Sprintf(" so far: %s no verdict yet", words.Plural(unjudged, "process has", "processes have"))
	}
	if faults > 0 {
		headline = fmt.Sprintf("%s with a fault", words.Plural(faults, "process", "processes"))
	}
	missing, unobserved := f.Missing(), f.Unobserved()
	open, conclusive := f.Open()
	sum := words.Plural(open, "open socket") + " on " + nodes + "."
	if !conclusive {
		headline += fmt.Sprintf(", and inconclusive: %s not answer", words.Plural(missing, "node does", "nodes do"))
		sum = "Without these there is no sum over the fleet."
		if faults == 0 {
			headline = fmt.Sprintf("Inconclusive: %s not answer", words.Plural(missing, "node does", "nodes do"))
		}
	}
	d.Blocks = []Block{Part{d.Title}, Heading{Level: 2, Text: headline}, Text{Text: sum}}
	if len(t.Groups[0].Rows) > 0 {
		d.Blocks = append(d.Blocks, t)
	}
	if left > 0 {
		d.Blocks = append(d.Blocks, Text{Text: fmt.Sprintf("%s more without a fault or a note: --most 0 shows all.", words.Plural(left, "process", "processes")), Note: true})
	}
	silent, list := silentNodes(f, d)
	if len(silent) > 0 {
		d.Blocks = append(d.Blocks, Heading{Level: 3, Text: "Not seen"}, List{Items: silent})
	}
	data := Object{{"schema", fleetSchema}, {"nodes", max(f.Expected, len(f.Nodes))}, {"missing", missing}, {"unobserved_processes", unobserved}, {"conclusive", conclusive}}
	data.add("open", open, !conclusive)
	data.add("faults", faults)
	data.add("silent", list)
	data.add("processes", objects)
	d.Data = data
	return d
}

// silentNodes are what is not known of, for people and in JSON; they are also records and
// checks of the document.
func silentNodes(f *fleet.Fleet, d *Document) (items []Item, objects []Object) {
	objects = []Object{}
	for _, n := range f.Nodes {
		check := Check{Group: n.Name, Outcome: expect.Outcome{Text: "the exporter answers", Met: n.Silent == "", Got: n.Silent}, Error: n.Silent}
		d.Checks = append(d.Checks, check)
		if n.Silent != "" {
			items = append(items, Item{words.Printable(n.Name), words.Printable(n.Silent)})
			objects = append(objects, Object{{"node", n.Name}, {"reason", n.Silent}})
			record := make([]string, len(d.Records[0]))
			record[0], record[len(record)-1] = n.Name, n.Silent
			d.Records = append(d.Records, record)
			continue
		}
		var reasons []string
		for _, reason := range slices.Sorted(maps.Keys(n.Unobserved)) {
			if count := n.Unobserved[reason]; count > 0 {
				reasons = append(reasons, words.Plural(count, "process", "processes")+": "+strings.ReplaceAll(reason, "_", " "))
			}
		}
		if len(reasons) > 0 {
			items = append(items, Item{words.Printable(n.Name), words.Printable(strings.Join(reasons, ", "))})
		}
	}
	if more := f.Expected - len(f.Nodes); more > 0 {
		items = append(items, Item{"expected", fmt.Sprintf("%s that no source names", words.Plural(more, "node"))})
	}
	return items, objects
}

func fleetName(p *fleet.Process) string {
	if p.PID == "" {
		return words.Printable(p.Name)
	}
	return words.Printable(fmt.Sprintf("%s (%s)", p.Name, p.PID))
}

// fleetPod is the pod with its namespace and container; else the container.
func fleetPod(p *fleet.Process) string {
	var parts []string
	for _, part := range []string{p.Namespace, p.Pod, p.Container} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return words.Printable(strings.Join(parts, "/"))
}

func fleetRow(p *fleet.Process) Row {
	kind, runsOut := NotKnown, ""
	if p.Verdict.Kind != "" {
		kind = Label(p.Verdict)
	}
	if p.Exhausts != "" {
		runsOut = words.Printable(p.Exhausts) + " in " + words.Duration(p.Left)
	}
	return Row{Cells: []Cell{
		cell(words.Printable(p.Node)), cell(fleetName(p)), cell(fleetPod(p)), cell(words.Printable(kind)),
		count(uint32(p.Open())), count(uint32(p.Sockets["CLOSE_WAIT"])), count(uint32(p.Sockets["TIME_WAIT"])),
		{{Text: series.Growth(p.PerSecond).String(), Value: number(p.PerSecond)}},
		cell(runsOut),
	}}
}

func fleetRecord(p *fleet.Process) []string {
	runsOutIn := ""
	if p.Exhausts != "" {
		runsOutIn = fmt.Sprint(p.Left.Milliseconds())
	}
	return []string{
		p.Node, p.Name, p.PID, p.Namespace, p.Pod, p.Container, string(p.Verdict.Kind), string(p.Verdict.Severity), string(p.Verdict.Confidence),
		fmt.Sprint(p.Open()), fmt.Sprint(p.Sockets["CLOSE_WAIT"]), fmt.Sprint(p.Sockets["TIME_WAIT"]), number(p.PerSecond), p.Exhausts, runsOutIn, "",
	}
}

func fleetObject(p *fleet.Process) Object {
	o := Object{{"node", p.Node}, {"process", p.Name}}
	for _, m := range []Member{{"pid", p.PID}, {"namespace", p.Namespace}, {"pod", p.Pod}, {"container", p.Container}} {
		o.add(m.Name, m.Value, m.Value == "")
	}
	if v := p.Verdict; v.Kind != "" {
		verdict := Object{{"kind", v.Kind}}
		verdict.add("severity", v.Severity, v.Severity == "")
		verdict.add("confidence", v.Confidence, v.Confidence == "")
		o.add("verdict", verdict)
	}
	o.add("sockets", p.Sockets)
	o.add("open", p.Open())
	o.add("growth_per_second", p.PerSecond)
	if p.Exhausts != "" {
		o.add("runs_out", Object{{"what", p.Exhausts}, {"in_ms", p.Left.Milliseconds()}})
	}
	return o
}

func fleetCheck(p *fleet.Process) Check {
	check := Check{Group: p.Node + ": " + fleetName(p), Outcome: expect.Outcome{Text: "no fault", Met: !p.Verdict.IsFault(), Got: string(p.Verdict.Kind)}}
	if p.Verdict.Kind == "" {
		check.Skipped = "there is no verdict yet"
	}
	return check
}
