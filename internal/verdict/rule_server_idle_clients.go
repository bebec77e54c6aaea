package verdict

const ServerIdleClients Kind = "server-idle-clients"

var _ = register(Rule{
	Kind: ServerIdleClients, Severity: Leak, Rank: rankServer + 1,
	Title:      "the server holds ever more silent connections",
	Means:      "Clients connect and go silent: they leak, or they are gone, or they attack. Without an idle timeout the server keeps all of them.",
	Recognised: "Silent ESTABLISHED connections at the server's end grow and are never closed, and their clients are not seen from here.",
	Limits:     "Whether the clients leak or attack does not show.",
	Needs:      []Need{needActivity},
	Fix:        "Set the server's idle timeout and the one for reading headers (in Go IdleTimeout and ReadHeaderTimeout), and limit the connections of one client.",
	Sentences: map[string]string{
		"silent": "{silent|accepted connection has|accepted connections have} been silent for {for_ms} or longer, growing by {growth_per_second}; none is closed[; {never_sent} never sent anything].",
	},
	recognise: serverIdleClients{},
})

type serverIdleClients struct{}

func (serverIdleClients) find(f *facts) *finding {
	// Where the other ends are among the sockets, they say more.
	if f.subject.Paired && 2*f.most(clientOpen) >= f.most(serverOpen) {
		return nil
	}
	perSecond, grows := f.grows(f.silentAtServer)
	if !grows {
		return nil
	}
	return &finding{confidence: High, facts: []Fact{fact("silent", count("silent", f.silentAtServer(f.last())), lasting(f.silent),
		growing(perSecond), some("never_sent", f.last().Server.Activity.Fresh.AtLeast(f.silent)))}}
}
