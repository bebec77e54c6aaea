package verdict

import "socketlab/internal/series"

const StaleConnectionReuse Kind = "stale-connection-reuse"

var _ = register(Rule{
	Kind: StaleConnectionReuse, Severity: Fault, Rank: rankRequests + 3, Scenario: "stale-pool-after-restart",
	Title:      "requests are sent on connections that are dead",
	Means:      "The server closed a pooled connection while it was idle, or the peer has vanished. The pool does not know, and hands it out. The request that gets it fails, and one that is not safe to repeat is not repeated.",
	Recognised: "At least three requests, and half of those that failed, failed on a connection that had served an earlier one: by EOF or a reset before any response, or by a second timeout in a row.",
	Limits:     "What net/http retries by itself does not fail.",
	Needs:      []Need{needMetrics},
	Fix:        "Let the pool close idle connections before the server does (an idle timeout below the server's), check a connection before it is used, and find dead peers with pings.",
	Sentences: map[string]string{
		"stale": "{requests|request} failed on a connection that had served earlier requests and was dead by then.",
	},
	recognise: staleConnectionReuse{},
})

type staleConnectionReuse struct{}

func (staleConnectionReuse) find(f *facts) *finding {
	stale := f.counter(func(c *series.ClientConns) *int64 { return c.StaleReuse })
	if stale < few || 2*stale < f.last().Requests.Failed {
		return nil
	}
	return &finding{confidence: likely(stale), facts: []Fact{f.requests(), fact("stale", count("requests", stale))}}
}
