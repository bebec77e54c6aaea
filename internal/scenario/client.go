package scenario

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

// maxRetries bounds what a client that tries again makes of a load.
const maxRetries = 1000

func (c Client) check() *finding {
	bounded := func(name string, n, most int) *finding {
		if n < 0 || n > most {
			return found("$.client."+name, "%s %d is not between 0 and %d", name, n, most)
		}
		return nil
	}
	return firstOf(
		bounded("max_idle_conns", c.MaxIdleConns, maxRequests),
		bounded("max_idle_conns_per_host", c.MaxIdleConnsPerHost, maxRequests),
		bounded("pool_size", c.PoolSize, maxRequests),
		bounded("in_flight", c.InFlight, maxRequests),
		bounded("retries", c.Retries, maxRetries),
		bounded("send", c.Send, maxBody),
	)
}
