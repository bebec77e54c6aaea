package scenario

import (
	"fmt"
	"regexp"
	"slices"
)

// NetworkFault is what the network of a side is like for a time: a firewall's rule
// for the first server's port, packets to and from it that are lost, or a slow link.
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
	// DropOneIn loses one packet in this many to the first server, and one in as many
	// from it, evenly spaced.
	DropOneIn int `yaml:"drop_one_in,omitempty"`
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

// kinds counts what is set of what a fault can be.
func (w NetworkFault) kinds() int {
	n := 0
	for _, set := range []bool{w.Firewall != "", w.DropOneIn != 0, w.Bandwidth != 0} {
		if set {
			n++
		}
	}
	return n
}

func (s Script) checkNetwork() *finding {
	for i, w := range s.Network {
		path := fmt.Sprintf("$.network[%d]", i)
		switch {
		case s.Requires != Namespace:
			return found(path, "the network is changed only in a namespace: add a line requires: namespace")
		case w.kinds() != 1:
			return found(path, "a network fault is just one of firewall, drop_one_in and bandwidth")
		case w.Firewall != "" && !slices.Contains([]string{Drop, Reject, RejectHost, Reset}, w.Firewall):
			return found(path+".firewall", "firewall %q: use one of drop, reject, reject-host, reset", short(w.Firewall))
		case w.DropOneIn != 0 && w.DropOneIn < 2:
			return found(path+".drop_one_in", "drop_one_in %d: one packet in 2 or more can be lost", w.DropOneIn)
		case w.Packets != "" && w.Firewall == "":
			return found(path+".packets", "packets belongs to a firewall")
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
