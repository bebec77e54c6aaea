package verdict

import "socketlab/internal/series"

const InheritedConnections Kind = "inherited-connections"

var _ = register(Rule{
	Kind: InheritedConnections, Severity: Leak,
	Rank:       rankSign + 6,
	Title:      "children hold connections that their parent opened and has closed",
	Means:      "A descriptor that is open when a program starts another is inherited, unless it is marked close-on-exec. The parent's close does not end the connection then: the peer sees it open until the last child ends.",
	Recognised: "Open connections that only a child of the process holds grow, or five or more are there throughout the last quarter, and the child did not open them.",
	Limits:     "Seen where the tree of processes is watched, so not with --no-children.",
	Fix:        "Mark sockets close-on-exec (SOCK_CLOEXEC), or start children with all other descriptors closed.",
	Sentences: map[string]string{
		"inherited": "{connections|connection is|connections are} held by children only, which did not open them[, growing by {growth_per_second}][, for {for_ms} or longer].",
	},
	recognise: inheritedConnections{},
})

type inheritedConnections struct{}

func inherited(s *series.Sample) int { return s.Inherited }

func (inheritedConnections) find(f *facts) *finding {
	if len(f.Samples) < series.Least {
		return nil
	}
	n := f.staying(inherited, inherited)
	if n < few {
		return nil
	}
	found := &finding{confidence: Medium}
	since := lasting(f.span() / 4)
	if perSecond, grows := f.grows(inherited); grows {
		n, found.confidence, since = inherited(f.last()), High, growing(perSecond)
	}
	found.facts = []Fact{fact("inherited", count("connections", n), since)}
	return found
}
