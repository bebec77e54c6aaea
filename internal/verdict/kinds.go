package verdict

import "slices"

// Kind names what a series shows.
type Kind string

// What a series can show.
const (
	Healthy                  Kind = "healthy"
	NotEnoughData            Kind = "not-enough-data"
	IdleConnectionsNotReused Kind = "idle-connections-not-reused"
	ResponseBodyLeak         Kind = "response-body-leak"
	ConnectionChurn          Kind = "connection-churn"
	CloseWaitLeak            Kind = "close-wait-leak"
	ConnectStalled           Kind = "connect-stalled"
	AcceptQueueOverflow      Kind = "accept-queue-overflow"
	RequestStalled           Kind = "request-stalled"
	PoolExhaustion           Kind = "pool-exhaustion"
	UngracefulShutdown       Kind = "ungraceful-shutdown"
	RetryStorm               Kind = "retry-storm"
	StaleConnectionReuse     Kind = "stale-connection-reuse"
	TimeoutTooShort          Kind = "timeout-too-short"
	LoadImbalance            Kind = "load-imbalance"
	IdleTimeoutMissing       Kind = "idle-timeout-missing"
	ServerIdleClients        Kind = "server-idle-clients"
	HalfOpenConnections      Kind = "half-open-connections"
	ConnectionGrowth         Kind = "connection-growth"
	FDExhaustion             Kind = "fd-exhaustion"
	PortExhaustion           Kind = "port-exhaustion"
)

// Explanation is what there is to say of a kind.
type Explanation struct {
	Kind Kind
	// Leak says whether it is a fault.
	Leak bool
	// Title is one line, Means and Recognised a few sentences: what it is and
	// what it does, by which facts it is recognised, and what looks the same.
	Title, Means, Recognised string
	// Fix is one sentence on how to fix it; "" for what is no fault.
	Fix string
	// Scenario is where it is taught; "" if nowhere yet.
	Scenario string
}

// Explain returns what there is to say of a kind, and false if there is none of
// this name.
func Explain(kind Kind) (Explanation, bool) {
	i := slices.IndexFunc(explanations, func(e Explanation) bool { return e.Kind == kind })
	if i < 0 {
		return Explanation{}, false
	}
	return explanations[i], true
}

// Kinds lists all kinds: healthy ones, faults of clients, of servers, of either.
func Kinds() []Kind {
	kinds := make([]Kind, len(explanations))
	for i, e := range explanations {
		kinds[i] = e.Kind
	}
	return kinds
}

