package view

import (
	"fmt"
	"math"

	"socketlab/internal/socketstats"
)

// leastGrowth is what is called growth, in sockets a second.
const leastGrowth = 0.1

// trend writes a growth in a word or two.
func trend(perSecond float64) string {
	switch {
	case perSecond >= leastGrowth:
		return fmt.Sprintf("+%.1f/s", perSecond)
	case perSecond <= -leastGrowth:
		return fmt.Sprintf("-%.1f/s", math.Abs(perSecond))
	default:
		return "steady"
	}
}

// sentence says what is happening: what the faulty side was found to be, or what
// the sides hold as long as nothing was found.
func sentence(p *Picture) string {
	faulty, fixed := p.Faulty, p.Fixed
	switch {
	case p.Stopped != "":
		return "The run ended early: " + p.Stopped + "."
	case len(faulty.Points) == 0:
		return "The servers listen, the clients begin."
	case faulty.Verdict.Leak && fixed.Verdict.Leak:
		return fmt.Sprintf("Both sides: %s, %s.", faulty.Verdict.Kind, fixed.Verdict.Kind)
	case faulty.Verdict.Leak && p.Over:
		return fmt.Sprintf("The faulty side ends with %s and the verdict %s, the fixed side with %d.",
			sockets(faulty.Held), faulty.Verdict.Kind, fixed.Held)
	case faulty.Verdict.Leak:
		return fmt.Sprintf("The faulty side: %s. It holds %s, the fixed side %d.", faulty.Verdict.Kind, sockets(faulty.Held), fixed.Held)
	case p.Over:
		return fmt.Sprintf("The faulty side ends with %s, the fixed side with %d.", sockets(faulty.Held), fixed.Held)
	default:
		return fmt.Sprintf("The faulty side holds %s, the fixed side %d; too early to say more.", sockets(faulty.Held), fixed.Held)
	}
}

func sockets(n int) string {
	if n == 1 {
		return "1 socket"
	}
	return fmt.Sprintf("%d sockets", n)
}

// meanings say what a socket in a state means, to whoever looks at a face.
var meanings = map[socketstats.State]string{
	socketstats.Established: "both ends hold the connection: in use, idle in a pool, or forgotten",
	socketstats.CloseWait:   "the other end has closed, and our program has not: the classic leak",
	socketstats.SynSent:     "a connection was asked for, and nobody has answered yet",
	socketstats.SynRecv:     "a connection was asked for, and its handshake is not complete",
	socketstats.FinWait1:    "this end has closed, and the other has not acknowledged that",
	socketstats.FinWait2:    "this end has closed, and the other has not: it may still send",
	socketstats.Closing:     "both ends have closed at the same moment",
	socketstats.LastAck:     "both ends have closed, and the last acknowledgement is on its way",
	socketstats.Close:       "on its way out, or not yet on its way in",
	socketstats.TimeWait:    "this end closed first: the kernel keeps the port for a minute, and no descriptor",
}

// Meaning says what a socket in a state means; "" for a name that is none.
func Meaning(state string) string {
	s, err := socketstats.ParseState(state)
	if err != nil {
		return ""
	}
	return meanings[s]
}
