package render

import "time"

// Throttle says how long to rest after making a snapshot, so that snapshots take at most
// one part in Share of the time: the longer a run goes on, the more each takes,
// and the processor belongs to what is counted. The zero Throttle rests for Least.
//
// A snapshot takes long, too, if the processor was busy with others. So it goes by
// the quickest of the newest few, which is what a snapshot costs.
type Throttle struct {
	// Share is that part; Least and Most bound the rest.
	Share       int
	Least, Most time.Duration

	newest [5]time.Duration
	made   int
}

// Rest enters how long a snapshot took, and returns how long to rest.
func (p *Throttle) Rest(took time.Duration) time.Duration {
	p.newest[p.made%len(p.newest)] = took
	p.made++
	quickest := took
	for _, d := range p.newest[:min(p.made, len(p.newest))] {
		quickest = min(quickest, d)
	}
	return min(max(time.Duration(p.Share)*quickest, p.Least), p.Most)
}
