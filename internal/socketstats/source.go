package socketstats

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Source lists the TCP sockets of one network namespace. It is safe for use by
// several goroutines. Who opens a Source closes it.
//
// What a source can do beside is asked by [ReportsInfo], [OpenClosings],
// [EntersNamespaces] and [Inside]. A source that can has the method that the
// function names; a type that embeds only the interface Source can do nothing
// beside.
type Source interface {
	// Name is what records and tables call the source, such as "sockdiag".
	Name() string
	// Sockets returns the sockets that q asks for, of both address families,
	// in no special order. What cannot be read is an error, never a shorter
	// list. After Close it is an error where the source held anything open.
	Sockets(ctx context.Context, q Query) ([]Socket, error)
	// UnsupportedStates lists the states that this source cannot see on this system.
	UnsupportedStates() []State
	// Close gives back what the source holds open. What was opened through the
	// source, such as [Closings], stays open.
	Close() error
}

// ReportsInfo reports whether src fills in every field of a [Socket], and with
// [Query.Info] also [Socket.Info]. Without, there is no cookie, no queue and no
// [Activity]. The source has a method ReportsInfo() bool.
func ReportsInfo(src Source) bool {
	s, ok := src.(interface{ ReportsInfo() bool })
	return ok && s.ReportsInfo()
}

// OpenClosings begins to hear of the sockets that the kernel destroys in the
// namespace of src, of those with one of these as local or remote port; none
// means all. The error Is [errors.ErrUnsupported] where the source cannot. The
// caller closes the Closings; src may be closed before. The source has a method
// Closings(ports []uint16) (Closings, error).
func OpenClosings(src Source, ports []uint16) (Closings, error) {
	if s, ok := src.(interface {
		Closings(ports []uint16) (Closings, error)
	}); ok {
		return s.Closings(ports)
	}
	return nil, fmt.Errorf("source %s does not report closed sockets: %w", src.Name(), errors.ErrUnsupported)
}

// OpenSocket opens a socket of the kernel's sock_diag in some network namespace.
// Who calls it closes the file.
type OpenSocket func() (*os.File, error)

type namespaceSource interface {
	Inside(open OpenSocket) (Source, error)
}

// EntersNamespaces reports whether src can list the sockets of a network
// namespace that this process is not in. The source has the method Inside.
func EntersNamespaces(src Source) bool {
	_, ok := src.(namespaceSource)
	return ok
}

// Inside returns a source for the network namespace in which open opens its
// sockets, of the same kind as src. Where src cannot enter namespaces, it is the
// one that [Auto] stands for. The error Is [errors.ErrUnsupported] where that one
// cannot either. The caller closes the source; src may be closed before. open is
// kept, and called again for [OpenClosings].
func Inside(src Source, open OpenSocket) (Source, error) {
	if s, ok := src.(namespaceSource); ok {
		return s.Inside(open)
	}
	other, err := OpenSource(Auto)
	if err != nil {
		return nil, err
	}
	defer other.Close()
	if s, ok := other.(namespaceSource); ok {
		return s.Inside(open)
	}
	return nil, fmt.Errorf("source %s does not see into a network namespace: %w", other.Name(), errors.ErrUnsupported)
}

// registered is a source of this system.
type registered struct {
	name string
	// cost orders the sources: the lower, the less a listing costs beside a busy
	// machine's sockets.
	cost int
	open func() (Source, error)
}

// known are the sources of this system, the cheapest first.
var known []registered

// register makes a source known. The file of each source calls it in init.
func register(name string, cost int, open func() (Source, error)) {
	known = append(known, registered{name, cost, open})
	slices.SortStableFunc(known, func(a, b registered) int { return cmp.Compare(a.cost, b.cost) })
}

// Auto is the name by which [OpenSource] chooses.
const Auto = "auto"

// SourceNames lists what [OpenSource] takes on this system, sorted.
func SourceNames() []string {
	names := []string{Auto}
	for _, r := range known {
		names = append(names, r.name)
	}
	slices.Sort(names)
	return names
}

// OpenSource returns the source with this name. Auto is the cheapest one that can
// be opened: sock_diag where the kernel answers it (on Linux, except in some
// sandboxes), iphlpapi on Windows, lsof on macOS and the BSDs where it is
// installed, and gopsutil elsewhere. A name that is not in [SourceNames] is an
// error that Is [errors.ErrUnsupported]. The caller closes the source.
func OpenSource(name string) (Source, error) {
	var failed error
	for _, r := range known {
		if name != r.name && name != Auto {
			continue
		}
		src, err := r.open()
		if err == nil {
			return src, nil
		}
		failed = errors.Join(failed, fmt.Errorf("open source %s: %w", r.name, err))
	}
	if failed != nil {
		return nil, fmt.Errorf("%w; the sources are %s", failed, strings.Join(SourceNames(), ", "))
	}
	return nil, fmt.Errorf("source %q: %w: use one of %s", name, errors.ErrUnsupported, strings.Join(SourceNames(), ", "))
}

// Cheaper returns the name of the cheapest source of this system, and false where
// src is that one.
func Cheaper(src Source) (string, bool) {
	return known[0].name, known[0].name != src.Name()
}
