// Package netns runs processes in a user and network namespace of their own:
// their sockets, ports and kernel counters are nobody else's, and nobody else's
// are theirs. It needs Linux, and no privilege where the system allows user
// namespaces.
//
// A namespace is held by a supervisor, a process that starts others inside on
// request. Any program can be one: it calls [Supervise]. The namespace, and all that
// runs in it, ends with the [Namespace], with the program that holds it (also by
// kill -9), or with the supervisor.
package netns

import "errors"

// ErrForbidden is what errors of [New] Are when this system does not let this
// user make namespaces. Its text says why, and what to try.
var ErrForbidden = errors.New("no namespace of its own can be made here")
