package observe

import (
	"time"

	"socketlab/internal/provenance"
)

// Event is one line of a recording of a watch: just one of its fields is set.
type Event struct {
	Watch    *Begin    `json:"watch,omitempty"`
	Snapshot *Snapshot `json:"snapshot,omitempty"`
	End      *Ending   `json:"watch_end,omitempty"`
}

// Begin is what was watched, and how. Schema is that of all recordings.
type Begin struct {
	Schema   string        `json:"schema"`
	Port     uint16        `json:"port,omitempty"`
	PIDs     []int32       `json:"pids,omitempty"`
	Name     string        `json:"name,omitempty"`
	Source   string        `json:"source"`
	Interval time.Duration `json:"interval_ns"`
	Started  time.Time     `json:"started"`
	// Provenance is what recorded it, and where; nil if nobody said.
	Provenance *provenance.Info `json:"provenance,omitempty"`
}

// Ending is how a watch ended.
type Ending struct {
	// Gone says that every watched process has ended.
	Gone bool `json:"gone,omitempty"`
	// Stopped says why the watch ended before its time; "" if it did not.
	Stopped string `json:"stopped,omitempty"`
}
