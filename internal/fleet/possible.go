package fleet

import (
	"fmt"
	"math"
	"time"

	"socketlab/internal/socketstats"
)

// What a fleet is made of.
const (
	sockets             = "socketlab_sockets"
	verdictInfo         = "socketlab_verdict_info"
	growth              = "socketlab_open_sockets_growth_per_second"
	exhaustion          = "socketlab_exhaustion_seconds"
	unobservedProcesses = "socketlab_unobserved_processes"
	lastSample          = "socketlab_last_sample_timestamp_seconds"
)

// metrics are their names.
var metrics = []string{sockets, verdictInfo, growth, exhaustion, unobservedProcesses, lastSample}

const (
	// mostSockets is what a machine can have: Linux counts its sockets in use in an int of
	// 32 bits. More would also not fit into a cell of the table.
	mostSockets = math.MaxInt32
	// mostProcesses is the highest process number of Linux (PID_MAX_LIMIT), so that there are no more.
	mostProcesses = 1 << 22
	// oldest is the age of a count above which a node is as good as silent.
	oldest = 5 * time.Minute
	// ahead is how far the clock of a node may be ahead of the one here. Clocks that are set
	// over the network differ by less than a second; one that is off by more than this may
	// also make an old count look new.
	ahead = time.Minute
)

// check returns what is wrong with the number of a sample: one that cannot be is no number,
// and whoever says it is not believed for the rest. It adds to the sums of the node.
func (m *making) check(s *sample, now time.Time) error {
	possible := true
	switch v := s.value; s.name {
	case sockets:
		if _, err := socketstats.ParseState(s.labels["state"]); err != nil {
			return fmt.Errorf("it says %s in an %w", s.name, err)
		}
		return s.count(&m.sockets, mostSockets)
	case unobservedProcesses:
		return s.count(&m.unobserved, mostProcesses)
	case verdictInfo:
		possible = v == 0 || v == 1
	case growth: // what has fewer and fewer sockets grows by less than 0
		possible = math.Abs(v) <= mostSockets
	case exhaustion: // +Inf is what comes back fast enough
		possible = v >= 0
	case lastSample:
		age := float64(now.UnixNano())/float64(time.Second) - v
		switch possible = v >= 0 && !math.IsInf(v, 1); {
		case possible && age < -ahead.Seconds():
			return fmt.Errorf("it says %s is %.15g, in the future by the clock here: compare the clocks", s.name, v)
		case possible && age > oldest.Seconds():
			return fmt.Errorf("its newest count is %s old", time.Duration(age)*time.Second)
		}
	}
	if !possible {
		return s.impossible()
	}
	return nil
}

// count adds a count to a sum, and returns what is wrong with either of them.
func (s *sample) count(sum *float64, most float64) error {
	if v := s.value; !(v >= 0 && v <= most && v == math.Trunc(v)) { // NaN compares as false
		return s.impossible()
	}
	if *sum += s.value; *sum > most {
		return fmt.Errorf("it says %s are %.15g in all, which cannot be", s.name, *sum)
	}
	return nil
}

func (s *sample) impossible() error {
	return fmt.Errorf("it says %s is %.15g, which cannot be", s.name, s.value)
}
