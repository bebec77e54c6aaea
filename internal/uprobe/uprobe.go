// Package uprobe finds out which lines of a running program hold its connections: for a
// Go program by probes on the few functions that decide over a connection (package
// net/http, database/sql, net), without a change to the program and also if it is
// stripped.
//
// It needs Linux, and root or CAP_SYS_ADMIN and CAP_SYS_PTRACE, and CAP_DAC_READ_SEARCH to read
// the memory of another user's program. Kernels from before 2025 let CAP_BPF and CAP_PERFMON do
// in place of CAP_SYS_ADMIN: a probe in the middle of an instruction changes what the program does, so
// that Linux asks for more since (perf_uprobe_event_init, kernel/events/core.c). For a program
// that is not Go's these two do. The program is never stopped. Of its memory, pointers, stacks and the few words are read that say
// which socket a connection has and whether it is in use.
package uprobe

import "errors"

// ErrNotAllowed says that the process lacks a privilege.
var ErrNotAllowed = errors.New("looking for lines of a running program needs root, or CAP_SYS_ADMIN and CAP_SYS_PTRACE, and for another user's CAP_DAC_READ_SEARCH")

// Options say what a report has.
type Options struct {
	// Stacks asks for all frames of each group.
	Stacks bool
}
