package scenario

// Server is the behaviour of slowserver: each of these is one of its flags,
// and one that is left out, or zero, is off. Times are counted from the first
// connection that comes to the server, where nothing else is said.
type Server struct {
	// Name is what the metrics call the server: servers.NAME.requests. Default:
	// server for the first; each one behind it has a name of its own.
	Name string `yaml:"name,omitempty"`
	// Protocol is http (the default); https, with a certificate of its own; h2c,
	// which is HTTP/2 without TLS, beside HTTP/1; toydb, a database-like protocol
	// over raw TCP, one query a line; balancer, which passes each connection on
	// to the next of the servers behind it; or dns, a name server.
	Protocol string `yaml:"protocol,omitempty"`
	// Delay is waited before each answer.
	Delay Duration `yaml:"delay,omitempty"`
	// Jitter adds a random time up to this to each delay.
	Jitter Duration `yaml:"jitter,omitempty"`
	// HandshakeDelay is waited on each new connection before it can be used (toydb).
	HandshakeDelay Duration `yaml:"handshake_delay,omitempty"`
	// Workers is how many requests are worked on at a time; the others wait for
	// their turn.
	Workers int `yaml:"workers,omitempty"`
	// PauseAfter is when the server stops working on requests, pause_for long:
	// what comes meanwhile waits.
	PauseAfter Duration `yaml:"pause_after,omitempty"`
	// PauseFor is how long that lasts.
	PauseFor Duration `yaml:"pause_for,omitempty"`
	// Status is the HTTP status of each answer. Default 200.
	Status int `yaml:"status,omitempty"`
	// Body is the size of each answer's body in bytes. Default: a short text.
	Body int `yaml:"body,omitempty"`
	// Responses says, request by request and then from the start again, what
	// becomes of each answer. Default: whole.
	Responses []Response `yaml:"responses,omitempty"`
	// NoResponse accepts requests and never answers them.
	NoResponse bool `yaml:"no_response,omitempty"`
	// NoRead accepts connections and neither reads nor writes.
	NoRead bool `yaml:"no_read,omitempty"`
	// NoAccept never accepts, and has the shortest queue there is: further
	// connections get no answer at all.
	NoAccept bool `yaml:"no_accept,omitempty"`
	// Backlog is how many connections may wait to be accepted. Default: the
	// system's.
	Backlog int `yaml:"backlog,omitempty"`
	// IdleTimeout closes a connection that waited this long for its next request.
	IdleTimeout Duration `yaml:"idle_timeout,omitempty"`
	// ReadHeaderTimeout closes a connection whose request header takes longer.
	ReadHeaderTimeout Duration `yaml:"read_header_timeout,omitempty"`
	// WriteTimeout closes a connection whose answer takes longer.
	WriteTimeout Duration `yaml:"write_timeout,omitempty"`
	// MaxConns is how many connections are accepted at a time.
	MaxConns int `yaml:"max_conns,omitempty"`
	// OverLimit is what becomes of the connections above max_conns: they wait
	// (the default), are answered with 503 and closed (refuse), or are closed
	// at once (close).
	OverLimit string `yaml:"over_limit,omitempty"`
	// CloseAfter closes a connection after this many requests.
	CloseAfter int `yaml:"close_after,omitempty"`
	// AbortAfter cuts off, in the middle of its answer, every request that
	// comes later than this after the first one.
	AbortAfter Duration `yaml:"abort_after,omitempty"`
	// DownAfter is when the server goes away, with all its connections and its
	// listener, down_for long; then it is back on the same port.
	DownAfter Duration `yaml:"down_after,omitempty"`
	// DownFor is how long the server is away. 0 is a restart.
	DownFor Duration `yaml:"down_for,omitempty"`
	// StopAfter tells the server to stop this long after the load began.
	StopAfter Duration `yaml:"stop_after,omitempty"`
	// Grace is how long a stopping server waits for answers under way.
	Grace Duration `yaml:"grace,omitempty"`
	// Resolve is what a name server answers, one after the other; the last one
	// stands. Every name is answered alike.
	Resolve []Resolve `yaml:"resolve,omitempty"`
}

// What a server speaks.
const (
	HTTP     = "http"
	HTTPS    = "https"
	H2C      = "h2c"
	ToyDB    = "toydb"
	Balancer = "balancer"
	DNS      = "dns"
)