var explanations = []Explanation{
	{
		Kind:       Healthy,
		Title:      "nothing piles up",
		Means:      "Sockets are given back as fast as they are taken, or are kept and used again.",
		Recognised: "None of the other kinds fits, and no count has a trend that lasts. A leak slower than the least that would have shown in the time watched is not seen: the evidence says how slow.",
	},
	{
		Kind:       NotEnoughData,
		Title:      "too early to say",
		Means:      "The samples are too few, or what they show may still be the beginning of something ordinary: a start-up, a slow answer.",
		Recognised: "Fewer than eight samples, fewer than eight since the last restart, or growth that has not lasted long enough to be distinguished from a start.",
	},
	{
		Kind: IdleConnectionsNotReused, Leak: true, Scenario: "transport-per-request",
		Title:      "connections stay open and idle, and no request uses them again",
		Means:      "Each request opens a connection, gets its answer, and leaves the connection idle in a pool that nobody asks again. Descriptors and memory grow at both ends until a limit, or until the server closes idle connections.",
		Recognised: "Idle ESTABLISHED connections at the client's end grow and are never given back, while new ones are opened beside them. Until the server closes its end, a response body that was not closed looks the same: then the forgotten connection goes away, and the one with the body stays in CLOSE_WAIT.",
		Fix:        "Make one client with one pool (in Go one http.Client with one Transport) and share it; limit and time out its idle connections.",
	},
	{
		Kind: ResponseBodyLeak, Leak: true, Scenario: "body-not-closed",
		Title:      "the answer came and its body was never closed",
		Means:      "The client has the answer's header, and never says that it is done with the body. The connection is not idle and not in use: the pool cannot give it to anybody, and will not notice that the server closes it.",
		Recognised: "Connections at the client's end grow that have an answer in the kernel's buffer which nobody reads; or requests are answered, and the connections stay in CLOSE_WAIT once the server has closed its end.",
		Fix:        "Close every response body, also when only the status matters, and read it to its end first.",
	},
	{
		Kind: ConnectionChurn, Leak: true, Scenario: "idle-pool-too-small",
		Title:      "a connection is opened for a request or two, and closed",
		Means:      "Each request pays for a handshake, and each closing leaves a socket in TIME_WAIT for a minute at the end that closed first (none if it was a reset). Local ports towards the destination can run out.",
		Recognised: "Many more connections are opened than are ever open at once, and most of them carry one exchange or two; or, where only counts are known, TIME_WAIT is a multiple of what is open. Why they are closed (an idle pool too small, keep-alive switched off, a body that was not read to its end, no pool at all) does not show in sockets.",
		Fix:        "Keep connections open and use them again: leave keep-alive on, let the pool hold as many idle ones as there are requests at once (in Go MaxIdleConnsPerHost; the default is 2), and read bodies to their end.",
	},
	{
		Kind: CloseWaitLeak, Leak: true, Scenario: "context-not-passed",
		Title:      "the other end has closed, and this one has not: CLOSE_WAIT",
		Means:      "The kernel waits for this program to close; there is no timeout. Each such socket holds its descriptor until the process ends.",
		Recognised: "CLOSE_WAIT grows, or at least five are there throughout. At the client's end it is often a response body that was not closed, or a pool that does not look before it reuses; at the server's a handler that does not notice that its caller has left.",
		Fix:        "Close the connection when a read returns end of file: at the client close response bodies, at the server end the work when the request's context is cancelled.",
	},
	{
		Kind: ConnectStalled, Leak: true, Scenario: "timeout-connect",
		Title:      "connections are asked for and nobody answers: SYN_SENT",
		Means:      "The destination is down, its packets are dropped by a firewall, or its accept queue is full. Each attempt lasts until the dialer's timeout, by default over two minutes.",
		Recognised: "Sockets in SYN_SENT that have been sent more than once, or that are there in every sample.",
		Fix:        "Give the dialer a timeout of a few seconds, retry with back-off and a budget, and find out why the destination does not answer.",
	},
	{
		Kind: RequestStalled, Leak: true, Scenario: "no-timeout",
		Title:      "requests wait for an answer that does not come",
		Means:      "The server took the request and is silent. Without a deadline the client waits for ever, with a connection and whatever the request holds.",
		Recognised: "Requests, or connections that sent last, have been waiting for 30 s or more, or for a multiple of the slowest answer, or to the end of a run in which none was answered.",
		Fix:        "Give every request a deadline: in Go set http.Client.Timeout, or a context with a deadline.",
	},
	{
		Kind: PoolExhaustion, Leak: true, Scenario: "conn-cap-plus-leak",
		Title:      "requests queue for a connection of a pool that has none to give",
		Means:      "The pool's limit is reached and every connection is taken, by slow requests or by ones that never give it back. What waits is in no socket: the server is idle while its clients time out.",
		Recognised: "The client has more requests under way than connections, for as long as was watched, while the number of connections stands still. Known only where requests are counted: sockets alone do not show it.",
		Fix:        "Give connections back in every path, set the pool to requests per second times latency and some more, and give the wait for a connection a deadline of its own.",
	},
	{
		Kind: RetryStorm, Leak: true, Scenario: "retry-storm",
		Title:      "each request is tried many times, and the server gets a multiple of the load",
		Means:      "What fails is tried again at once, by everybody. A server that is in trouble gets several times its load just then, and stays in trouble when the cause is gone. Attempts that are refused leave no socket: the load shows in counters only.",
		Recognised: "At least three times as many attempts as requests, by the client's own count: in sockets each attempt looks like any other.",
		Fix:        "Retry only what can succeed, with back-off and jitter, and give all retries together a budget of some tenth of the requests.",
	},
	{
		Kind: StaleConnectionReuse, Leak: true, Scenario: "stale-pool-after-restart",
		Title:      "requests are sent on connections that are dead",
		Means:      "A pooled connection was closed by the server while it waited, or its peer has vanished. The pool does not know, and hands it out; the request that gets it fails, and one that is not safe to repeat is not repeated.",
		Recognised: "Requests fail with an end of file, a reset, or timeout after timeout, on connections that had served earlier ones, and they are at least half of what fails.",
		Fix:        "Let the pool give connections up before the server does (an idle timeout below the server's), look at a connection before it is used, and find dead peers with pings.",
	},
	{
		Kind: TimeoutTooShort, Leak: true, Scenario: "timeout-churn",
		Title:      "the client gives up on answers that do come",
		Means:      "The timeout is shorter than the server's answers often take. The server does the work all the same, the connection is lost with the request, and the next one pays for another.",
		Recognised: "Many requests end in a timeout in the same moments in which others are answered, and about each of them cost a connection. Where nothing is answered at all, giving up is right, and is no fault.",
		Fix:        "Set the timeout by what the answers take (above their 99th percentile), or have less under way at a time, so that they take less.",
	},
	{
		Kind: LoadImbalance, Leak: true, Scenario: "http2-pinned-behind-balancer",
		Title:      "one server has all requests, and another that is due has none",
		Means:      "A connection, once made, stays where it is: to the server that a balancer or a name chose at that moment. Requests that all go over old connections never see the others.",
		Recognised: "Of several servers that requests should go to, one got none during the second half of the time, while all together got at least twenty. Known only in a run with several servers.",
		Fix:        "Close connections from time to time, so that the choice is made anew (the server after some minutes, or the client by CloseIdleConnections), or balance requests instead of connections.",
	},
	{
		Kind: IdleTimeoutMissing, Leak: true, Scenario: "timeout-idle",
		Title:      "connections stay open long after the load is gone",
		Means:      "A burst has filled the pool, and nothing empties it: each idle connection holds a descriptor at both ends, and the longer it waits, the likelier it is dead when it is used.",
		Recognised: "At least five idle connections two minutes and more after the last request. A pool with an idle timeout has let them go by then.",
		Fix:        "Give idle connections a timeout (in Go Transport.IdleConnTimeout; a Transport of one's own has none), below the server's.",
	},
	{
		Kind: AcceptQueueOverflow, Leak: true,
		Title:      "a listener's accept queue is full",
		Means:      "The kernel completes handshakes faster than the program accepts. It drops what comes then, and clients try again after one second, two, four.",
		Recognised: "More connections wait to be accepted than the listener's backlog in two samples or more, or the kernel counted overflows in a namespace that has no other listener.",
		Fix:        "Accept in a loop that does nothing else, raise the backlog (min of listen's and net.core.somaxconn), and shed load before the queue does.",
	},
	{
		Kind: UngracefulShutdown, Leak: true, Scenario: "abrupt-shutdown",
		Title:      "the server stopped in the middle of its answers",
		Means:      "Requests that were under way when the listener closed ended without an answer.",
		Recognised: "The listener goes away, and at least half of the requests that end from then on have no answer: their connections ended. Known only where requests are counted.",
		Fix:        "Stop in order: close the listener, let the answers under way be finished (in Go Server.Shutdown, and wait for it), then end the process.",
	},
	{
		Kind: ServerIdleClients, Leak: true,
		Title:      "the server holds ever more connections that say nothing",
		Means:      "Clients connect and go silent: they leak, or they are gone, or they mean harm. Without an idle timeout the server keeps all of them.",
		Recognised: "Silent ESTABLISHED connections at the server's end grow and are never given back, and the clients are not seen from here.",
		Fix:        "Set the server's idle timeout and the one for reading headers (in Go IdleTimeout and ReadHeaderTimeout), and limit the connections of one client.",
	},
	{
		Kind: HalfOpenConnections, Leak: true,
		Title:      "the server holds connections whose other end does not answer",
		Means:      "What was sent is sent again and again and is not acknowledged: the client has vanished, or the network between. The kernel gives up after some 15 minutes.",
		Recognised: "At least three connections at the server's end have unacknowledged data that was sent again, throughout the last samples.",
		Fix:        "Set a write deadline, or TCP_USER_TIMEOUT; keep-alive probes do not help while data is unacknowledged.",
	},
	{
		Kind: ConnectionGrowth, Leak: true,
		Title:      "connections pile up",
		Means:      "More and more connections are open and none is given back.",
		Recognised: "Open connections grow steadily, and nothing shows whether they are used: the source gives only counts.",
		Fix:        "Find out what the connections do (on Linux count with sock_diag), then see idle-connections-not-reused and response-body-leak.",
	},
	{
		Kind: FDExhaustion, Leak: true,
		Title:      "the process is about to run out of descriptors",
		Means:      "At the limit no connection can be opened or accepted, and no file: EMFILE.",
		Recognised: "At least nine tenths of the process's limit are open, or a load was stopped for it.",
		Fix:        "Find what holds them (sockwatch watch --pid), close it; raise the limit only if so many are really needed at once.",
	},
	{
		Kind: PortExhaustion, Leak: true,
		Title:      "local ports towards one destination are about to run out",
		Means:      "Each connection to one address and port needs a local port of its own, also for the minute in TIME_WAIT. When none is left, connecting fails with EADDRNOTAVAIL.",
		Recognised: "At least eight tenths of the range of local ports are taken towards one destination.",
		Fix:        "Use connections again; a wider net.ipv4.ip_local_port_range or more destination addresses only buy time.",
	},
}
