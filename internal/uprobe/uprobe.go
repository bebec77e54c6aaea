// Package uprobe finds out which lines of a running program hold its connections: for a
// Go program by probes on the few functions that decide over a connection (package
// net/http, database/sql, net), without a change to the program and also if it is
// stripped.
//
// It needs Linux, and root or CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE. The program is
// never stopped. Of its memory, pointers, stacks and the few words are read that say
// which socket a connection has and whether it is in use.
package uprobe

import "errors"

// ErrNotAllowed says that the process lacks a privilege.
var ErrNotAllowed = errors.New("looking for lines of a running program needs root, or CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE")

// Options say what a report has.
type Options struct {
	// Stacks asks for all frames of each group.
	Stacks bool
}
