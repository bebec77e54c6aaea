package socketstats

import (
	"errors"
	"fmt"
	"io/fs"
)

// NamespaceOf is the network namespace of a process, by its inode; of this process if
// pid is 0. It works on Linux only; elsewhere it is 0, as every process is in the same
// one.
func NamespaceOf(pid int32) (uint32, error) {
	ns, err := namespaceOf(pid)
	if pid == 0 && errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("this process's own network namespace cannot be seen: %w (is /proc mounted?)", err)
	}
	if err != nil {
		return 0, fmt.Errorf("network namespace of process %d: %w", pid, err)
	}
	return ns, nil
}

// Namespace is another network namespace, opened to be counted.
type Namespace struct {
	// Source lists its sockets.
	Source Source
	// Own are its addresses; nil if they are not known.
	Own Addresses
	// Ports is the number of its ephemeral ports, as in [Limits]; 0 if it is not known.
	Ports int
}

// OpenNamespace opens the network namespace of a process. Its source is of the kind
// of src where this process may enter the namespace (CAP_SYS_ADMIN in it); where it
// may not, a [Procfs], which needs no privilege. The caller closes the source, which
// goes on when the process has ended (but see [Procfs.Through]); src may be closed
// before.
func OpenNamespace(src Source, pid int32) (Namespace, error) {
	n, err := openNamespace(src, pid)
	if err != nil {
		return n, fmt.Errorf("cannot see into the network namespace of process %d: %w", pid, err)
	}
	return n, nil
}

// MetMPTCP reports whether an MPTCP connection was ever made in the network namespace
// of a process, or of this process if pid is 0; true if that is not known. A listener
// may speak MPTCP, as Go's do, and never meet a client that does.
func MetMPTCP(pid int32) bool { return metMPTCP(pid) }
