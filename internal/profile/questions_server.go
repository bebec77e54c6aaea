package profile

// A proxy is asked as a server what it does to those who call it.
var serverSides = []Kind{Server, Proxy}

// ends are the ways in which a server ends a connection that it has waited for.
var ends = []Meaning{
	{"fin", "it closes without a word"},
	{"rst", "it resets the connection"},
	{"408", "it answers 408 and closes"},
	{"400", "it answers 400 and closes"},
	{"other", "it answers another status and closes"},
}

var serverQuestions = []Question{
	{
		ID: "idle_timeout", Kinds: serverSides, Unit: Duration, Asks: "After what time does a server close an idle connection, and does it say so?",
		Title: "Closes an idle connection after",
		How:   "One answered request, then silence, on eight connections begun within 2 s: the longest time but one from the answer to the close.",
	},
	{
		ID: "idle_timeout_shortest", Kinds: serverSides, Unit: Duration,
		Title: "and the shortest time",
		How:   "As idle_timeout, the shortest but one. It differs where the server looks for idle connections at intervals.",
	},
	{
		ID: "idle_timeout_how", Kinds: serverSides, Unit: Choice, Choices: ends,
		Title: "by",
		How:   "What the connections of idle_timeout read.",
	},
	{
		ID: "keepalive_header", Kinds: serverSides, Unit: Choice, Choices: []Meaning{
			{"always", "in each answer"}, {"on_request", "only to a request that says Connection: keep-alive"}, {"never", "in no answer"},
		},
		Title: "Sends a Keep-Alive header with a timeout",
		How:   "Answers to HTTP/1.1 requests with and without Connection: keep-alive.",
	},
	{
		ID: "keepalive_header_says", Kinds: serverSides, Unit: Duration,
		Title: "and says",
		How:   "The timeout in that header.",
	},
	{
		ID: "keepalive_header_true", Kinds: serverSides, Unit: Choice, Choices: []Meaning{
			{"yes", "within 0.5 s, or 5 %"}, {"closes_later", "it keeps the connection longer than it says"}, {"closes_earlier", "a client that believes it meets a closed connection"},
		},
		Title: "Is it true",
		How:   "keepalive_header_says against idle_timeout_shortest and idle_timeout.",
	},
	{
		ID: "requests_per_connection", Kinds: serverSides, Unit: Text, Asks: "How many requests does a connection take, and how many connections does a server?",
		Title: "Requests on one connection",
		How:   "One request after the other until an answer says Connection: close or the connection ends, at most 1100, and for at most 78 s.",
	},
	{
		ID: "connection_limit", Kinds: serverSides, Unit: Text,
		Title: "Connections held open at once",
		How:   "Connections with one answered request each stay open, at most 600 and those that can be opened in 78 s, until a new one is not answered while an older one still is.",
	},
	{
		ID: "connection_limit_next", Kinds: serverSides, Unit: Choice, Choices: []Meaning{
			{"waits", "it is not answered until another connection ends"},
			{"refused", "connecting fails"},
			{"rst", "it is reset"},
			{"fin", "it is closed without an answer"},
			{"503", "it is answered 503"},
			{"idle_one_closed", "it is answered, and an idle connection is closed for it"},
		},
		Title: "and the next one",
		How:   "The first connection beyond connection_limit.",
	},
	{
		ID: "backlog", Kinds: serverSides, Unit: Count,
		Title: "Connections that wait to be accepted, at most",
		How:   "The kernel's limit of the listening socket's queue, as ss shows it; of several sockets the largest.",
	},
	{
		ID: "header_timeout", Kinds: serverSides, Unit: Duration, Asks: "How long does a server wait for a request?",
		Title: "Waits for the rest of a header",
		How:   "Half of a request's header, then silence: time to the first reaction.",
	},
	{
		ID: "header_timeout_how", Kinds: serverSides, Unit: Choice, Choices: ends,
		Title: "and ends it by",
		How:   "As header_timeout.",
	},
	{
		ID: "body_timeout", Kinds: serverSides, Unit: Duration,
		Title: "Waits for the rest of a body",
		How:   "POST with 10 of 1000 bytes, then silence: time to the first reaction. Not measured if an answer comes without the rest.",
	},
	{
		ID: "body_timeout_how", Kinds: serverSides, Unit: Choice, Choices: ends,
		Title: "and ends it by",
		How:   "As body_timeout.",
	},
	{
		ID: "silent_timeout", Kinds: serverSides, Unit: Duration,
		Title: "Closes a connection that never sends anything after",
		How:   "A connection without a byte: time from connecting to the close.",
	},
	{
		ID: "silent_timeout_how", Kinds: serverSides, Unit: Choice, Choices: ends,
		Title: "by",
		How:   "As silent_timeout.",
	},
	{
		ID: "early_answer", Kinds: serverSides, Unit: Choice, Asks: "What does a server do with a body that it does not want, with FIN and with pipelined requests?", Choices: []Meaning{
			{"no", "it waits for the whole body"},
			{"kept", "it answers, reads the rest, and takes the next request"},
			{"closed", "it answers and closes the connection"},
		},
		Title: "Answers a request before its body is whole",
		How:   "POST / with 16 of 1024 KiB; if an answer comes within 2 s, the rest is sent 0.3 s after it, and a GET.",
	},
	{
		ID: "half_close", Kinds: serverSides, Unit: Choice, Choices: answeredOrCut,
		Title: "A FIN right behind the request",
		How:   "GET / and the close of our half in the same segment, ten times, a connection each: cut where one is. Then a hundred times in a segment of its own: how many of these are cut is said and is no value, as it may be chance.",
	},
	{
		ID: "half_close_slow", Kinds: serverSides, Unit: Choice, Choices: answeredOrCut,
		Title: "A FIN behind a request that takes long",
		How:   "GET of the slow path and the close of our half, once in the same segment and once 0.3 s later: cut where one of the two is.",
	},
	{
		ID: "pipelining", Kinds: serverSides, Unit: Choice, Choices: []Meaning{
			{"answered", "all three are answered"}, {"first_only", "the first is answered, and the connection closed or the others ignored"}, {"cut", "none is answered"},
		},
		Title: "Three requests sent at once",
		How:   "Three GET / in one write.",
	},
	{
		ID: "sigterm_request", Kinds: serverSides, Unit: Choice, Asks: "What does SIGTERM do?", Choices: answeredOrCut,
		Title: "SIGTERM: the request that is under way",
		How:   "GET of the slow path is sent, and SIGTERM 0.3 s later to the process that was started. Without a slow path: POST whose body is finished 1.7 s after SIGTERM.",
	},
	{
		ID: "sigterm_idle", Kinds: serverSides, Unit: Choice, Choices: []Meaning{
			{"closed", "it is closed"}, {"served", "its next request is answered"},
		},
		Title: "a connection that is idle",
		How:   "A request on a kept connection 0.3 s after SIGTERM, while the request of sigterm_request is under way. Where it is served and new connections are served too, SIGTERM may not be handled yet: one on another kept connection 0.3 s after the first new connection that is not served, or 1 s after SIGTERM.",
	},
	{
		ID: "sigterm_newcomer", Kinds: serverSides, Unit: Choice, Steps: true, Choices: []Meaning{
			{"refused", "connecting fails"}, {"reset", "it is reset"}, {"closed", "it is closed without an answer"}, {"served", "it is answered"}, {"503", "it is answered 503"}, {"no_answer", "it is not answered within 5 s"},
		},
		Title: "new connections, in this order",
		How:   "New connections with a request from SIGTERM on, each 20 ms after the answer of the one before or 0.2 s after that began, until one is refused, or 1 s after the process is over. What lasted less than 1 s is left out, as handling the signal takes a while.",
	},
	{
		ID: "sigterm_exit", Kinds: serverSides, Unit: Duration,
		Title: "and the process is over after",
		How:   "Time from SIGTERM to the end of the process, with a request under way and an idle connection; at once if that is within 1.5 s of the end of the request.",
	},
	{
		ID: "h2", Kinds: serverSides, Unit: Choice, Asks: "What does a server say of HTTP/2?", Choices: yesNo,
		Title: "HTTP/2 without TLS",
		How:   "The preface of HTTP/2 on a new connection (prior knowledge): a SETTINGS frame is to be the answer.",
	},
	{
		ID: "h2_max_streams", Kinds: serverSides, Unit: Text,
		Title: "HTTP/2 streams at once",
		How:   "SETTINGS_MAX_CONCURRENT_STREAMS of the first SETTINGS frame.",
	},
	{
		ID: "h2_settings", Kinds: serverSides, Unit: Text,
		Title: "HTTP/2 settings",
		How:   "All of the first SETTINGS frame.",
	},
}

var answeredOrCut = []Meaning{{"answered", "its answer comes whole"}, {"cut", "its answer does not come"}}
