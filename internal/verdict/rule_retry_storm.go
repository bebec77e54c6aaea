package verdict

const RetryStorm Kind = "retry-storm"

var _ = register(Rule{
	Kind: RetryStorm, Severity: Fault, Rank: rankCounters + 1, Scenario: "retry-storm",
	Title:      "each request is attempted many times, and the server gets a multiple of the load",
	Means:      "What fails is retried at once, by every client. A server in trouble gets several times its load just then, and stays in trouble when the cause is gone. Attempts that are refused leave no socket: the load shows in counters only.",
	Recognised: "At least three attempts for each request, and ten more attempts than requests. An attempt has sent the request, or failed to look up, to connect or in the handshake.",
	Limits:     "Over raw TCP only attempts to connect that failed are counted.",
	Needs:      []Need{needMetrics},
	Fix:        "Retry only what can succeed, with back-off and jitter, and limit all retries together to about a tenth of the requests.",
	Sentences: map[string]string{
		"attempts": "{sent|request} led to {attempts|attempt}: {per_request} for each.",
		"refused":  "{connects|attempt} to connect failed. A refused attempt leaves no socket.",
	},
	recognise: retryStorm{},
})

type retryStorm struct{}

func (retryStorm) find(f *facts) *finding {
	sent, refused := f.last().Requests.Sent, f.failedConnects()
	attempts := max(f.attempts(), refused)
	if sent == 0 || attempts-sent < 2*several || attempts < 3*sent {
		return nil
	}
	facts := []Fact{fact("attempts", count("sent", sent), count("attempts", attempts), count("per_request", float64(attempts)/float64(sent)))}
	if refused > 0 {
		facts = append(facts, fact("refused", count("connects", refused)))
	}
	return &finding{confidence: High, facts: facts}
}
