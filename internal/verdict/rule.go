package verdict

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"socketlab/internal/verdict/kind"
)

// Kind names what a subject shows. Each is declared beside its rule, which documents
// it.
type Kind = kind.Kind

// Rule is all that there is of one kind: its documentation, and how it is
// recognised. Each stands in a file of its own, which registers it; nothing else
// lists the kinds.
type Rule struct {
	Kind Kind
	// Severity is that of most findings; one may have its own.
	Severity Severity
	// Rank is when the rule is tried: the first that fits is the verdict. See the
	// ranks.
	Rank int
	// Title is one line. Means says what it is and what it does, in a few sentences.
	Title, Means string
	// Recognised says which facts it is recognised by, and Limits what is mistaken
	// for it and when it is not seen; "" where nothing is known.
	Recognised, Limits string
	// Needs are the facts without which the rule is not tried.
	Needs []Need
	// Fix says what to change, for any runtime, in one sentence or two; "" for a kind
	// that is no fault.
	Fix string
	// Scenario is the lesson that shows it best; "" if there is none.
	Scenario string
	// Sentences are the templates of its facts, by their names; see [Sentences].
	Sentences map[string]string

	recognise recogniser
}

// recogniser is the code of a rule. It is an interface, and not a function, so that
// the linker leaves it out of programs that judge nothing and only name kinds.
type recogniser interface {
	// find returns nil if the facts do not show the kind.
	find(*facts) *finding
}

// Need is something that a rule cannot do without.
type Need struct {
	// Name is for people.
	Name string
	met  func(*facts) bool
}

// The needs.
var (
	needMetrics           = Need{"client-side counters", (*facts).counted}
	needActivity          = Need{"activity from tcp_info", (*facts).active}
	needMetricsOrActivity = Need{"client-side counters, or activity from tcp_info", func(f *facts) bool { return f.counted() || f.active() }}
	needServers           = Need{"the counters of several servers", func(f *facts) bool { return len(f.last().Servers) > 1 }}
	needPorts             = Need{"the number of local ports, or client-side counters", func(f *facts) bool { return f.subject.Limits.Ports > 0 || f.counted() }}
)

// Watched reports whether the rule can find its kind in a process that runs anyway, of
// which neither a client nor several servers report what they count.
func (r *Rule) Watched() bool {
	return !slices.ContainsFunc(r.Needs, func(n Need) bool { return n.Name == needMetrics.Name || n.Name == needServers.Name })
}

// The ranks, from what only one kind shows to what many do. A rule adds to its
// rank where its place beside others of the same rank matters, and says why.
const (
	// rankCounters is of what the counters of client and server show and no other
	// kind has. It comes first, as such a fault leaves other signs, too: an abrupt
	// shutdown leaves CLOSE_WAIT, a retry storm churn.
	rankCounters = 100 * (iota + 1)
	// rankSign is of a socket state or a kernel counter that only this kind leaves.
	rankSign
	// rankRequests is of requests that wait or fail: the sockets that they hold look
	// as if nobody used them.
	rankRequests
	// rankReuse is of clients that do not use their connections again.
	rankReuse
	// rankServer is of the server's end by itself, where the clients say nothing.
	rankServer
	// rankGrowth is of growth alone.
	rankGrowth
	// rankLimits is of a limit that is near, when nothing says why.
	rankLimits
	// rankNone is of no fault.
	rankNone
)

// rules are all rules in the order in which they are tried.
var rules []Rule

// register enters a rule. It is called by the initialisation of a package-level
// variable, so that it is over before anything reads the rules.
func register(r Rule) struct{} {
	i, taken := slices.BinarySearchFunc(rules, r, func(a, b Rule) int { return cmp.Compare(a.Rank, b.Rank) })
	if taken {
		panic(fmt.Sprintf("verdict: %s and %s have the same rank", rules[i].Kind, r.Kind))
	}
	rules = slices.Insert(rules, i, r)
	return struct{}{}
}

// Rules lists all rules in the order in which they are tried.
func Rules() []Rule { return slices.Clone(rules) }

// Kinds lists all kinds in the order of their rules.
func Kinds() []Kind {
	kinds := make([]Kind, len(rules))
	for i := range rules {
		kinds[i] = rules[i].Kind
	}
	return kinds
}

// Lookup returns the rule of a kind, and false if there is none.
func Lookup(kind Kind) (Rule, bool) {
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.Kind == kind })
	if i < 0 {
		return Rule{}, false
	}
	return rules[i], true
}

// finding is what a rule found.
type finding struct {
	severity     Severity // "" is the rule's
	confidence   Confidence
	facts        []Fact
	alternatives []Alternative
	// descriptor is the kind of descriptor that leaks, as internal/socketstats names
	// it; "" of a finding about connections.
	descriptor string
	// fix is what to change where the rule's own advice is not it; "" is that.
	fix string
	// suspects and left are those of [Verdict].
	suspects []Kind
	left     time.Duration
	// yields says that a note goes before it.
	yields bool
}

// apply returns what the rule finds; nil if it does not fit, or what it needs is
// not known.
func (r *Rule) apply(f *facts) *finding {
	for _, n := range r.Needs {
		if !n.met(f) {
			return nil
		}
	}
	return r.recognise.find(f)
}
