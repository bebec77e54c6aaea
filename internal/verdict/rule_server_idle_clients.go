package verdict

const ServerIdleClients Kind = "server-idle-clients"

var _ = register(Rule{
	Kind: ServerIdleClients, Severity: Leak, Rank: rankServer + 1,
	Title:      "the server holds ever more silent connections",
	Means:      "Clients connect and go silent: they leak, or they are gone, or they attack. Without an idle timeout the server keeps all of them.",
	Recognised: "Silent ESTABLISHED connections at the server's end grow for two minutes or longer: longer than ordinary idle timeouts are.",
	Limits:     "Whether the clients leak, attack or are gone does not show. Clients that go on joining for two minutes and are silent look like it.",
	Needs:      []Need{needActivity},
	Fix:        "Set the server's idle timeout and the one for reading headers (in Go IdleTimeout and ReadHeaderTimeout), and limit the connections of one client.",
	Sentences: map[string]string{
		"silent": "{silent|accepted connection has|accepted connections have} been silent for {for_ms} or longer, growing by {growth_per_second}[; {never_sent} never sent anything].",
	},
	recognise: serverIdleClients{},
})

type serverIdleClients struct{}

func (serverIdleClients) find(f *facts) *finding {
	// Where the other ends are among the sockets, they say more.
	if !f.ownServer() || (f.subject.Paired && 2*f.most(clientOpen) >= f.most(serverOpen)) {
		return nil
	}
	_, grows := f.grownFor(lastingGrowth, serverOpen)
	perSecond, silent := f.grows(f.silentAtServer)
	if !grows || !silent {
		return nil
	}
	return &finding{confidence: High, facts: []Fact{fact("silent", count("silent", f.silentAtServer(f.last())), lasting(f.silent),
		growing(perSecond), some("never_sent", f.last().Server.Activity.Fresh.AtLeast(f.silent)))}}
}
