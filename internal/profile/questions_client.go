package profile

// Both sides of a proxy are asked: what it does as a client of its backend is asked as of
// a client.
var (
	client      = []Kind{Client}
	clientSides = []Kind{Client, Proxy}
)

// reused are the answers to: what if a connection that is used again does not answer?
var reused = []Meaning{
	{"new_connection", "the request went out once, on a new connection, and was answered"},
	{"sent_twice", "the request was sent again on another connection, and the caller saw one answer"},
	{"error", "the caller got an error; the request was not sent again"},
	{"error_after_repeats", "the request was sent again, and the caller got an error"},
}

var yesNo = []Meaning{{"yes", "it does"}, {"no", "it does not"}}

var clientQuestions = []Question{
	{
		ID: "opened_sequential", Kinds: client, Unit: Count, Asks: "How many connections do 20 calls open, and how many are left?",
		Title: "Connections opened by 20 calls, one after the other",
		How:   "A call is asked for once the answer to the one before was reported. The server counts accepted connections.",
	},
	{
		ID: "left_sequential", Kinds: client, Unit: Count,
		Title: "of these still open 1 s after the last answer",
		How:   "Connections that the server accepted and whose end (FIN or RST) it has not read 1 s after the last answer.",
	},
	{
		ID: "opened_parallel", Kinds: client, Unit: Count,
		Title: "Connections opened by 20 calls at once",
		How:   "All 20 lines are written at once, and the server waits 1 s with each answer. Not measured of a program that makes one call at a time, or all on one connection.",
	},
	{
		ID: "left_parallel", Kinds: client, Unit: Count,
		Title: "of these still open 1 s after the last answer",
		How:   "As of left_sequential.",
	},
	{
		ID: "new_client_left", Kinds: client, Unit: Count,
		Title: "Connections left by 20 calls with a new client each",
		How:   "As left_sequential, with SOCKETLAB_CLIENT=new: the program makes a client, or a pool, for each call and drops it.",
	},
	{
		ID: "new_client_closed_left", Kinds: client, Unit: Count,
		Title: "and where each is closed",
		How:   "As new_client_left, with SOCKETLAB_CLIENT=closed: the program calls what the client has for closing.",
	},

	{
		ID: "idle_close", Kinds: clientSides, Unit: Duration, Asks: "Who closes first?",
		Title: "Closes an idle connection after",
		How:   "One call, and the time from the answer until the server reads the end of the connection. The server never closes and sends no Keep-Alive header. A client that keeps no connection closes at once. Of one that closes, six processes, with a second call at different moments: the longest time but one.",
	},
	{
		ID: "idle_close_shortest", Kinds: clientSides, Unit: Duration,
		Title: "and the shortest time",
		How:   "As idle_close. It differs where the client looks for idle connections at intervals.",
	},
	{
		ID: "idle_closed_by", Kinds: clientSides, Unit: Choice, Choices: []Meaning{
			{"client", "the client sends FIN or RST"}, {"neither", "it stays open as long as was waited"},
		},
		Title: "An idle connection is closed by",
		How:   "As idle_close.",
	},
	{
		ID: "honours_hint", Kinds: client, Unit: Choice, Choices: []Meaning{
			{"yes", "it closes the connection within 2.5 s"},
			{"on_reuse", "it keeps the connection, and does not use it again after 3 s"},
			{"no", "it keeps the connection, and sends the next request on it after 3 s"},
		},
		Title: "Honours Keep-Alive: timeout=2",
		How:   "The server sends the header and does not close. After 3 s one more call is made.",
	},

	{
		ID: "stale_get", Kinds: client, Unit: Choice, Choices: reused, Asks: "Is a POST sent twice?",
		Title: "GET, the server closed the idle connection 0.5 s before",
		How:   "Three times: an answered call, the server closes the connection (FIN), 0.5 s later a call.",
	},
	{
		ID: "stale_post", Kinds: client, Unit: Choice, Choices: reused,
		Title: "POST, the server closed the idle connection 0.5 s before",
		How:   "As stale_get.",
	},
	{
		ID: "race_get", Kinds: client, Unit: Choice, Choices: reused,
		Title: "GET that meets a connection which is being closed",
		How:   "Three times: an answered call, then a call on the same connection, which the server resets without reading it, as the kernel does where the request crosses the close.",
	},
	{
		ID: "race_post", Kinds: client, Unit: Choice, Choices: reused,
		Title: "POST that meets a connection which is being closed",
		How:   "As race_get.",
	},
	{
		ID: "read_then_closed_get", Kinds: client, Unit: Choice, Choices: reused,
		Title: "GET that the server reads, and then closes without an answer",
		How:   "Three times: an answered call, then a call on the same connection, which the server reads whole before it closes (FIN).",
	},
	{
		ID: "read_then_closed_post", Kinds: client, Unit: Choice, Choices: reused,
		Title: "POST that the server reads, and then closes without an answer",
		How:   "As read_then_closed_get.",
	},

	{
		ID: "opened_unread_small", Kinds: client, Unit: Count, Asks: "What do bodies cost that are not read, or not closed?",
		Title: "Connections opened by 20 calls that leave 1 KiB unread",
		How:   "As opened_sequential, with SOCKETLAB_BODY=unread: the program takes the status and leaves the body, closing it where its library has that. The fewest of three times, as the body's end and the close may race.",
	},
	{ID: "left_unread_small", Kinds: client, Unit: Count, Title: "of these still open after 1 s", How: "As left_sequential."},
	{
		ID: "opened_unread_large", Kinds: client, Unit: Count,
		Title: "Connections opened by 20 calls that leave 1 MiB unread",
		How:   "As opened_unread_small, with 1 MiB.",
	},
	{ID: "left_unread_large", Kinds: client, Unit: Count, Title: "of these still open after 1 s", How: "As left_sequential."},
	{
		ID: "opened_unclosed_small", Kinds: client, Unit: Count,
		Title: "Connections opened by 20 calls that leave 1 KiB unread and unclosed",
		How:   "As opened_unread_small, with SOCKETLAB_BODY=unclosed: the program does not close the body.",
	},
	{ID: "left_unclosed_small", Kinds: client, Unit: Count, Title: "of these still open after 1 s", How: "As left_sequential."},
	{
		ID: "opened_unclosed_large", Kinds: client, Unit: Count,
		Title: "Connections opened by 20 calls that leave 1 MiB unread and unclosed",
		How:   "As opened_unclosed_small, with 1 MiB.",
	},
	{ID: "left_unclosed_large", Kinds: client, Unit: Count, Title: "of these still open after 1 s", How: "As left_sequential."},

	{
		ID: "redirect_opened", Kinds: client, Unit: Count, Asks: "What does a redirect leave behind?",
		Title: "Connections opened by 20 calls that are redirected once",
		How:   "As opened_sequential; each call is answered with 302 and a body of 16 bytes, and followed on the same server.",
	},
	{ID: "redirect_left", Kinds: client, Unit: Count, Title: "of these still open after 1 s", How: "As left_sequential."},
	{
		ID: "redirect_large_opened", Kinds: client, Unit: Count,
		Title: "Connections opened where the redirect has a body of 64 KiB",
		How:   "As redirect_opened.",
	},
	{ID: "redirect_large_left", Kinds: client, Unit: Count, Title: "of these still open after 1 s", How: "As left_sequential."},

	{
		ID: "connection_close_honoured", Kinds: client, Unit: Choice, Asks: "Does it do what the answer says?", Choices: []Meaning{
			{"yes", "it closes the connection within 1 s"},
			{"keeps_open", "it leaves the connection open and does not use it again"},
			{"reused", "it sends the next request on the same connection"},
		},
		Title: "Closes after an answer with Connection: close",
		How:   "The server sends the header and does not close; 1 s later one more call is made.",
	},
	{
		ID: "http10_reused", Kinds: client, Unit: Choice, Choices: []Meaning{
			{"closes", "it closes the connection within 1 s"},
			{"keeps_open", "it leaves the connection open and does not use it again"},
			{"reused", "it sends the next request on the same connection"},
		},
		Title: "After an answer in HTTP/1.0 without Connection: keep-alive",
		How:   "The server answers with a Content-Length and does not close; 1 s later one more call is made.",
	},
	{
		ID: "proxy_used", Kinds: client, Unit: Choice, Choices: yesNo,
		Title: "Uses the proxy that http_proxy names",
		How:   "http_proxy and HTTP_PROXY name the server, and the URL a host that is on this machine's loopback by /etc/hosts. Yes if the request comes in the form for proxies.",
	},
	{
		ID: "dns_change", Kinds: client, Unit: Duration,
		Title: "Follows a changed address of the name after",
		How:   "The name's line in /etc/hosts changes from 127.0.0.1 to 127.0.0.2, and the old server goes on answering, with Connection: close. A call each 0.1 s until the new address is asked.",
	},

	{
		ID: "refused", Kinds: client, Unit: Duration, Asks: "Which timeouts does it really have?",
		Title: "Connection refused: the caller has an error after",
		How:   "The URL names a port of loopback where nothing listens.",
	},
	{
		ID: "reset", Kinds: client, Unit: Duration,
		Title: "New connection reset before the answer: an error after",
		How:   "The server accepts each connection and resets it once the request is there.",
	},
	{
		ID: "reset_tries", Kinds: client, Unit: Count,
		Title: "connections that it tries before it gives up",
		How:   "As reset. The server counts accepted connections.",
	},
	{
		ID: "connect_stalled", Kinds: client, Unit: Duration,
		Title: "Connect without an answer: gives up after",
		How:   "The server's accept queue is full and stays so: the kernel drops the SYN.",
	},
	{
		ID: "headers_stalled", Kinds: client, Unit: Duration,
		Title: "No byte of an answer: gives up after",
		How:   "The server reads the request and sends nothing.",
	},
	{
		ID: "body_stalled", Kinds: client, Unit: Duration,
		Title: "Half a body, and then nothing: gives up after",
		How:   "The server sends the header and 16 KiB of 32 KiB.",
	},

	{
		ID: "tcp_keepalive", Kinds: clientSides, Unit: Duration, Asks: "What does it set on its sockets?",
		Title: "TCP keep-alive: first probe after",
		How:   "SO_KEEPALIVE and TCP_KEEPIDLE of the client's own socket, read through pidfd_getfd(2) while the connection is idle. Never: it is off.",
	},
	{
		ID: "user_timeout", Kinds: clientSides, Unit: Duration,
		Title: "TCP_USER_TIMEOUT",
		How:   "As tcp_keepalive. Never: it is 0, and the kernel gives up by its own number of retries.",
	},

	{
		ID: "h2_used", Kinds: client, Unit: Choice, Choices: yesNo, Asks: "What does it do over HTTP/2?",
		Title: "Speaks HTTP/2 where TLS offers it",
		How:   "A server with TLS that offers h2 and http/1.1; its certificate authority is named in SSL_CERT_FILE, NODE_EXTRA_CA_CERTS, REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE.",
	},
	{
		ID: "h2_streams", Kinds: client, Unit: Choice, Choices: []Meaning{
			{"one", "calls wait for a stream of the one connection"},
			{"two", "as many as it takes"},
			{"several", "more than it takes, and how many differs from one run to the next"},
			{"each", "each call has one"},
		},
		Title: "Connections for 20 calls at once over 10 streams each",
		How:   "SETTINGS_MAX_CONCURRENT_STREAMS is 10, and each answer takes 0.5 s. A call before has opened the first connection.",
	},
	{
		ID: "h2_goaway", Kinds: client, Unit: Choice, Choices: []Meaning{
			{"repeated", "the request went out again, on a new connection, and was answered"},
			{"error", "the caller got an error"},
		},
		Title: "GET on a connection that the server ends by GOAWAY before it takes the request",
		How:   "An answered call; to the next the server sends GOAWAY with the first call's stream as the last, and closes.",
	},
	{
		ID: "h2_ping", Kinds: client, Unit: Duration,
		Title: "Sends a PING on a connection without an answer after",
		How:   "The server takes a request and sends nothing more. Longer than was waited: none came.",
	},
}
