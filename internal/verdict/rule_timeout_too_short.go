package verdict

const TimeoutTooShort Kind = "timeout-too-short"

var _ = register(Rule{
	Kind: TimeoutTooShort, Severity: Fault, Rank: rankRequests + 2, Scenario: "timeout-churn",
	Title:      "the client gives up on responses that do come",
	Means:      "The timeout is shorter than responses often take. The server does the work all the same, the connection is lost with the request, and the next request pays for another.",
	Recognised: "At least ten timeouts, and at least half as many as good responses. At least half of them fell between samples in which others got a response, and one in two cost a connection.",
	Limits:     "Where no request gets a response, giving up is right, and this is not reported.",
	Needs:      []Need{needMetrics},
	Fix:        "Set the timeout by what responses take (above their 99th percentile), or have fewer requests in flight, so that they take less.",
	Sentences: map[string]string{
		"timed_out": "{timed_out|request} timed out while others got a response. A request that times out closes its connection.",
	},
	recognise: timeoutTooShort{},
})

type timeoutTooShort struct{}

func (timeoutTooShort) find(f *facts) *finding {
	r, conns := f.last().Requests, f.conns(f.last())
	if r.TimedOut < 2*several || 2*r.TimedOut < r.OK || r.OK < few || conns == nil || 2*int64(conns.Opened) < r.TimedOut {
		return nil
	}
	var beside int64 // those that timed out while others got a response
	for i := 1; i < len(f.Samples); i++ {
		before, now := f.Samples[i-1].Requests, f.Samples[i].Requests
		if now.OK > before.OK {
			beside += now.TimedOut - before.TimedOut
		}
	}
	if 2*beside < r.TimedOut {
		return nil
	}
	return &finding{confidence: High, facts: []Fact{f.requests(), fact("timed_out", count("timed_out", r.TimedOut))}}
}
