package socketstats

// HalveFrom has answers read in halves from this many sockets on.
func (d *Sockdiag) HalveFrom(n int) { d.halve = n }
