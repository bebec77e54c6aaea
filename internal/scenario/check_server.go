package scenario

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxUpstreams is how many servers a side may have besides its first: they are all
// in one process.
const maxUpstreams = 8

// FirstServer is the name of a side's first server, if it has no other.
const FirstServer = "server"

// Servers are all servers of a side, the first one first.
func (s Script) Servers() []Server { return append([]Server{s.Server}, s.Upstreams...) }

func (s Script) checkServers() *finding {
	if len(s.Upstreams) > maxUpstreams {
		return found("$.upstreams", "%d upstreams are above the limit of %d", len(s.Upstreams), maxUpstreams)
	}
	var names []string
	for _, v := range s.Servers() {
		names = append(names, v.Name)
	}
	for i, v := range s.Servers() {
		path := "$.server"
		if i > 0 {
			path = fmt.Sprintf("$.upstreams[%d]", i-1)
		}
		switch {
		case i > 0 && v.Name == "":
			return found(path, "an upstream has a name: the metrics call it servers.NAME.requests")
		case !idForm.MatchString(v.Name):
			return found(path+".name", "name %q is not lower-case words joined by hyphens", short(v.Name))
		case slices.Index(names, v.Name) != i:
			return found(path+".name", "there is another server with the name %q", short(v.Name))
		case slices.Contains(specialNames, v.Name):
			return found(path+".name", "%q is something that a name server says: choose another name", v.Name)
		case i > 0 && v.StopAfter != 0:
			return found(path+".stop_after", "stop_after is for the first server: use down_after")
		case i == 0 && v.Protocol == DNS:
			return found(path+".protocol", "a name server is an upstream, not the first server: nobody sends it the load")
		case v.Protocol == Balancer && (i > 0 || len(s.Upstreams) == 0):
			return found(path+".protocol", "a balancer is the first server, and has upstreams")
		}
		if f := v.check(path, names); f != nil {
			return f
		}
	}
	return nil
}

// Check says which value of a server's behaviour makes no sense, or returns nil.
func (v Server) Check() error {
	if f := v.check("$.server", []string{v.Name}); f != nil {
		return errors.New(f.message)
	}
	return nil
}

func (v Server) check(path string, servers []string) *finding {
	negative := func(name string, n int) *finding {
		if n < 0 {
			return found(path+"."+name, "%s %d is negative", name, n)
		}
		return nil
	}
	oneOf := func(name, value string, values []string) *finding {
		if value != "" && !slices.Contains(values, value) {
			return found(path+"."+name, "%s is %q: use one of %s", name, short(value), strings.Join(values, ", "))
		}
		return nil
	}
	switch {
	case v.Protocol == "":
		return found(path+".protocol", "protocol is empty: use one of %s", strings.Join(Protocols(), ", "))
	case v.Status < 200 || v.Status > 599:
		return found(path+".status", "status %d is not between 200 and 599", v.Status)
	case v.Body > maxBody:
		return found(path+".body", "body of %d bytes is above the limit of %d", v.Body, maxBody)
	case v.HandshakeDelay != 0 && v.Protocol != ToyDB:
		return found(path+".handshake_delay", "handshake_delay is for protocol %s", ToyDB)
	case v.OverLimit != "" && v.MaxConns == 0:
		return found(path+".over_limit", "over_limit needs max_conns")
	case v.PauseFor != 0 && v.PauseAfter == 0:
		return found(path+".pause_for", "pause_for needs pause_after")
	case v.DownFor != 0 && v.DownAfter == 0:
		return found(path+".down_for", "down_for needs down_after")
	case len(v.Responses) > maxBurst:
		return found(path+".responses", "%d responses are above the limit of %d", len(v.Responses), maxBurst)
	case (len(v.Resolve) > 0) != (v.Protocol == DNS):
		return found(path+".resolve", "protocol %s and resolve need each other", DNS)
	}
	for i, a := range v.Responses {
		if !slices.Contains(Responses(), a) {
			return found(fmt.Sprintf("%s.responses[%d]", path, i), "response %q: use one of %s", short(string(a)), joined(Responses()))
		}
	}
	return firstOf(
		oneOf("protocol", v.Protocol, Protocols()), oneOf("over_limit", v.OverLimit, []string{Wait, Refuse, Close}),
		negative("body", v.Body), negative("max_conns", v.MaxConns), negative("close_after", v.CloseAfter),
		negative("workers", v.Workers), negative("backlog", v.Backlog), v.checkResolve(path, servers),
	)
}

// specialNames are what a name server says instead of an address.
var specialNames = []string{NXDomain, Empty, ServFail, Refused, Silent}

func (v Server) checkResolve(path string, servers []string) *finding {
	for i, r := range v.Resolve {
		at := fmt.Sprintf("%s.resolve[%d]", path, i)
		switch {
		case r.To == v.Name || !slices.Contains(append(slices.Clone(servers), specialNames...), r.To):
			return found(at+".to", "resolve to %q: use the name of another server, or one of %s", short(r.To), strings.Join(specialNames, ", "))
		case r.For == 0 && i < len(v.Resolve)-1:
			return found(at, "only the last response may stand without an end: add for, such as 1s")
		}
	}
	return nil
}

func (s Script) checkNetwork() *finding {
	for i, w := range s.Network {
		path := fmt.Sprintf("$.network[%d]", i)
		switch {
		case s.Requires != Namespace:
			return found(path, "the network is changed only in a namespace: add a line requires: namespace")
		case (w.Firewall == "") == (w.Bandwidth == 0):
			return found(path, "a network fault is either a firewall or a bandwidth")
		case w.Firewall != "" && !slices.Contains([]string{Drop, Reject, RejectHost, Reset}, w.Firewall):
			return found(path+".firewall", "firewall %q: use one of drop, reject, reject-host, reset", short(w.Firewall))
		case w.Bandwidth < 0:
			return found(path+".bandwidth", "bandwidth %d is negative", w.Bandwidth)
		case w.Packets != "" && w.Packets != PacketsNew && w.Packets != PacketsAll:
			return found(path+".packets", "packets %q: use %s or %s", short(w.Packets), PacketsNew, PacketsAll)
		}
	}
	return nil
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

func joined[T ~string](values []T) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = string(v)
	}
	return strings.Join(words, ", ")
}
