// Package uprobe finds out which lines of a running program hold its connections: for a
// Go program by probes on the few functions that decide over a connection (package
// net/http, database/sql, net), without a change to the program and also if it is
// stripped.
//
// It needs Linux, and root or CAP_SYS_ADMIN and CAP_SYS_PTRACE, and CAP_DAC_READ_SEARCH to read
// the memory of another user's program. Of a program that is not Go's CAP_BPF and CAP_PERFMON do in
// place of CAP_SYS_ADMIN; of Go's some kernels let these do. Since 2025 Linux does not where probes
// are events of perf (perf_uprobe_event_init, kernel/events/core.c): a probe in the middle of an
// instruction changes what the program does. The program is never stopped. Of its memory, pointers,
// stacks and the few words are read that say which socket a connection has and whether it is in use.
package uprobe

import "errors"

// ErrNotAllowed says that the process lacks a privilege.
var ErrNotAllowed = errors.New("looking for lines of a running program needs root, or CAP_SYS_ADMIN and CAP_SYS_PTRACE, and for another user's CAP_DAC_READ_SEARCH")

// Options say what a report has.
type Options struct {
	// Stacks asks for all frames of each group.
	Stacks bool
	// oneByOne attaches probes as an older kernel does.
	oneByOne bool
}
