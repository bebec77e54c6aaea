package verdict

const FDExhaustion Kind = "fd-exhaustion"

var _ = register(Rule{
	Kind: FDExhaustion, Severity: Fault, Rank: rankLimits + 1, Scenario: "fd-limit",
	Title:      "the process is about to run out of descriptors",
	Means:      "At the limit no connection can be opened or accepted, and no file: EMFILE.",
	Recognised: "At least nine tenths of the process's limit are open, or a load was stopped because it held too many. Or at some time nine tenths of what the server's process may open were open, where that reports it.",
	Fix:        "Find what holds them (sockwatch watch --pid) and close it; raise the limit only if so many are really needed at once.",
	Sentences: map[string]string{
		"descriptors": "{open} of the {limit|descriptor} that the process may have are open.",
		"server":      "{open} of the {limit|descriptor} that the server's process may have were open.",
	},
	recognise: fDExhaustion{},
})

type fDExhaustion struct{}

func (fDExhaustion) find(f *facts) *finding {
	open, limit := descriptors(f.last()), f.subject.Limits.Descriptors
	server := f.last().ServerProcess
	switch {
	case limit > 0 && 10*open >= 9*limit && open <= limit: // who holds more has forbidden itself any other, as sshd does
		return &finding{confidence: High, facts: []Fact{fact("descriptors", count("open", open), count("limit", limit))}}
	case server != nil && server.DescriptorLimit > 0 && 10*server.DescriptorsPeak >= 9*server.DescriptorLimit:
		return &finding{confidence: High, facts: []Fact{fact("server", count("open", server.DescriptorsPeak), count("limit", server.DescriptorLimit))}}
	case f.stopped() != "":
		return &finding{confidence: High} // the fact is that it was stopped
	}
	return nil
}
