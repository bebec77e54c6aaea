package errorcatalog

// answers are failures that http.Client gives no error for, and what is left.
var answers = []Entry{
	{
		Name:    "HTTP_401",
		Aliases: []string{"401", "unauthorized", "bad credentials"},
		Title:   "the server does not know who asks, or does not believe it",
		Means:   "An answer like any other: err is nil. The credentials are missing, wrong or expired; WWW-Authenticate says what the server wants.",
		Chains: []Chain{
			{Errors: "nil"},
		},
		Test:      "err == nil && resp.StatusCode == http.StatusUnauthorized",
		Here:      "ESTABLISHED, and idle in the pool once the body is read to its end and closed",
		There:     "ESTABLISHED",
		After:     "The next request uses it. A body left open costs the connection, and in time all descriptors.",
		Worse:     "Retrying with the same credentials: it locks the account, and never succeeds. Returning without closing the body because it is an error. Refreshing the token in every goroutine at once.",
		Better:    "Do not retry, except once after a refresh that one goroutine does for all; close the body in every path; alert.",
		Sources:   []string{"RFC 9110 sections 15.5.2 and 11.6.1"},
		Scenarios: []string{"bad-credentials", "error-body-not-closed"},
	},
	{
		Name:    "HTTP_503",
		Aliases: []string{"503", "service unavailable", "unavailable", "overloaded"},
		Title:   "the server, or the balancer before it, says: not now",
		Means:   "An answer like any other: err is nil. Overload, maintenance, no healthy backend, a limit of connections. The request was not carried out, and Retry-After may say when to come back.",
		Chains: []Chain{
			{Errors: "nil"},
		},
		Test:      "err == nil && resp.StatusCode == http.StatusServiceUnavailable",
		Here:      "ESTABLISHED, and idle in the pool once the body is read to its end and closed",
		There:     "ESTABLISHED; or FIN_WAIT_2 if it answered Connection: close",
		After:     "The next request uses it. A server that answers 503 and closes at once, with the request unread, sends a RST: about half of its clients see ECONNRESET in place of the 503.",
		Worse:     "Retrying at once, from every client: three retries each are four times the load on what is overloaded already. Not closing the body.",
		Better:    "Obey Retry-After; else exponential back-off with full jitter, a retry budget, a circuit breaker. Read and close the body: the connection is good.",
		Sources:   []string{"RFC 9110 sections 15.6.4 and 10.2.3", "RFC 9112 section 9.6"},
		Scenarios: []string{"too-many-connections", "error-body-not-closed"},
	},
	{
		Name:    "other",
		Aliases: []string{"malformed header", "malformed HTTP response", "x509"},
		Title:   "an error that is counted under no name of its own",
		Means:   "What is left: a certificate that does not check, an answer that is not HTTP or whose header was cut inside a line (by a FIN or a RST alike), a connection that this program closed itself, the cause given to context.WithCancelCause or WithTimeoutCause.",
		Chains: []Chain{
			{When: "cut inside a line of the header", Errors: "*url.Error -> *fmt.wrapError -> textproto.ProtocolError"},
			{When: "cancelled with a cause of one's own", Errors: "*url.Error -> *errors.errorString"},
			{When: "past the deadline of WithTimeoutCause", Errors: "*url.Error -> *errors.errorString"},
		},
		Here:      "closed by us",
		There:     "whatever it was; it gets a FIN, or a RST if part of its answer was unread",
		After:     "The connection is not reused.",
		Worse:     "Retrying what cannot succeed, a bad certificate above all; taking everything unknown for temporary.",
		Better:    "Log the whole text and the types (%T of each errors.Unwrap); retry only what is known to be safe.",
		Sources:   []string{"Go net/http/transport.go (context.Cause)", "Go net/textproto/reader.go", "RFC 9112 section 8"},
		Scenarios: nil,
	},
}
