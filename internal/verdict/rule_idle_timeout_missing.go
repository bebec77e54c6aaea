package verdict

import "time"

const IdleTimeoutMissing Kind = "idle-timeout-missing"

// keptTooLong is how long an idle connection may be kept: longer than servers keep
// theirs (nginx 75 s, Go's own client 90 s).
const keptTooLong = 2 * time.Minute

var _ = register(Rule{
	Kind: IdleTimeoutMissing, Severity: Fault, Rank: rankReuse + 2, Scenario: "timeout-idle",
	Title:      "connections stay open long after the load has ended",
	Means:      "A burst has filled the pool, and nothing empties it. Each idle connection holds a descriptor at both ends, and the longer it is idle, the likelier it is dead when it is used.",
	Recognised: "At least five idle connections, two minutes or more after the last request. A pool with an idle timeout has closed them by then.",
	Limits:     "The two minutes are of the script's time, not of a faster run's.",
	Needs:      []Need{needMetrics},
	Fix:        "Give idle connections a timeout (in Go Transport.IdleConnTimeout; a Transport of one's own has none), below the server's.",
	Sentences: map[string]string{
		"idle": "{idle|connection is|connections are} still open and idle {for_ms} after the last request.",
	},
	recognise: idleTimeoutMissing{},
})

type idleTimeoutMissing struct{}

func (idleTimeoutMissing) find(f *facts) *finding {
	since, kept := len(f.Samples)-1, f.idle(f.last())
	for since > 0 && f.Samples[since-1].Requests.Sent == f.last().Requests.Sent && f.idle(&f.Samples[since-1]) >= several {
		since-- // before that the last responses were under way
		kept = min(kept, f.idle(&f.Samples[since]))
	}
	quiet := f.At[len(f.At)-1] - f.At[since]
	if kept < several || f.life(quiet) < keptTooLong {
		return nil
	}
	return &finding{confidence: High, facts: []Fact{f.requests(), fact("idle", count("idle", kept), lasting(quiet))}}
}
