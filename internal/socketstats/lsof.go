package socketstats

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Lsof is the source of macOS and the BSDs, over the lsof command. lsof lists
// descriptors, so Lsof lists no socket that no process has one for: a
// connection that nobody has accepted, or that its program has closed. It
// lists the sockets of those processes that lsof may read: without root only
// this user's.
//
// Create one with [OpenLsof].
type Lsof struct{ command string }

// OpenLsof returns an error where the command is not installed.
func OpenLsof() (*Lsof, error) {
	command, err := exec.LookPath("lsof")
	if err != nil {
		return nil, err
	}
	return &Lsof{command}, nil
}

// Close does nothing: nothing is open between two calls.
func (*Lsof) Close() error { return nil }

// Name returns "lsof".
func (*Lsof) Name() string { return "lsof" }

// UnsupportedStates implements [Source]. A connection is in these states before it is
// accepted or after it was closed, and then no descriptor is left of it. Only
// what was shut down for writing is in some of them with a descriptor, so a
// count would be too low.
func (*Lsof) UnsupportedStates() []State {
	return []State{SynRecv, FinWait1, FinWait2, Closing, TimeWait, LastAck}
}

// Sockets implements [Source]. It runs lsof once, and ends it when ctx ends.
func (l *Lsof) Sockets(ctx context.Context, q Query) ([]Socket, error) {
	// No warnings, numbers for hosts and ports, TCP alone; of each descriptor
	// the fields that parseLsof reads, one a line.
	cmd := exec.CommandContext(ctx, l.command, "-w", "-n", "-P", "-i", "TCP", "-F", "pftdPnT")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.WaitDelay = time.Second // for a child that lsof may leave behind
	out, err := cmd.Output()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, &exit) && exit.ExitCode() == 1 && stderr.Len() == 0:
		// There is no socket, or a process ended meanwhile (lsof(8), DIAGNOSTICS).
	case err != nil:
		return nil, fmt.Errorf("list TCP sockets through lsof: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	all, err := parseLsof(string(out))
	if err != nil {
		return nil, fmt.Errorf("list TCP sockets through lsof: %w", err)
	}
	sockets := q.room(len(all))
	for _, s := range all {
		s.PID = q.owner(s.PID)
		if q.wants(s) {
			sockets = append(sockets, s)
		}
	}
	return sockets, nil
}

// parseLsof reads what lsof -F writes (lsof(8), OUTPUT FOR OTHER PROGRAMS): one
// field a line, named by its first letter. A process begins with p, and each of
// its descriptors with f.
//
// The device tells sockets apart: it is the socket's address in the kernel on
// macOS, and its inode on Linux.
func parseLsof(text string) ([]Socket, error) {
	var list perSocket
	var row lsofRow
	inside := false       // of a process
	end := func() error { // of a descriptor
		// In CLOSED there is no connection, and often no address. Other sources
		// do not list these sockets either.
		if row.protocol != "TCP" || row.state == "CLOSED" || row.state == "CLOSE" {
			return nil
		}
		s, err := row.socket()
		if err != nil {
			return fmt.Errorf("descriptor %s of process %d: %w", row.descriptor, row.pid, err)
		}
		list.add(s, row.device)
		return nil
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			continue
		}
		value := line[1:]
		switch line[0] {
		case 'p':
			if err := end(); err != nil {
				return nil, err
			}
			pid, err := strconv.ParseInt(value, 10, 32)
			if err != nil {
				return nil, fmt.Errorf("process id %q is not a number", value)
			}
			row, inside = lsofRow{pid: int32(pid)}, true
		case 'f':
			if err := end(); err != nil {
				return nil, err
			}
			row = lsofRow{pid: row.pid, descriptor: value}
		case 't':
			row.family = value
		case 'd':
			row.device = value
		case 'P':
			row.protocol = value
		case 'n':
			row.name = value
		case 'T': // the state is ST=; there are the lengths of the queues, too
			if state, ok := strings.CutPrefix(value, "ST="); ok {
				row.state = state
			}
		}
		if !inside {
			return nil, fmt.Errorf("%q stands before the first process", line)
		}
	}
	err := end()
	return list.sockets, err
}

// lsofRow is one descriptor of one process.
type lsofRow struct {
	pid                                               int32
	descriptor, family, device, protocol, name, state string
}

func (r lsofRow) socket() (Socket, error) {
	if r.state == "" {
		return Socket{}, errors.New("lsof does not say in which state it is")
	}
	state, err := ParseState(kernelName(r.state))
	if err != nil {
		return Socket{}, err
	}
	s := Socket{State: state, PID: r.pid}
	local, remote, connected := strings.Cut(r.name, "->")
	if s.Local, err = r.addrPort(local); err == nil && connected {
		s.Remote, err = r.addrPort(remote)
	}
	return s, err
}

func (r lsofRow) addrPort(text string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return netip.AddrPort{}, err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("port %q of address %q is not a number up to 65535", port, text)
	}
	return addrPort(host, uint32(n), r.family == "IPv6")
}

// perSocket makes a list of sockets out of a list of descriptors, where a socket
// with several, in one process or in more, occurs as often. The zero perSocket
// is an empty list.
type perSocket struct {
	sockets []Socket
	at      map[descriptorKey]int
}

// descriptorKey is a socket's name. Without a device, listeners that share an
// address are one.
type descriptorKey struct {
	tuple  Tuple
	device string
}

// add adds a descriptor's socket. Of several descriptors, the process with the
// lowest id owns the socket.
func (l *perSocket) add(s Socket, device string) {
	key := descriptorKey{s.Tuple(), device}
	if at, ok := l.at[key]; ok {
		l.sockets[at].PID = min(l.sockets[at].PID, s.PID)
		return
	}
	if l.at == nil {
		l.at = map[descriptorKey]int{}
	}
	l.at[key] = len(l.sockets)
	l.sockets = append(l.sockets, s)
}
