package verdict

import "socketlab/internal/series"

const ConnectionGrowth Kind = "connection-growth"

var _ = register(Rule{
	Kind: ConnectionGrowth, Severity: Leak, Rank: rankGrowth,
	Title:      "open connections grow",
	Means:      "More and more connections are open and none is closed.",
	Recognised: "Open connections grow for two minutes or longer, whatever they carry. At the client's end at once, if fifteen or more were opened and nearly all of them have sent one message at most: a subscription that is forgotten goes on receiving; but not while what the same program accepted grows half as fast or faster, as that of a proxy whose clients join. With client-side counters: if connections grow on which data arrives although their requests are over. Where only counts are known: they grow steadily.",
	Limits:     "Clients that go on joining for two minutes, or a load that rises for so long, look like it.",
	Fix:        "Close each connection when its work is done, also when data still arrives on it: unsubscribe, stop the heartbeat, close the client, in every path.",
	Sentences: map[string]string{
		"open":     "{open|connection is|connections are} open, {more} more than at first, growing by {growth_per_second}.",
		"accepted": "{open|accepted connection is|accepted connections are} open, {more} more than at first, growing by {growth_per_second}.",
		"opened":   "{opened|connection was|connections were} opened and {closed} closed in {for_ms}[; of {open} open now {once|has|have} sent one message at most][; {one_way} have never received anything].",
	},
	recognise: connectionGrowth{},
})

type connectionGrowth struct{}

func (connectionGrowth) find(f *facts) *finding {
	if f.passedOn() > 0 {
		return nil
	}
	if f.counted() && !f.moreReceive() {
		return nil
	}
	if !f.active() {
		return f.growthOfCounts()
	}
	t, grows := f.grownFor(lastingGrowth, clientOpen)
	c := f.since(f.clientConns)
	if !grows && c != nil && c.Opened >= enoughOpened && 10*c.Closed <= c.Opened && f.singleUse() && !f.spread() && !f.awaited() && !f.levelledOff() && !f.forItsClients() {
		t = f.trend(0, clientOpen)
		grows = t.Grows
	}
	if grows {
		return f.growth("open", clientOpen, t, c)
	}
	if t, grows = f.grownFor(lastingGrowth, serverOpen); grows && f.ownServer() {
		return f.growth("accepted", serverOpen, t, f.since(f.serverConns))
	}
	return nil
}

// receiving counts the connections on which data arrives although their requests are
// over, where requests are counted.
func (f *facts) receiving(s *series.Sample) int {
	if s.Requests == nil || s.Client.Activity == nil {
		return 0
	}
	r := s.Client.Activity.Received
	return max(0, r.Total()-r.AtLeast(f.silent)-inFlight(s))
}

// moreReceive reports whether the connections on which data arrives become more. Once the
// load is over they must be half of all: on a busy machine the last responses of a steady
// load come later and later, and their connections are idle after that.
func (f *facts) moreReceive() bool {
	_, grows := f.grows(f.receiving)
	return grows && (!f.Over || 2*f.receiving(f.last()) >= clientOpen(f.last()))
}

// growth is what is said of connections that grow at one end.
func (f *facts) growth(name string, open figure, t series.Trend, c *series.ConnCounts) *finding {
	now := open(f.last())
	found := &finding{
		confidence: f.sureOf(t),
		facts:      []Fact{fact(name, count("open", now), count("more", now-open(&f.Samples[0])), growing(t.PerSecond))},
	}
	if c != nil && c.Opened > 0 {
		values := []Quantity{count("opened", c.Opened), count("closed", c.Closed), lasting(f.span())}
		if a := f.last().Client.Activity; name == "open" && a.Once > 0 {
			values = append(values, count("open", now), count("once", a.Once), some("one_way", a.OneWay))
		}
		found.facts = append(found.facts, fact("opened", values...))
	}
	return found
}

// growthOfCounts is for sources that do not say what connections do.
func (f *facts) growthOfCounts() *finding {
	name, open := "open", clientOpen
	t := f.trend(0, open)
	if !t.Grows && f.ownServer() {
		name, open = "accepted", serverOpen
		t, _ = f.grownFor(lastingGrowth, open)
	}
	if !t.Grows {
		return nil
	}
	found := f.growth(name, open, t, nil)
	found.alternatives = []Alternative{{IdleConnectionsNotReused, "whether the connections are idle"}, {ResponseBodyLeak, bodyTest}}
	return found
}
