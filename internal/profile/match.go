package profile

import (
	"cmp"
	"fmt"
	"math"
	"time"

	"socketlab/internal/words"
)

// Traffic is what goes over the connections between two programs. Requests come at random
// moments (a Poisson process), one at a time on a connection.
type Traffic struct {
	// PerSecond are the requests on all connections, and Connections how many these are.
	PerSecond   float64
	Connections int
	// RTT is the time of a packet to the server and back.
	RTT time.Duration
}

// The bounds of traffic.
const (
	leastPerSecond = 1.0 / 3600 / 100
	mostPerSecond  = 1e6
	mostConns      = 1_000_000
	longestRTT     = time.Minute
)

// Check says what is wrong with traffic, or returns nil.
func (t Traffic) Check() error {
	switch {
	case !(t.PerSecond >= leastPerSecond && t.PerSecond <= mostPerSecond): // also refuses NaN
		return fmt.Errorf("the rate is not between 0.01/h and %s/s", words.Count(int(mostPerSecond)))
	case t.Connections < 1 || t.Connections > mostConns:
		return fmt.Errorf("%d connections are not between 1 and %s", t.Connections, words.Count(int(mostConns)))
	case t.RTT < 0 || t.RTT > longestRTT:
		return fmt.Errorf("the round trip %s is not between 0s and %s", t.RTT, longestRTT)
	}
	return nil
}

// Closer is the end that closes an idle connection first.
type Closer string

// The closers. Either means that their times overlap; Unknown that a time is not known.
const (
	ClientCloses Closer = "client"
	ServerCloses Closer = "server"
	EachAnswer   Closer = "server, with each answer"
	Either       Closer = "either"
	Neither      Closer = "neither"
	Unknown      Closer = "unknown"
)

// Match says how two programs get along over the connections between them.
type Match struct {
	Client, Server *Profile
	Traffic        Traffic
	// ClientIdle and ServerIdle are the times after which each closes, and UsedFor how
	// long the client uses an idle connection: it may leave one open that it uses no more.
	ClientIdle, ServerIdle, UsedFor Value
	// ClientFirst and ServerFirst are the shortest of their times, where they vary.
	ClientFirst, ServerFirst Value
	// Hint says what the server's Keep-Alive header does to the client; "" is nothing.
	Hint string
	// First closes first; TimeWait is the end where TIME_WAIT is then.
	First, TimeWait Closer
	// From and To are the idle times of a connection between which a request meets a
	// closing connection; both are 0 if none can.
	From, To time.Duration
	// Meets is the share of requests that do, and Late that of those that come after it,
	// when the client has read the server's FIN.
	Meets, Late float64
	Get, Post   Outcome
	// Fixes say what ends it, the better one first; nil where nothing is to be fixed.
	Fixes []string
}

// Outcome is what a caller sees of a method's requests.
type Outcome struct {
	// Meeting is the result of a request that meets a closing connection, and Later that of
	// one after it; "" is not known.
	Meeting, Later string
	// Errors is the share of all requests that fail; NaN is not known.
	Errors float64
}

// exactTime is the time of a duration, and whether there is one: neither Over nor Never.
func exactTime(v Value) (time.Duration, bool) {
	return v.Time, v.Unit == Duration && v.Bound == Exact
}

// atMost is the time after which it has happened at the latest: far away if it had not.
func atMost(v Value) time.Duration {
	if t, ok := exactTime(v); ok {
		return t
	}
	return math.MaxInt64 / 4
}

// Pair matches a client, or a proxy as the client of its backend, with a server, or a
// proxy as the server of its clients.
func Pair(client, server *Profile, traffic Traffic) *Match {
	m := &Match{
		Client: client, Server: server, Traffic: traffic,
		ClientIdle: client.Values["idle_close"], ServerIdle: server.Values["idle_timeout"],
	}
	m.ServerFirst = m.ServerIdle
	if v, ok := server.Value("idle_timeout_shortest"); ok {
		m.ServerFirst = v
	}
	m.ClientFirst = m.ClientIdle
	if v, ok := client.Value("idle_close_shortest"); ok {
		m.ClientFirst = v
	}
	m.UsedFor = m.ClientIdle
	if client.Values["honours_hint"].Word == "on_reuse" {
		// It looks at the age of a connection before it uses it, and what closes idle ones
		// comes by at intervals, when they are older.
		m.UsedFor = m.ClientFirst
	}
	m.hint()
	m.first()
	m.window()
	m.Get, m.Post = m.outcome("get"), m.outcome("post")
	m.fix()
	return m
}

// hint shortens the client's times if the server says something shorter and the client
// heeds it.
func (m *Match) hint() {
	says, said := m.Server.Value("keepalive_header_says")
	if !said {
		return
	}
	heeds := m.Client.Values["honours_hint"].Word
	if m.Client.Kind == Proxy {
		heeds = m.Client.Values["hint_obeyed"].Word
	}
	header := fmt.Sprintf("Keep-Alive: timeout=%.0f", says.Time.Seconds())
	if m.Server.Values["keepalive_header"].Word == "on_request" {
		m.Hint = header + " comes only to who asks by Connection: keep-alive; it is not counted on"
		return
	}
	switch heeds {
	case "yes", "on_reuse":
		m.Hint = "the client heeds " + header
		if atMost(m.UsedFor) > says.Time {
			m.UsedFor = says
		}
		if heeds == "yes" && atMost(m.ClientIdle) > says.Time {
			m.ClientIdle = says
		}
		if heeds == "yes" && atMost(m.ClientFirst) > says.Time {
			m.ClientFirst = says
		}
	case "no":
		m.Hint = "the client does not heed " + header
	default:
		m.Hint = "whether the client heeds " + header + " was not measured"
	}
}

