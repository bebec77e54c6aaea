package scenario

import (
	"fmt"
	"regexp"
	"slices"
)

// NetworkFault is what the network of a side is like for a time: a firewall's rule
// for a server's port, packets to and from it that are lost, or a slow link; or, from
// the beginning to the end, a box between the clients and that port that keeps a table
// of connections or translates their addresses.
type NetworkFault struct {
	// After is when it begins, from the first connection on; 0 is before the
	// load.
	After Duration `yaml:"after,omitempty"`
	// For is how long it lasts. Default: to the end.
	For Duration `yaml:"for,omitempty"`
	// Firewall is drop, reject (port unreachable), reject-host, or reset.
	Firewall string `yaml:"firewall,omitempty"`
	// Packets is what the firewall's rule is for: new connections (the default), all
	// packets, or fin: those that end a direction of a connection.
	Packets string `yaml:"packets,omitempty"`
	// DropOneIn loses one packet in this many to the server, and one in as many
	// from it, evenly spaced.
	DropOneIn int `yaml:"drop_one_in,omitempty"`
	// Bandwidth is what the link carries, in kbit/s.
	Bandwidth Kilobits `yaml:"bandwidth,omitempty"`
	// ConntrackMax is how many connections to the port a stateful firewall keeps in its
	// table. A packet that belongs to none of them is dropped, and so is the SYN of one
	// that finds the table full.
	ConntrackMax int `yaml:"conntrack_max,omitempty"`
	// ConntrackTimeout is how long it keeps a connection after its last packet, whether
	// the connection is closed or not.
	ConntrackTimeout Duration `yaml:"conntrack_timeout,omitempty"`
	// SNATPorts is how many ports the kernel's source address translation has for
	// connections to the port.
	SNATPorts int `yaml:"snat_ports,omitempty"`
	// Server names the server whose port this is about. Default: the first.
	Server string `yaml:"server,omitempty"`
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
	PacketsFIN = "fin"
)

// kinds counts what is set of what a fault can be.
func (w NetworkFault) kinds() int {
	n := 0
	for _, set := range []bool{w.Firewall != "", w.DropOneIn != 0, w.Bandwidth != 0, w.ConntrackMax != 0 || w.ConntrackTimeout != 0, w.SNATPorts != 0} {
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
			return found(path, "a network fault is just one of firewall, drop_one_in, bandwidth, conntrack_max and snat_ports")
		case (w.ConntrackMax == 0) != (w.ConntrackTimeout == 0):
			return found(path, "a conntrack_max has a conntrack_timeout, and the other way round")
		case w.ConntrackMax < 0 || w.ConntrackMax > maxRequests:
			return found(path+".conntrack_max", "conntrack_max %d is not between 1 and %d", w.ConntrackMax, maxRequests)
		case w.SNATPorts < 0 || w.SNATPorts > maxSNATPorts:
			return found(path+".snat_ports", "snat_ports %d is not between 1 and %d", w.SNATPorts, maxSNATPorts)
		case w.IsBox() && (w.After != 0 || w.For != 0):
			return found(path, "conntrack_max and snat_ports hold from the beginning to the end: leave after and for out")
		case w.Server != "" && (w.Bandwidth != 0 || !s.hasServer(w.Server)):
			return found(path+".server", "server %q: use the name of a server with TCP whose port this is about", short(w.Server))
		case w.Firewall != "" && !slices.Contains([]string{Drop, Reject, RejectHost, Reset}, w.Firewall):
			return found(path+".firewall", "firewall %q: use one of drop, reject, reject-host, reset", short(w.Firewall))
		case w.DropOneIn != 0 && w.DropOneIn < 2:
			return found(path+".drop_one_in", "drop_one_in %d: one packet in 2 or more can be lost", w.DropOneIn)
		case w.Packets != "" && w.Firewall == "":
			return found(path+".packets", "packets belongs to a firewall")
		case w.Bandwidth < 0:
			return found(path+".bandwidth", "bandwidth %d is negative", w.Bandwidth)
		case w.Packets != "" && w.Packets != PacketsNew && w.Packets != PacketsAll && w.Packets != PacketsFIN:
			return found(path+".packets", "packets %q: use %s, %s or %s", short(w.Packets), PacketsNew, PacketsAll, PacketsFIN)
		}
	}
	return nil
}

// IsBox reports whether this is a box between the clients and the port, which stands
// there for the whole run.
func (w NetworkFault) IsBox() bool { return w.ConntrackMax != 0 || w.SNATPorts != 0 }

// maxSNATPorts bounds the ports of a translation: so many below the ephemeral ones.
const maxSNATPorts = 10_000

// hasServer reports whether a side has a server over TCP with this name.
func (s Script) hasServer(name string) bool {
	return slices.ContainsFunc(append([]Server{s.Server}, s.Upstreams...), func(v Server) bool {
		return v.Name == name && !ProtocolOf(v).NameServer
	})
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
