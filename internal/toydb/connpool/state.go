package connpool

import (
	"fmt"
	"slices"
)

// State is a stage in the life of a connection.
type State int

// The states of a connection.
const (
	Connecting State = iota // it is dialled, and set up by the server
	Connected               // a client has it, or a check
	Idle                    // it waits in the pool
	Closing                 // it is not used any more
	Closed
)

var names = [...]string{"connecting", "connected", "idle", "closing", "closed"}

func (s State) String() string { return names[s] }

// next are the permitted transitions.
var next = [...][]State{
	Connecting: {Connected, Closing},
	Connected:  {Idle, Closing},
	Idle:       {Connected, Closing},
	Closing:    {Closed},
	Closed:     {},
}

// move puts c into a state. The caller holds the pool's mu. A transition that is not
// permitted is a fault of this package.
func (c *Conn) move(to State) {
	if !slices.Contains(next[c.state], to) {
		panic(fmt.Sprintf("connpool: a connection that is %s cannot be %s", c.state, to))
	}
	c.pool.counts[c.state]--
	c.pool.counts[to]++
	c.state = to
}

// Values returns how many connections are in each state, by its name. Those that are
// closed are all so far.
func (p *Pool) Values() map[string]float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	values := map[string]float64{}
	for state, n := range p.counts {
		values[State(state).String()] = float64(n)
	}
	return values
}
