package profile

var proxy = []Kind{Proxy}

// staleBackend are the answers to a request whose connection to the backend turns out to
// be closed.
var staleBackend = []Meaning{
	{"new_connection", "it goes to the backend once, on a new connection, and is answered"},
	{"repeated", "it goes to the backend twice, and the client sees the second answer"},
	{"502", "the client gets 502"},
	{"503", "the client gets 503"},
	{"504", "the client gets 504"},
	{"500", "the client gets 500"},
	{"closed", "the client's connection is closed without a status"},
}

var proxyQuestions = []Question{
	{
		ID: "backend_opened", Kinds: proxy, Unit: Count, Asks: "What does a proxy do with its connections to the backend?",
		Title: "Connections to the backend for 20 requests",
		How:   "20 requests one after the other on one client connection; the backend counts.",
	},
	{
		ID: "backend_opened_new_clients", Kinds: proxy, Unit: Choice, Choices: []Meaning{
			{"1", "all share one"}, {"some", "each process or thread has its own"}, {"20", "one for each client"},
		},
		Title: "and if each comes on a connection of its own",
		How:   "20 requests one after the other, 0.05 s apart, and after each the client closes its connection.",
	},
	{
		ID: "hint_passed_on", Kinds: proxy, Unit: Choice, Choices: yesNo,
		Title: "Passes the backend's Keep-Alive header on to the client",
		How:   "The backend answers with Keep-Alive: timeout=2, a time that is not the proxy's own.",
	},
	{
		ID: "hint_obeyed", Kinds: proxy, Unit: Choice, Choices: yesNo,
		Title: "Closes its connection to a backend that says Keep-Alive: timeout=2 in time",
		How:   "The backend sees FIN within 2.5 s of that answer, three times of three. Not measured of a proxy that closes after 4 s anyway.",
	},
	{
		ID: "closed_backend_get", Kinds: proxy, Unit: Choice, Choices: staleBackend,
		Title: "GET when the backend has closed the connection",
		How:   "The backend closes its kept connection 0.3 s before the next request of the same client connection.",
	},
	{
		ID: "closed_backend_post", Kinds: proxy, Unit: Choice, Choices: staleBackend,
		Title: "POST in the same case",
		How:   "As closed_backend_get.",
	},
	{
		ID: "stale_backend_get", Kinds: proxy, Unit: Choice, Choices: staleBackend,
		Title: "GET when the backend closes the connection at that moment",
		How:   "The backend reads the second request of its connection and closes without an answer.",
	},
	{
		ID: "stale_backend_post", Kinds: proxy, Unit: Choice, Choices: staleBackend,
		Title: "POST in the same case",
		How:   "As stale_backend_get.",
	},
}
