package acceptqueueofthedead

import "time"

// prices are read when the first one is asked for.
type prices struct{ read bool }

// of takes 15 ms for a query, and a second more for the first.
func (p *prices) of(query string) int {
	if !p.read {
		time.Sleep(time.Second)
		p.read = true
	}
	time.Sleep(15 * time.Millisecond)
	return len(query)
}
