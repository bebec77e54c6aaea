package verdict

import "socketlab/internal/socketstats"

const CloseWaitLeak Kind = "close-wait-leak"

var _ = register(Rule{
	Kind: CloseWaitLeak, Severity: Leak, Rank: rankSign + 3, Scenario: "context-not-passed",
	Title:      "the other end has closed, and this one has not: CLOSE_WAIT",
	Means:      "The kernel waits for this program to close; there is no timeout. Each such socket holds its descriptor until the process ends.",
	Recognised: "CLOSE_WAIT grows (while a process is watched, only if on three or more of its sockets nothing was said for ten seconds: last answers may take some time), or five or more sockets are in it throughout the last quarter, on which nothing was said for ten seconds. At the client's end it is often a response body that was not closed, or a pool that does not check before it reuses; at the server's end a handler that does not notice that its caller has left.",
	Limits:     "Fewer that do not grow are among the facts of healthy: a pool that checks a connection before it reuses it leaves some, too.",
	Fix:        "Close the connection when a read returns end of file: at the client close response bodies, at the server end the work when the request's context is cancelled.",
	Sentences: map[string]string{
		"close_wait": "The other end has closed {connections|connection} that this process has not: CLOSE_WAIT[, growing by {growth_per_second}][, for {for_ms} or longer].",
	},
	recognise: closeWaitLeak{},
})

type closeWaitLeak struct{}

func (closeWaitLeak) find(f *facts) *finding {
	n, server := f.closeWaits()
	if (!f.ownServer() && !f.subject.Serves) || f.passedOn() > 0 {
		server = 0
	}
	waiting, alternatives := clientIn(socketstats.CloseWait), []Alternative{
		{ResponseBodyLeak, "whether the program speaks HTTP and closes the body of every response"},
	}
	if n == 0 {
		n, waiting, alternatives = server, acceptedCloseWait, nil
	}
	if n == 0 {
		return nil
	}
	found := &finding{confidence: Medium, alternatives: alternatives}
	since := lasting(f.span() / 4) // the part that staying looks at
	if perSecond, grows := f.grows(waiting); grows {
		n, found.confidence, since = waiting(f.last()), High, growing(perSecond)
	}
	found.facts = []Fact{fact("close_wait", count("connections", n), since)}
	return found
}
