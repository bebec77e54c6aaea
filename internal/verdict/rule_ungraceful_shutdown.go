package verdict

import "socketlab/internal/socketstats"

const UngracefulShutdown Kind = "ungraceful-shutdown"

var _ = register(Rule{
	Kind: UngracefulShutdown, Severity: Fault, Rank: rankCounters, Scenario: "abrupt-shutdown",
	Title:      "the server stopped in the middle of its responses",
	Means:      "Requests that were in flight when the listener closed ended without a response.",
	Recognised: "The listener is gone, and at least half of the requests that ended since, three or more, ended with EOF or a reset.",
	Needs:      []Need{needMetrics},
	Fix:        "Stop in order: close the listener, let the responses in flight finish (in Go call Server.Shutdown and wait for it), then end the process.",
	Sentences: map[string]string{
		"cut_off": "The server's listener went away. Of {finished|request} that ended since, {cut_off} got no response.",
	},
	recognise: ungracefulShutdown{},
})

type ungracefulShutdown struct{}

func (ungracefulShutdown) find(f *facts) *finding {
	listening := serverIn(socketstats.Listen)
	if listening(f.last()) > 0 {
		return nil
	}
	for i := len(f.Samples) - 1; i >= 0; i-- {
		if listening(&f.Samples[i]) == 0 {
			continue
		}
		// The client's counters are read a moment after the sockets: it may have
		// happened between.
		before, now := f.Samples[max(0, i-1)].Requests, f.last().Requests
		cut, finished := now.CutOff-before.CutOff, now.Finished()-before.Finished()
		if cut < few || 2*cut < finished {
			return nil
		}
		return &finding{confidence: High, facts: []Fact{fact("cut_off", count("finished", finished), count("cut_off", cut))}}
	}
	return nil
}
