package socketstats

import (
	"encoding/json"
	"fmt"
	"slices"
)

// State is a TCP state, with the kernel's number (include/net/tcp_states.h). The zero
// State is not a state.
type State uint8

// The eleven states of RFC 9293 section 3.3.2, with Linux's names. CLOSE is Linux's
// name for a socket that is bound or shut down but has no connection; it is rarely
// listed. SYN_RECV includes the kernel's request sockets (TCP_NEW_SYN_RECV).
const (
	Established State = iota + 1
	SynSent
	SynRecv
	FinWait1
	FinWait2
	TimeWait
	Close
	CloseWait
	LastAck
	Listen
	Closing

	numStates = int(Closing) + 1
)

var stateNames = [numStates]string{
	"", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2",
	"TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING",
}

// States lists every state in the order of a connection's life, with LISTEN last.
// Tables use this order.
func States() []State {
	return []State{
		SynSent, SynRecv, Established, FinWait1, FinWait2, Closing,
		TimeWait, CloseWait, LastAck, Close, Listen,
	}
}

// String returns the kernel's name, such as TIME_WAIT.
func (s State) String() string {
	if s == 0 || int(s) >= numStates {
		return fmt.Sprintf("State(%d)", uint8(s))
	}
	return stateNames[s]
}

// MarshalText writes the kernel's name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the kernel's name.
func (s *State) UnmarshalText(text []byte) error {
	parsed, err := ParseState(string(text))
	if err == nil {
		*s = parsed
	}
	return err
}

// ParseState returns the state with the kernel's name. Names are exact.
func ParseState(name string) (State, error) {
	for i := 1; i < numStates; i++ {
		if stateNames[i] == name {
			return State(i), nil
		}
	}
	return 0, fmt.Errorf("unknown TCP state %q", name)
}

// Counts are numbers of sockets by state. The zero Counts is of no sockets. It is a
// plain value: comparable, and safe to copy.
type Counts struct {
	byState [numStates]int32
	total   int32
	unowned int32
}

// Of returns the number of sockets in state s.
func (c Counts) Of(s State) int { return int(c.byState[s]) }

// Total returns the number of sockets in all states, including LISTEN. For a peak
// (see Max) it is the largest total, not the sum of the states' peaks.
func (c Counts) Total() int { return int(c.total) }

// Unowned returns how many of the sockets no process has a descriptor of, those in
// TIME_WAIT aside; see [Socket.Unowned].
func (c Counts) Unowned() int { return int(c.unowned) }

// Open returns the number of open connections at this end: every state except
// TIME_WAIT and LISTEN, without the unowned. Each takes a descriptor.
func (c Counts) Open() int {
	return int(c.total - c.byState[TimeWait] - c.byState[Listen] - c.unowned)
}

// List returns the counts that are not 0 as text, such as "150 ESTABLISHED", in the
// order of [States], except the states in without.
func (c Counts) List(without ...State) []string {
	var list []string
	for _, s := range States() {
		if n := c.Of(s); n > 0 && !slices.Contains(without, s) {
			list = append(list, fmt.Sprintf("%d %s", n, s))
		}
	}
	return list
}

// Open reports whether [Counts.Open] includes a socket in state s, if it has a descriptor.
func (s State) Open() bool { return s != TimeWait && s != Listen }

// Open reports whether [Counts.Open] includes a socket.
func (s *Socket) Open() bool { return s.State.Open() && !s.Unowned }

// Add adds one socket, by its State, which must be one of [States], and Unowned.
func (c *Counts) Add(s *Socket) {
	c.byState[s.State]++
	c.total++
	if s.Unowned && s.State.Open() {
		c.unowned++
	}
}

// Max returns the larger number of c and d for each state, for the total, and for the
// unowned.
func (c Counts) Max(d Counts) Counts {
	for i, n := range d.byState {
		c.byState[i] = max(c.byState[i], n)
	}
	c.total, c.unowned = max(c.total, d.total), max(c.unowned, d.unowned)
	return c
}

// Plus returns the sum of c and d.
func (c Counts) Plus(d Counts) Counts {
	for i, n := range d.byState {
		c.byState[i] += n
	}
	c.total += d.total
	c.unowned += d.unowned
	return c
}

// MarshalJSON writes the states that have sockets, the total, and the unowned if there are
// some: {"ESTABLISHED":2,"FIN_WAIT2":1,"total":3,"unowned":1}.
func (c Counts) MarshalJSON() ([]byte, error) {
	m := map[string]int32{"total": c.total}
	if c.unowned != 0 {
		m["unowned"] = c.unowned
	}
	for i, n := range c.byState {
		if n != 0 {
			m[stateNames[i]] = n
		}
	}
	return json.Marshal(m)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (c *Counts) UnmarshalJSON(data []byte) error {
	var m map[string]int32
	if err := json.Unmarshal(data, &m); err != nil {
		return fmt.Errorf("socket counts: %w", err)
	}
	*c = Counts{}
	for name, n := range m {
		if err := c.Set(name, n); err != nil {
			return err
		}
	}
	return nil
}

// Set sets one number by its name in JSON: that of a state, "total", or "unowned".
func (c *Counts) Set(name string, n int32) error {
	switch name {
	case "total":
		c.total = n
		return nil
	case "unowned":
		c.unowned = n
		return nil
	}
	s, err := ParseState(name)
	if err != nil {
		return fmt.Errorf("socket counts: %w", err)
	}
	c.byState[s] = n
	return nil
}
