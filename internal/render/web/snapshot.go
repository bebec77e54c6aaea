package web

import (
	"fmt"
	"strings"
	"time"

	"socketlab/internal/lab"
	"socketlab/internal/render"
	"socketlab/internal/scenario"
	"socketlab/scenarios"
)

// begin says what is shown. All that follows, up to the next one, is of it.
type begin struct {
	// Run tells a run from any other, so that a page knows whose its guess is.
	Run   string `json:"run"`
	Title string `json:"title"`
	About string `json:"about"`
	// Question asks what will be seen; "" where nobody can tell.
	Question string `json:"question,omitempty"`
	// Code is that of each side; nil where there is none to show.
	Code map[scenario.Side][]line `json:"code,omitempty"`
	// Meanings explain the states, in the order in which they are stacked.
	Meanings []meaning `json:"meanings"`
}

type meaning struct {
	State string `json:"state"`
	Text  string `json:"text"`
}

// snapshot is what there is to see now, but for the points of the charts.
type snapshot struct {
	// From is where the charts begin.
	From    time.Duration `json:"from_ns"`
	At      time.Duration `json:"at_ns"`
	Length  time.Duration `json:"length_ns"`
	Over    bool          `json:"over"`
	Stopped string        `json:"stopped,omitempty"`
	// End is the end to show if nobody has chosen, and Ends what there is to see
	// of each.
	End  string           `json:"end"`
	Ends map[string]ofEnd `json:"ends"`
}

// ofEnd is what there is to see of one end of the connections.
type ofEnd struct {
	Scale  int     `json:"scale"`
	Now    string  `json:"now"`
	Panels []panel `json:"panels"`
}

// panel is one side, or one process.
type panel struct {
	Key  string `json:"key"`
	Name string `json:"name"`
	render.Side
}

// point is one count: of each end the sockets of each panel by state, those
// above 0.
type point struct {
	At     time.Duration                        `json:"at_ns"`
	Counts map[string]map[string]map[string]int `json:"counts"`
}

func beginOf(b *lab.Begin) begin {
	length := b.Script.Length()
	facts := []string{b.Scenario}
	if b.Speed != 1 {
		facts = append(facts, fmt.Sprintf("speed %g", b.Speed))
	}
	of := begin{
		Run: b.Started.Format(time.RFC3339Nano) + b.Scenario, Title: b.Title, About: strings.Join(facts, " · "),
		Question: fmt.Sprintf("How many sockets will the faulty side hold after %s?", length.Round(100*time.Millisecond)),
		Meanings: meanings(),
	}
	if id := codeOf(b); id != "" {
		of.Code = map[scenario.Side][]line{}
		marked := marks(scenarios.Difference(id))
		for _, side := range scenario.Sides() {
			of.Code[side] = lines(scenarios.Code(id, side), marked[side])
		}
	}
	return of
}

// codeOf is the scenario of the catalogue whose code is played; "" for commands.
func codeOf(b *lab.Begin) string {
	id := b.Script.Implementation
	if id == "" {
		id = b.Scenario
	}
	if b.Commands != nil || !scenarios.Has(id) {
		return ""
	}
	return id
}

func meanings() []meaning {
	var all []meaning
	for _, s := range render.Stacking() {
		all = append(all, meaning{s.String(), render.Meaning(s.String())})
	}
	return all
}

func snapshotOf(ends ...*render.Snapshot) snapshot {
	v := ends[0]
	p := snapshot{At: v.At, Length: v.Length, Over: v.Over, Stopped: v.Stopped, End: v.End, Ends: map[string]ofEnd{}}
	for _, v := range ends {
		of := ofEnd{Scale: v.Scale, Now: v.Now}
		for _, side := range scenario.Sides() {
			s := *v.Of(side)
			s.Points = nil
			of.Panels = append(of.Panels, panel{Key: string(side), Name: strings.ToUpper(string(side)), Side: s})
		}
		p.Ends[v.End] = of
	}
	return p
}

// pointsOf are a snapshot's points from the sent-th on, each written. A state is
// named in each, as there may be more of them later.
func pointsOf(sent int, ends ...*render.Snapshot) [][]byte {
	var points [][]byte
	for i := sent; i < len(ends[0].Faulty.Points); i++ {
		of := point{At: ends[0].Faulty.Points[i].At, Counts: map[string]map[string]map[string]int{}}
		for _, v := range ends {
			of.Counts[v.End] = map[string]map[string]int{}
			for _, side := range scenario.Sides() {
				s := v.Of(side)
				counts := map[string]int{}
				for j, n := range s.Points[i].Counts {
					if n > 0 {
						counts[s.States[j].Name] = n
					}
				}
				of.Counts[v.End][string(side)] = counts
			}
		}
		points = append(points, encode(of))
	}
	return points
}
