package render

import (
	"slices"

	"socketlab/internal/socketstats"
)

// Look is how sockets in a state are drawn, in every face: a colour and a fill of
// their own, so that states are told apart on paper and by whoever sees no
// colours.
type Look struct {
	// Light and Dark are the colours on a light and on a dark ground.
	Light, Dark string
	// Terminal is the number of the colour among the 256 of terminals, and Rune what
	// fills bars there.
	Terminal int
	Rune     rune
	// Lines is an SVG path on a tile of eight by eight that is drawn over the colour,
	// and Width its stroke; "" is a plain fill.
	Lines, Width string
	// Meaning says what a socket in the state means.
	Meaning string
}

// stacking is the order of states in a chart, from below: what lives, what one end
// has closed, what only lingers. LISTEN is no connection.
var stacking = []socketstats.State{
	socketstats.Established, socketstats.CloseWait, socketstats.SynSent, socketstats.SynRecv,
	socketstats.FinWait1, socketstats.FinWait2, socketstats.Closing, socketstats.LastAck,
	socketstats.Close, socketstats.TimeWait,
}

// Stacking is the order of states in a chart, from below.
func Stacking() []socketstats.State { return slices.Clone(stacking) }

// LookOf returns how sockets in a state are drawn; zero for LISTEN and for a name
// that is none.
func LookOf(state string) Look {
	s, err := socketstats.ParseState(state)
	if err != nil {
		return Look{}
	}
	return looks[s]
}

// looks has one for each state that a chart can show.
var looks = map[socketstats.State]Look{
	socketstats.Established: {
		Light: "#0072b2", Dark: "#56b4e9", Terminal: 74, Rune: '█',
		Meaning: "both ends hold the connection: in use, idle, or forgotten",
	},
	socketstats.CloseWait: {
		Light: "#c2410c", Dark: "#ff8c42", Terminal: 209, Rune: '▓', Lines: "M-1 1L1 -1M0 8L8 0M7 9L9 7", Width: "1.6",
		Meaning: "the other end has closed, this program has not: the classic leak",
	},
	socketstats.SynSent: {
		Light: "#b07d00", Dark: "#e0b53c", Terminal: 220, Rune: '▒', Lines: "M1.5 2h1.6M5.5 6h1.6", Width: "1.6",
		Meaning: "this end asked for a connection and has no answer yet",
	},
	socketstats.SynRecv: {
		Light: "#8a6d00", Dark: "#c2a13a", Terminal: 178, Rune: ':', Lines: "M0 2h8M2 2v6", Width: "1.2",
		Meaning: "the other end asked, and the handshake is not complete",
	},
	socketstats.FinWait1: {
		Light: "#00795a", Dark: "#2fbf94", Terminal: 36, Rune: '=', Lines: "M0 4h8", Width: "1.6",
		Meaning: "this end has closed, and the other has not acknowledged that",
	},
	socketstats.FinWait2: {
		Light: "#3f7d20", Dark: "#74b84a", Terminal: 71, Rune: '|', Lines: "M4 0v8", Width: "1.6",
		Meaning: "this end has closed, and the other has not: it may still send",
	},
	socketstats.Closing: {
		Light: "#a0427f", Dark: "#d174af", Terminal: 168, Rune: '#', Lines: "M0 0L8 8M0 8L8 0", Width: "1.1",
		Meaning: "both ends have closed at the same moment",
	},
	socketstats.LastAck: {
		Light: "#7b3f8c", Dark: "#b07cc2", Terminal: 133, Rune: '/', Lines: "M-1 7L1 9M0 0L8 8M7 -1L9 1", Width: "1.6",
		Meaning: "both ends have closed, and the last acknowledgement is on its way",
	},
	socketstats.Close: {
		Light: "#4b5563", Dark: "#9aa5b4", Terminal: 246, Rune: '+', Lines: "M0 4h8M4 0v8", Width: "1.1",
		Meaning: "bound or shut down, and in no connection",
	},
	socketstats.TimeWait: {
		Light: "#7d8590", Dark: "#a3abb5", Terminal: 253, Rune: '░', Lines: "M3.2 4h1.6", Width: "1.6",
		Meaning: "this end closed first: port taken for a minute, no descriptor",
	},
}
