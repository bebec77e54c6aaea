package scenario

import (
	"reflect"
	"strings"
)

// Client holds settings for the code of a pair, where they belong to the load or where
// a sweep varies them. A number that is a fix stands in the code.
type Client struct {
	// MaxIdleConns limits the idle connections kept to all servers.
	MaxIdleConns int `yaml:"max_idle_conns,omitempty"`
	// MaxIdleConnsPerHost limits the idle connections kept to one server.
	MaxIdleConnsPerHost int `yaml:"max_idle_conns_per_host,omitempty"`
	// IdleConnTimeout closes a connection that was idle for this long.
	IdleConnTimeout Duration `yaml:"idle_conn_timeout,omitempty"`
	// Timeout is for one request, from dial to the end of its body.
	Timeout Duration `yaml:"timeout,omitempty"`
	// PoolSize limits a pool of raw connections.
	PoolSize int `yaml:"pool_size,omitempty"`
	// Send is the size of each request's body in bytes.
	Send int `yaml:"send,omitempty"`
	// Every is the time between two of what a side does again and again.
	Every Duration `yaml:"every,omitempty"`
}

// Keys are the names of the settings that have a value.
func (c Client) Keys() []string {
	var keys []string
	for field, value := range reflect.ValueOf(c).Fields() {
		if !value.IsZero() {
			name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
			keys = append(keys, name)
		}
	}
	return keys
}

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
		bounded("send", c.Send, maxBody),
	)
}
