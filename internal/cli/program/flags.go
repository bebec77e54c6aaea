package program

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"socketlab/internal/scenario"
)

// Choice is a flag that takes one of some words, so that a wrong one fails
// while the command line is read.
type Choice struct {
	value string
	from  []string
}

// NewChoice returns a flag with a value, one of some words.
func NewChoice(value string, from ...string) Choice { return Choice{value, from} }

// String returns the value.
func (c *Choice) String() string { return c.value }

// Type lists the words.
func (c *Choice) Type() string { return strings.Join(c.from, "|") }

// Set takes another of the words.
func (c *Choice) Set(s string) error {
	for _, f := range c.from {
		if s == f {
			c.value = s
			return nil
		}
	}
	return fmt.Errorf("use one of %s", strings.Join(c.from, ", "))
}

// DurationFlag adds a flag for a time of a script.
func DurationFlag(f *pflag.FlagSet, d *scenario.Duration, name string, def time.Duration, usage string) {
	f.DurationVar((*time.Duration)(d), name, def, usage)
}

// ControlledFlag adds the flag that the lab gives to processes that it starts.
func ControlledFlag(f *pflag.FlagSet, controlled *bool) {
	f.BoolVar(controlled, "controlled", false, "take orders on standard input (what sockwatch uses)")
	_ = f.MarkHidden("controlled")
}

// WorkerEnded is the end of a worker, which has reported its error to the lab.
func WorkerEnded(code int) error {
	if code == ExitOK {
		return nil
	}
	return &CodeError{Code: code}
}