// Protocols lists what a server can speak.
func Protocols() []string { return []string{HTTP, HTTPS, H2C, ToyDB, Balancer, DNS} }

// What becomes of connections above max_conns.
const (
	Wait   = "wait"
	Refuse = "refuse"
	Close  = "close"
)

// Response is what becomes of an answer.
type Response string

// The ways of an answer.
const (
	Whole      Response = "whole"       // all of it
	Hangs      Response = "hang"        // nothing, ever
	Stalls     Response = "stall"       // header and half of the body, then nothing
	Closes     Response = "close"       // the connection is closed in its place
	Resets     Response = "reset"       // the connection is reset in its place
	Cut        Response = "cut"         // closed in mid-body, whose length was given
	CutChunked Response = "cut-chunked" // closed in mid-body, which was chunked
	CutReset   Response = "cut-reset"   // reset in mid-body
	Truncated  Response = "truncated"   // closed in mid-body, which was to end with the connection
)

// Responses lists the ways of an answer.
func Responses() []Response {
	return []Response{Whole, Hangs, Stalls, Closes, Resets, Cut, CutChunked, CutReset, Truncated}
}

// Resolve is what a name server answers for a time.
type Resolve struct {
	// To is the name of a server, whose address and port are the answer (A and
	// SRV records); or nxdomain, empty, servfail, refused, or silent.
	To string `yaml:"to"`
	// For is how long that is so, from the first query on.
	For Duration `yaml:"for,omitempty"`
}

// What a name server answers instead of an address.
const (
	NXDomain = "nxdomain" // there is no such name
	Empty    = "empty"    // the name has no address
	ServFail = "servfail" // something went wrong, try again
	Refused  = "refused"  // not to you
	Silent   = "silent"   // nothing
)

// NetworkFault is what the network of a side is like for a time: a firewall's rule
// for the first server's port, or a slow link.
type NetworkFault struct {
	// After is when it begins, from the first connection on; 0 is before the
	// load.
	After Duration `yaml:"after,omitempty"`
	// For is how long it lasts. Default: to the end.
	For Duration `yaml:"for,omitempty"`
	// Firewall is drop, reject (port unreachable), reject-host, or reset.
	Firewall string `yaml:"firewall,omitempty"`
	// Packets is what the firewall's rule is for: new connections (the default), or
	// all packets.
	Packets string `yaml:"packets,omitempty"`
	// Bandwidth is what the link carries, in kbit/s.
	Bandwidth Kilobits `yaml:"bandwidth,omitempty"`
}

// Kilobits is a bandwidth in thousands of bits a second.
type Kilobits int

// What a firewall's rule does, and what it is for.
const (
	Drop       = "drop"
	Reject     = "reject"
	RejectHost = "reject-host"
	Reset      = "reset"

	PacketsNew = "new"
	PacketsAll = "all"
)

// Client holds settings for the code of a pair. What a side makes of them is
// its lesson: the faulty side may well ignore them.
type Client struct {
	// MaxIdleConns limits the idle connections kept to all servers.
	MaxIdleConns int `yaml:"max_idle_conns,omitempty"`
	// MaxIdleConnsPerHost limits the idle connections kept to one server.
	MaxIdleConnsPerHost int `yaml:"max_idle_conns_per_host,omitempty"`
	// IdleConnTimeout closes a connection that was idle for this long.
	IdleConnTimeout Duration `yaml:"idle_conn_timeout,omitempty"`
	// Timeout is for one request, from dial to the end of its body, or for the
	// part of it that the pair is about.
	Timeout Duration `yaml:"timeout,omitempty"`
	// PoolSize limits a pool of raw connections.
	PoolSize int `yaml:"pool_size,omitempty"`
	// InFlight limits the requests that are under way at a time.
	InFlight int `yaml:"in_flight,omitempty"`
	// Retries is how often a request that failed is tried again.
	Retries int `yaml:"retries,omitempty"`
	// Backoff is the first pause between two tries.
	Backoff Duration `yaml:"backoff,omitempty"`
	// Send is the size of each request's body in bytes.
	Send int `yaml:"send,omitempty"`
	// Every is the time between two of what a side does again and again.
	Every Duration `yaml:"every,omitempty"`
}
