package socketstats

// Limits are the limits on a process's sockets. A field that is 0 is not known.
type Limits struct {
	// Descriptors is the number of descriptors that the process may have open
	// (the soft RLIMIT_NOFILE).
	Descriptors int `json:"descriptors,omitempty"`
	// Ports is the number of ephemeral ports, and so of connections from one
	// local address to one remote address and port
	// (net.ipv4.ip_local_port_range).
	Ports int `json:"ports,omitempty"`
}

// LimitsOf returns the limits of a process. They are known on Linux only, and
// Descriptors only for a process of the same user. Ports is that of this process's
// network namespace.
func LimitsOf(pid int32) Limits { return limitsOf(pid) }
