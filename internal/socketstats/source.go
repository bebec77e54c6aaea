package socketstats

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// Source lists the TCP sockets of one network namespace. It is safe for use by
// several goroutines. Whoever opens a Source closes it.
//
// Some sources can do more than that. [ReportsInfo], [OpenClosings] and
// [EntersNamespaces] ask a source, by the method that each of them names. A type
// that embeds the interface Source has none of these methods.
type Source interface {
	// Name returns the name of the source in [SourceNames], such as "sockdiag".
	Name() string
	// Sockets returns the sockets that q asks for, of both address families, in
	// no special order. If anything cannot be read it returns an error, never
	// a shorter list. After Close it returns an error if the source held
	// anything open.
	Sockets(ctx context.Context, q Query) ([]Socket, error)
	// UnsupportedStates lists the states that this source cannot see on this system.
	UnsupportedStates() []State
	// Close closes the descriptors of the source. [Closings] and sources that
	// were opened through the source stay open.
	Close() error
}

// ReportsInfo reports whether src sets every field of a [Socket], and with
// [Query.Info] also [Socket.Info]. With any other source there is no cookie, no
// queue and no [Activity]. The method is ReportsInfo() bool.
func ReportsInfo(src Source) bool {
	s, ok := src.(interface{ ReportsInfo() bool })
	return ok && s.ReportsInfo()
}

// ReportsInodes reports whether src sets [Socket.Inode]. The method is ReportsInodes()
// bool.
func ReportsInodes(src Source) bool {
	s, ok := src.(interface{ ReportsInodes() bool })
	return ok && s.ReportsInodes()
}

// OpenClosings begins to report the sockets that the kernel destroys in the namespace
// of src: those with one of these ports as local or remote port, or all if there are
// none. The error Is [errors.ErrUnsupported] if the source cannot. The caller closes
// the Closings; src may be closed before. The method is Closings(ports []uint16)
// (Closings, error).
func OpenClosings(src Source, ports []uint16) (Closings, error) {
	if s, ok := src.(interface {
		Closings(ports []uint16) (Closings, error)
	}); ok {
		return s.Closings(ports)
	}
	return nil, fmt.Errorf("source %s does not report closed sockets: %w", src.Name(), errors.ErrUnsupported)
}

// OtherSocket is a socket of UDP or of AF_UNIX.
type OtherSocket struct {
	// Kind is [KindUDP], [KindUnix] or [KindUnixListen].
	Kind  string
	Inode uint32
	// Local and Remote are addresses and ports of UDP; Remote is not valid where the
	// socket is not connected.
	Local, Remote netip.AddrPort
	// Name is the path of a socket of AF_UNIX, with @ in front if it is abstract, and
	// Peer the inode of the socket that it is connected to; "" and 0 if there is none.
	Name string
	Peer uint32
}

// OtherSockets returns the sockets of UDP and AF_UNIX in the namespace of src; nil if
// the source does not list them. The method is OtherSockets(ctx context.Context)
// ([]OtherSocket, error).
func OtherSockets(ctx context.Context, src Source) ([]OtherSocket, error) {
	if s, ok := src.(interface {
		OtherSockets(ctx context.Context) ([]OtherSocket, error)
	}); ok {
		return s.OtherSockets(ctx)
	}
	return nil, nil
}

// UnixListeners returns the sockets of AF_UNIX that listen in the namespace of src, by
// inode; nil if the source does not list them. The method is UnixListeners(ctx
// context.Context) (map[uint32]bool, error).
func UnixListeners(ctx context.Context, src Source) (map[uint32]bool, error) {
	if s, ok := src.(interface {
		UnixListeners(ctx context.Context) (map[uint32]bool, error)
	}); ok {
		return s.UnixListeners(ctx)
	}
	return nil, nil
}

// OpenSocket opens a netlink socket of sock_diag in some network namespace. The
// caller closes the file.
type OpenSocket func() (*os.File, error)

type namespaceSource interface {
	Inside(open OpenSocket) (Source, error)
}

// EntersNamespaces reports whether src can list the sockets of a network namespace
// that this process is not in. The method is Inside(open OpenSocket) (Source,
// error).
func EntersNamespaces(src Source) bool {
	_, ok := src.(namespaceSource)
	return ok
}

// Inside returns a source for the network namespace in which open opens its sockets.
// It is of the same kind as src or, if src cannot enter namespaces, of the kind that
// [Auto] chooses. The error Is [errors.ErrUnsupported] if that one cannot either.
// The caller closes the source; src may be closed before. The source keeps open, and
// calls it again for [OpenClosings].
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
	// cost orders the sources: the lower, the less a listing costs on a machine
	// with many sockets of other programs.
	cost int
	open func() (Source, error)
}

// known are the sources of this system, the cheapest first.
var known []registered

// register adds a source to those of this system. Each source's file calls it in
// init.
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

// OpenSource returns the source with this name. [Auto] is the cheapest one that can
// be opened and leaves descriptors to read /proc: sock_diag where the kernel answers it (on Linux, except in some
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
		if err == nil && name == Auto { // another may hold fewer descriptors
			if err = Spare(); err != nil {
				err = errors.Join(err, src.Close())
			}
		}
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

// Cheaper returns the name of the cheapest source of this system, and false if src is
// that one.
func Cheaper(src Source) (string, bool) {
	return known[0].name, known[0].name != src.Name()
}