func (m *Match) first() {
	clientTime, clientExact := exactTime(m.ClientIdle)
	clientShortest, _ := exactTime(m.ClientFirst)
	shortest, serverExact := exactTime(m.ServerFirst)
	longest, _ := exactTime(m.ServerIdle)
	switch {
	case m.ServerIdle.Unit == "" || m.ClientIdle.Unit == "":
		m.First = Unknown
	case serverExact && longest == 0:
		m.First = EachAnswer
	case !clientExact && !serverExact:
		m.First = Neither // within the time that was waited
	case !serverExact && (m.ServerIdle.Bound == Never || clientTime <= m.ServerIdle.Time):
		m.First = ClientCloses
	case !clientExact && (m.ClientIdle.Bound == Never || longest <= m.ClientIdle.Time):
		m.First = ServerCloses
	case !serverExact || !clientExact:
		m.First = Unknown
	case clientTime < shortest-max(tolerance(shortest), m.Traffic.RTT):
		m.First = ClientCloses
	case clientShortest > longest+tolerance(longest):
		m.First = ServerCloses
	default:
		m.First = Either
	}
	m.TimeWait = m.First
	if m.First == EachAnswer {
		m.TimeWait = ServerCloses
	}
}

// window computes when a request meets a closing connection. The server closes its end
// when it was idle for S. A request that the client sends after S - RTT comes too late for
// it, and only at S does the client read of it: both count from the client's reading of
// the answer, half an RTT after the server began to count.
func (m *Match) window() {
	shortest, exact := exactTime(m.ServerFirst)
	if !exact || m.First == EachAnswer || m.First == Unknown || m.First == Neither {
		return
	}
	longest := max(shortest, m.ServerIdle.Time)
	used := atMost(m.UsedFor)
	if used <= shortest-m.Traffic.RTT {
		return
	}
	usedAtLeast := min(used, atMost(m.ClientFirst))
	m.From, m.To = max(0, shortest-m.Traffic.RTT), min(used, longest)
	perSecond := m.Traffic.PerSecond / float64(max(1, m.Traffic.Connections))
	// The share of pauses between requests that are shorter than t.
	shorter := func(t time.Duration) float64 { return 1 - math.Exp(-perSecond*max(0, t).Seconds()) }
	// The mean over the times of both, each as likely as another.
	const steps = 64
	between := func(i int, from, to time.Duration) time.Duration {
		return from + time.Duration((float64(i)+0.5)/steps*float64(to-from))
	}
	for i := range steps {
		closes := between(i, shortest, longest)
		for j := range steps {
			uses := between(j, usedAtLeast, used)
			m.Meets += (shorter(min(uses, closes)) - shorter(min(uses, closes-m.Traffic.RTT))) / steps / steps
			m.Late += (shorter(uses) - shorter(min(uses, closes))) / steps / steps
		}
	}
}

// outcome is what the caller sees of a method.
func (m *Match) outcome(method string) Outcome {
	meeting, later := "read_then_closed_"+method, "stale_"+method
	if m.Client.Kind == Proxy {
		meeting, later = "stale_backend_"+method, "closed_backend_"+method
	}
	o := Outcome{Meeting: m.Client.Values[meeting].Word, Later: m.Client.Values[later].Word}
	if o.Meeting == "" {
		o.Meeting = m.Client.Values["race_"+method].Word
	}
	for _, part := range []struct {
		share float64
		word  string
	}{{m.Meets, o.Meeting}, {m.Late, o.Later}} {
		if part.share == 0 {
			continue
		}
		switch answered, known := Answered(part.word); {
		case !known:
			o.Errors = math.NaN()
		case !answered:
			o.Errors += part.share
		}
	}
	return o
}

// Answered reports whether a caller got an answer, where a word of a question about closed
// connections says what happened; known is false for "".
func Answered(word string) (answered, known bool) {
	switch word {
	case "":
		return false, false
	case "new_connection", "sent_twice", "repeated":
		return true, true
	}
	return false, true
}

// Harmful reports whether requests can meet a closing connection, or fail on one.
func (m *Match) Harmful() bool { return m.To > 0 }

// fix says which settings end it.
func (m *Match) fix() {
	if !m.Harmful() && m.First != Either {
		return
	}
	shortest := m.ServerFirst.Time
	below := min(shortest*4/5, shortest-m.Traffic.RTT*2).Round(atOnce)
	if below > 0 {
		m.Fixes = append(m.Fixes, fmt.Sprintf("Let %s close idle connections after less than %s, such as %s: %s",
			m.Client.Name, Took(shortest-m.Traffic.RTT), below, cmp.Or(m.clientSetting(), "its documentation names the setting")))
	}
	if used, exact := exactTime(m.UsedFor); exact {
		m.Fixes = append(m.Fixes, fmt.Sprintf("Let %s keep them for longer than %s, such as %s: %s",
			m.Server.Name, Took(used+m.Traffic.RTT), (used+max(5*time.Second, 2*m.Traffic.RTT)).Round(time.Second), cmp.Or(m.Server.IdleSetting, "its documentation names the setting")))
	}
}

func (m *Match) clientSetting() string {
	if m.Client.Kind == Proxy {
		return m.Client.BackendIdleSetting
	}
	return m.Client.IdleSetting
}
