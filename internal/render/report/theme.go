package report

// fillStyle is how sockets in a state are drawn: a colour and a fill of its own, so
// that states are told apart on paper and by whoever sees no colours.
type fillStyle struct {
	// light and dark are the colours on a light and on a dark ground.
	light, dark string
	// lines is a path on a tile of eight by eight; "" is a plain fill.
	lines string
	width string
}

// theme has one for each state that a chart can show.
var theme = map[string]fillStyle{
	"ESTABLISHED": {light: "#0072b2", dark: "#3d9bd6"},
	"CLOSE_WAIT":  {light: "#c2410c", dark: "#e0652f", lines: "M-1 1L1 -1M0 8L8 0M7 9L9 7", width: "1.6"},
	"SYN_SENT":    {light: "#b07d00", dark: "#d9a520", lines: "M1.5 2h1.6M5.5 6h1.6", width: "1.6"},
	"SYN_RECV":    {light: "#8a6d00", dark: "#c2a13a", lines: "M0 2h8M2 2v6", width: "1.2"},
	"FIN_WAIT1":   {light: "#00795a", dark: "#22a57f", lines: "M0 4h8", width: "1.6"},
	"FIN_WAIT2":   {light: "#3f7d20", dark: "#74b84a", lines: "M4 0v8", width: "1.6"},
	"CLOSING":     {light: "#a0427f", dark: "#d174af", lines: "M0 0L8 8M0 8L8 0", width: "1.1"},
	"LAST_ACK":    {light: "#7b3f8c", dark: "#b07cc2", lines: "M-1 7L1 9M0 0L8 8M7 -1L9 1", width: "1.6"},
	"CLOSE":       {light: "#4b5563", dark: "#8893a2", lines: "M0 4h8M4 0v8", width: "1.1"},
	"TIME_WAIT":   {light: "#7d8590", dark: "#a3abb5", lines: "M3.2 4h1.6", width: "1.6"},
}

// The colours of all else that is drawn.
const (
	ink       = "#1b1f24"
	faint     = "#57606a"
	gridline  = "#d0d7de"
	ground    = "#ffffff"
	inkDark   = "#e6edf3"
	faintDark = "#9ba4ae"
	gridDark  = "#3a424c"
	darkness  = "#11151a"
)
