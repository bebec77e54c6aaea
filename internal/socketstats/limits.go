package socketstats

// Limits are what a process's sockets come to their end at; 0 where it is not
// known.
type Limits struct {
	// Descriptors is how many the process may have open.
	Descriptors int `json:"descriptors,omitempty"`
	// Ports is how many local ports the system hands out towards one
	// destination.
	Ports int `json:"ports,omitempty"`
}

// LimitsOf returns the limits of a process. They are known on Linux, of
// processes whose user this is.
func LimitsOf(pid int32) Limits { return limitsOf(pid) }

// Descriptors returns how many descriptors a process has open; 0 where it is
// not known, as for another user's process.
func Descriptors(pid int32) int { return descriptors(pid) }
