package verdict

import (
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

const RequestStalled Kind = "request-stalled"

const (
	// patience is how long a response may take: most clients and proxies give up by
	// then.
	patience = 30 * time.Second
	// noResponse is how long requests must have waited to the end of a run in which
	// none got a response.
	noResponse = 2 * time.Second
)

var _ = register(Rule{
	Kind: RequestStalled, Severity: Fault, Rank: rankRequests + 1, Scenario: "no-timeout",
	Title:      "requests wait for a response that does not come",
	Means:      "The server took the request and is silent. Without a deadline the client waits for ever, with a connection and whatever the request holds.",
	Recognised: "With client-side counters: three or more requests have been in flight for 30 s; or for five times the slowest response, and at least a second; or to the end of a run in which none got a response. Without: five or more connections sent a request's worth of bytes (16 or more) once, 30 s ago or earlier, and never received anything. Or ten connections or more were opened and closed, by this end, nearly all after a second or longer without a response: no sample shows one that has had any, and the client gives up: a note.",
	Limits:     "Slow responses up to 30 s are not reported. Requests that wait on connections which had responses before look like long polls, and are reported only if ever more wait for two minutes. What an idle one-way protocol has sent once looks like a request. A client that gives up within less than a second looks like connection-churn. Long polls that the client ends, and messages of a one-way protocol on a connection each, look like requests that are given up. Where the server is known to be Redis, a message broker, IMAP or SSH, waiting is by design.",
	Needs:      []Need{needMetricsOrActivity},
	Fix:        "Give every request a deadline: in Go set http.Client.Timeout, or a context with a deadline.",
	Sentences: map[string]string{
		"sent_last":   "{connections|connection} sent last and got no response for {for_ms} or longer, growing by {growth_per_second}.",
		"never":       "{connections|connection has|connections have} sent once and never received anything, for {for_ms} or longer.",
		"waiting":     "{in_flight|request waits|requests wait} for a response, the oldest for {for_ms} or longer.",
		"given_up":    "{closed|connection was|connections were} closed in {for_ms}, about {wait_ms} after they were opened and by this end, without any response: the client gives up before the server answers.",
		"no_response": "No request got a response.",
	},
	recognise: requestStalled{},
})

type requestStalled struct{}

func (requestStalled) find(f *facts) *finding {
	if !f.counted() {
		return f.neverAnswers()
	}
	r := f.last().Requests
	if f.least(3, inFlight) < few {
		return nil
	}
	wait := f.longestWait()
	var slowest time.Duration
	if l := f.last().Latency; l != nil {
		slowest = time.Duration(l.Max * float64(time.Millisecond))
	}
	slow := slowest > 0 && wait >= 5*slowest && f.life(wait) >= time.Second
	never := f.Over && r.Finished() == 0 && wait >= f.span()/2 && f.life(wait) >= noResponse
	if f.life(wait) < patience && !slow && !never {
		return nil
	}
	facts := []Fact{f.requests(), fact("waiting", count("in_flight", r.InFlight), lasting(wait))}
	if r.Finished() == 0 {
		facts = append(facts, fact("no_response"))
	}
	return &finding{confidence: High, facts: facts}
}

// neverAnswers finds requests without a response by what connections carried.
func (f *facts) neverAnswers() *finding {
	if n := f.neverAnswered(f.last(), patience); n >= several && !f.waitsByDesign() && looksLikeRequests(f.last().Client.Activity) {
		return &finding{confidence: Medium, facts: []Fact{fact("never", count("connections", n), lasting(patience))}}
	}
	if found := f.givesUp(); found != nil {
		return found
	}
	waiting := func(s *series.Sample) int { return s.Client.Activity.Sent.AtLeast(patience) }
	if t, grows := f.grownFor(lastingGrowth, waiting); grows {
		return &finding{confidence: Medium, facts: []Fact{fact("sent_last", count("connections", waiting(f.last())), lasting(patience), growing(t.PerSecond))}}
	}
	return nil
}

// givesUp finds a client that opens a connection for each request and closes it after a while
// in which nothing came. Had a response come, the connection was closed within a second of it, or
// was seen at rest.
func (f *facts) givesUp() *finding {
	c := f.since(f.clientConns)
	if c == nil || c.Closed < 2*several || c.WithTCPInfo < 2*several || 10*c.ShortLived < 9*c.WithTCPInfo || 10*c.AtOnce > c.WithTCPInfo || f.waitsByDesign() {
		return nil
	}
	var open, unheard, heard, long, closing, closed int
	for i := range f.Samples {
		s := &f.Samples[i]
		open += established(s)
		unheard += s.Client.Activity.OneWay
		heard += s.Client.Activity.Received.Total()
		if looksLikeRequests(s.Client.Activity) {
			long += s.Client.Activity.OneWay
		}
		for _, state := range []socketstats.State{socketstats.FinWait1, socketstats.FinWait2, socketstats.TimeWait} {
			closing += clientIn(state)(s)
		}
		closed += clientIn(socketstats.CloseWait)(s) + clientIn(socketstats.LastAck)(s)
	}
	if unheard < 2*several || 10*unheard < 9*open || 10*heard > open || 2*long < unheard || closing <= closed {
		return nil
	}
	wait := time.Duration(f.mean(established) / float64(c.Opened) * float64(f.span())) // by Little's law
	if f.life(wait) >= patience {
		return nil
	}
	return &finding{
		severity:     Note, // a long poll may end so by design
		confidence:   Medium,
		facts:        []Fact{fact("given_up", count("closed", c.Closed), lasting(f.span()), millis("wait_ms", wait))},
		alternatives: []Alternative{{TimeoutTooShort, "how long the server takes for a request: whether it would have answered soon after"}, {Healthy, "whether it waits for what may come, as a long poll does, or the protocol has no responses"}},
		fix:          "Find out why the server takes longer than this client waits: a queue, a lock, its own upstream. If it answers soon after, give requests more time. Wait before a request is sent again: the server still works on the one before.",
	}
}

// longestWait is how long the oldest request has waited at least, if responses come
// in the order of their requests.
func (f *facts) longestWait() time.Duration {
	for i := range f.Samples {
		if f.Samples[i].Requests.Sent > f.last().Requests.Finished() {
			return f.At[len(f.At)-1] - f.At[i]
		}
	}
	return 0
}
