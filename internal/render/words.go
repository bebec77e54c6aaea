package render

import (
	"fmt"
	"math"
	"slices"
	"time"

	"socketlab/internal/scenario"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
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

// climbed writes the growth of a run that is over.
func climbed(perSecond float64) string {
	switch {
	case perSecond >= leastGrowth:
		return fmt.Sprintf("climbed %.1f/s", perSecond)
	case perSecond <= -leastGrowth:
		return fmt.Sprintf("fell %.1f/s", -perSecond)
	default:
		return "steady"
	}
}

// growth is the trend of what is held, in sockets a second, rounded; 0 for what
// may be chance: too few values, a socket or two, or a small part of what
// there is.
func growth(at []time.Duration, held []float64) float64 {
	const least, few, part = 3, 2, 0.05
	if len(at) < least {
		return 0
	}
	g := verdict.Slope(at, held)
	if span := at[len(at)-1] - at[0]; math.Abs(g)*span.Seconds() <= max(few, part*slices.Max(held)) {
		return 0
	}
	return math.Round(g*100) / 100
}

// sentence says what is happening: what the script tells of the moment, what the
// sides hold, and what they were found to be.
func sentence(p *Snapshot, told string) string {
	faulty, fixed := holds(&p.Faulty), holds(&p.Fixed)
	switch {
	case p.Stopped != "":
		return "The run ended early: " + p.Stopped + "."
	case len(p.Faulty.Points) == 0:
		return "The servers listen, the clients begin."
	case p.Over:
		return fmt.Sprintf("The faulty side ends with %s, the fixed side with %s.", faulty, fixed)
	case told == "":
		return fmt.Sprintf("The faulty side holds %s, the fixed side %s.", faulty, fixed)
	default:
		return fmt.Sprintf("%s: the faulty side holds %s, the fixed side %s.", told, faulty, fixed)
	}
}

// manyWaiting is how many sockets in TIME_WAIT are worth a word.
const manyWaiting = 10

// holds is what a side holds, what lingers where that is more, and the leak that
// it was found to be.
func holds(s *Side) string {
	text := fmt.Sprint(s.Held)
	if s.Side == scenario.Faulty {
		text = sockets(s.Held)
	}
	for _, state := range s.States {
		if state.Name == socketstats.TimeWait.String() && state.Now > max(s.Held, manyWaiting) {
			text += fmt.Sprintf(", and %d in TIME_WAIT", state.Now)
		}
	}
	if s.Verdict.Leak {
		text += fmt.Sprintf(" (%s)", s.Verdict.Kind)
	}
	return text
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
