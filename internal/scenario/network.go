package scenario

import (
	"fmt"
	"regexp"
	"slices"
)

// NetworkFault is what the network of a side is like for a time: a firewall's rule
// for the first server's port, or a slow link.
type NetworkFault struct {
	// After is when it begins, from the first connection on; 0 is before the
	// load.
	After Duration `yaml:"after,omitempty"`
	// For is how long it lasts. Default: to the end.
	For Duration `yaml:"for,omitempty"`
	// Firewall is drop, reject (port unreachable), reject-host, or reset.
	Firewall string `yaml:"firewall,omitempty"`
	// Packets is what the firewall's rule is for: new connections (the default), or
	// all packets.
	Packets string `yaml:"packets,omitempty"`
	// Bandwidth is what the link carries, in kbit/s.
	Bandwidth Kilobits `yaml:"bandwidth,omitempty"`
}

// Kilobits is a bandwidth in thousands of bits a second.
type Kilobits int

// What a firewall's rule does, and what it is for.
const (
	Drop       = "drop"
	Reject     = "reject"
	RejectHost = "reject-host"
	Reset      = "reset"

	PacketsNew = "new"
	PacketsAll = "all"
)

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

// sysctlForm is a setting that a namespace of its own may change: a name that the
// kernel keeps below net, in the form of sysctl(8), and one number or several. Points
// stand for slashes, so that no name leads elsewhere.
var sysctlForm = regexp.MustCompile(`^net(\.[a-z0-9_-]+)+=-?[0-9]+( -?[0-9]+)*$`)

func (s Script) checkSysctl() *finding {
	for i, setting := range s.Sysctl {
		switch path := fmt.Sprintf("$.sysctl[%d]", i); {
		case s.Requires != Namespace:
			return found(path, "the kernel's settings are changed only in a namespace: add a line requires: namespace")
		case !sysctlForm.MatchString(setting):
			return found(path, "%q is no setting of a network namespace: write it like net.core.somaxconn=4", short(setting))
		}
	}
	return nil
}
