package errorcatalog

// names are the errors of looking up a name. A net.DNSError ends the chain: it
// keeps what went wrong below it as text only, except for an ended context.
var names = []Entry{
	{
		Name:    "DNS_NOT_FOUND",
		Aliases: []string{"NXDOMAIN", "no such host", "NODATA", "name error"},
		Title:   "the name does not exist, or has no address",
		Means:   "A name server answered: there is no such name (NXDOMAIN), or there is and it has no A or AAAA record. Go does not tell the two apart. Resolvers and caches keep such answers, for the time the zone's SOA says: a name that was asked for too early stays unknown.",
		Chains: []Chain{
			{When: "NXDOMAIN, from a dial", Errors: "*net.OpError -> *net.DNSError"},
			{When: "an empty answer, from a dial", Errors: "*net.OpError -> *net.DNSError"},
			{When: "from http.Client", Errors: "*url.Error -> *net.OpError -> *net.DNSError"},
		},
		Test: `dns, ok := errors.AsType[*net.DNSError](err)
ok && dns.IsNotFound`,
		Here:      "no TCP socket; one UDP socket for each question",
		There:     "none: nobody was dialled",
		After:     "The UDP sockets are closed with their answer.",
		Worse:     "Retrying every request: each is several questions (A and AAAA, each search domain), and the answer stays no for its TTL.",
		Better:    "Fail the request, check the name for a typing error and the search list; retry slowly only where names come and go (service discovery).",
		Sources:   []string{"RFC 1035 section 4.1.1", "RFC 2308", "Go net/dnsclient_unix.go checkHeader, skipToAnswer"},
		Scenarios: []string{"dns-not-found"},
	},
	{
		Name:    "DNS_SERVFAIL",
		Aliases: []string{"SERVFAIL"},
		Title:   "the name server could not find out: try again",
		Means:   "The resolver answered that it failed: the zone's servers are down or DNSSEC does not check. It says nothing of the name. Go asks each server twice before it gives up. Only Go's own resolver tells it like this; the C library's gives \"Temporary failure in name resolution\" for this and for silence, which counts as DNS.",
		Chains: []Chain{
			{When: "from a dial", Errors: "*net.OpError -> *net.DNSError"},
			{When: "from http.Client", Errors: "*url.Error -> *net.OpError -> *net.DNSError"},
		},
		Test: `dns, ok := errors.AsType[*net.DNSError](err)
ok && dns.IsTemporary && !dns.IsTimeout && dns.Err == "server misbehaving"`,
		Here:      "no TCP socket; one UDP socket for each question",
		There:     "none: nobody was dialled",
		After:     "The UDP sockets are closed with their answer. Connections that are open keep working: a pool hides the outage until it has to dial.",
		Worse:     "Closing idle connections \"to recover\", which makes every request need the name; retrying at once against a resolver in trouble.",
		Better:    "Keep connections open, retry with back-off, and use the last good addresses for a while (a caching resolver that serves stale answers).",
		Sources:   []string{"RFC 1035 section 4.1.1 (RCODE 2)", "RFC 8767", "Go net/dnsclient_unix.go errServerTemporarilyMisbehaving"},
		Scenarios: []string{"dns-outage"},
	},
	{
		Name:    "DNS_TIMEOUT",
		Aliases: []string{"lookup i/o timeout", "name server timeout"},
		Title:   "no name server answered",
		Means:   "Questions go unanswered: the resolver is down, or UDP port 53 is dropped. With resolv.conf's defaults each server is asked twice for 5 s: 10 s with one server, 30 s with three, as long again for each name of the search list, before the first SYN. If the request's own time ends first, http.Client says so and not that it was the lookup.",
		Chains: []Chain{
			{When: "the resolver gave up, from a dial", Errors: "*net.OpError -> *net.DNSError"},
			{When: "the resolver gave up, from http.Client", Errors: "*url.Error -> *net.OpError -> *net.DNSError"},
			{When: "the dial's context ended during the lookup", Errors: "*net.OpError -> *net.DNSError -> *net.timeoutError"},
		},
		Test: `dns, ok := errors.AsType[*net.DNSError](err)
ok && dns.IsTimeout`,
		Here:      "no TCP socket; a UDP socket for each question, connected to the name server",
		There:     "none: nobody was dialled",
		After:     "The UDP sockets are closed when each try ends.",
		Worse:     "A dialer timeout below the resolver's 5 s, so that the second server is never asked; one lookup per request.",
		Better:    "A caching resolver on the machine, options timeout:1 attempts:2 in resolv.conf, connections kept open, and httptrace's DNSStart and DNSDone to see where the time goes.",
		Sources:   []string{"resolv.conf(5) timeout, attempts", "Go net/dnsclient_unix.go tryOneName", "Go net/lookup.go lookupIPAddr"},
		Scenarios: []string{"dns-silent", "dns-outage"},
	},
	{
		Name:    "DNS",
		Aliases: []string{"DNS_REFUSED", "REFUSED by the name server", "server misbehaving", "lame referral", "temporary failure in name resolution"},
		Title:   "the lookup failed in some other way",
		Means:   "The server refuses to answer this client (REFUSED), or answers what makes no sense: then no flag of the error is set, the text is the same \"server misbehaving\" as for SERVFAIL, and REFUSED cannot be told from the rest. Or no server listens (ICMP port unreachable): then IsTemporary is set, and the ECONNREFUSED beneath is text only, errors.Is does not find it.",
		Chains: []Chain{
			{When: "REFUSED, from a dial", Errors: "*net.OpError -> *net.DNSError"},
			{When: "the name server's port is closed", Errors: "*net.OpError -> *net.DNSError"},
		},
		Test: `dns, ok := errors.AsType[*net.DNSError](err)
ok && !dns.IsNotFound && !dns.IsTimeout && (!dns.IsTemporary || dns.Err != "server misbehaving")`,
		Also:      []string{"canceled"},
		Here:      "no TCP socket; one UDP socket for each question",
		There:     "none: nobody was dialled",
		After:     "The UDP sockets are closed with their answer.",
		Worse:     "Looking for the fault at the destination: it was never asked. Retrying a REFUSED, which is a matter of configuration.",
		Better:    "Log DNSError.Server and Name; look at resolv.conf, and at who may ask that server. Back off as for SERVFAIL if no server listened.",
		Sources:   []string{"RFC 1035 section 4.1.1 (RCODE 5)", "Go net/dnsclient_unix.go checkHeader", "Go net/net.go newDNSError"},
		Scenarios: []string{"dns-outage"},
	},
}
