package verdict

// mostLines is how many lines of a program are evidence of a verdict; the holders have
// all of them.
const mostLines = 3

// heldAt are the lines of the program that hold most of its connections, those first
// that say most.
func (f *facts) heldAt() (lines []Fact) {
	r := f.subject.Holders
	if r == nil {
		return nil
	}
	for i := range r.Groups[:min(mostLines, len(r.Groups))] {
		g := &r.Groups[i]
		at := []Quantity{text("line", g.Site.Short()), text("state", g.State.Words())}
		if g.Connections > 0 {
			lines = append(lines, fact("held_at", append(at, count("connections", g.Connections), count("of", r.Connections))...))
		} else {
			lines = append(lines, fact("asked_at", append(at, count("requests", g.Requests))...))
		}
	}
	return lines
}
