package verdict

import "socketlab/internal/where"

// mostLines is how many lines of a program are evidence of a verdict; the holders have
// all of them.
const mostLines = 3

// heldAt are the lines of the program that hold most of its connections, of those in the
// state that most are in: what is idle in a pool is no evidence of a body that is open. Of
// requests they are those that have waited for long.
func (f *facts) heldAt() (lines []Fact) {
	r := f.subject.Holders
	if r == nil {
		return nil
	}
	in := map[where.State]int{}
	var most where.State
	for i := range r.Groups {
		g := &r.Groups[i]
		if in[g.State] += g.Connections; in[g.State] > in[most] {
			most = g.State
		}
	}
	for i := range r.Groups {
		g := &r.Groups[i]
		waits := g.Connections == 0 && g.Lasting > 0
		if g.State != most && !waits || len(lines) == mostLines {
			continue
		}
		said := []Quantity{text("line", g.Site.Short()), text("state", g.State.Words())}
		if g.Connections > 0 {
			lines = append(lines, fact("held_at", append(said, count("connections", g.Connections), count("of", r.Connections))...))
		} else {
			lines = append(lines, fact("asked_at", append(said, count("requests", g.Requests))...))
		}
	}
	return lines
}
