package socketstats

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	psnet "github.com/shirou/gopsutil/v3/net"
)

// Gopsutil is the portable source, over gopsutil's list of connections:
// /proc/net/tcp and tcp6 on Linux, the system's table on Windows, lsof on
// macOS. It reads the whole system's sockets at every call and filters
// afterwards, so its cost grows with what runs beside us.
//
// The zero Gopsutil is ready to use.
type Gopsutil struct{}

// Name returns "gopsutil".
func (Gopsutil) Name() string { return "gopsutil" }

// scanTries bounds how often a scan is begun again. gopsutil gives up
// altogether when a process ends while its descriptors are being read
// (ESRCH, net_linux.go:594), which is common beside a busy build.
const scanTries = 10

// Sockets implements [Source].
func (g Gopsutil) Sockets(ctx context.Context, q Query) ([]Socket, error) {
	sockets, err := g.scan(ctx, q)
	if err != nil {
		return nil, err
	}
	if q.Owners && slices.ContainsFunc(sockets, maybeOwned) {
		// gopsutil reads the descriptors first and the sockets after, so a
		// socket opened in between has no owner yet. A second reading has
		// its descriptor. What is still without owner then, has none.
		again, err := g.scan(ctx, q)
		if err != nil {
			return nil, err
		}
		owner := make(map[Tuple]int32, len(again))
		for _, s := range again {
			if _, shared := owner[s.Tuple()]; shared && s.State == Listen {
				s.PID = 0 // listeners on one address: no telling whose this one is
			}
			owner[s.Tuple()] = s.PID
		}
		for i, s := range sockets {
			if s.PID == 0 {
				sockets[i].PID = q.owner(owner[s.Tuple()])
			}
		}
	}
	return sockets, nil
}

// maybeOwned reports whether a process may hold s although none was seen.
func maybeOwned(s Socket) bool {
	switch s.State {
	case Established, SynSent, CloseWait, Listen:
		return s.PID == 0
	default:
		return false
	}
}

func (g Gopsutil) scan(ctx context.Context, q Query) ([]Socket, error) {
	for try := 1; ; try++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		stats, err := list(ctx, q.Owners)
		if errors.Is(err, syscall.ESRCH) && try < scanTries {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list TCP sockets through gopsutil: %w", err)
		}
		sockets := make([]Socket, 0, len(stats))
		for _, stat := range stats {
			s, err := fromStat(stat)
			if err != nil {
				return nil, fmt.Errorf("list TCP sockets through gopsutil: %w", err)
			}
			s.PID = q.owner(s.PID)
			if q.wants(s) {
				sockets = append(sockets, s)
			}
		}
		return restoreListeners(sockets, q)
	}
}

func fromStat(stat psnet.ConnectionStat) (Socket, error) {
	local, err := addrPort(stat.Laddr, stat.Family)
	if err != nil {
		return Socket{}, err
	}
	remote, err := addrPort(stat.Raddr, stat.Family)
	if err != nil {
		return Socket{}, err
	}
	state, err := ParseState(kernelName(stat.Status))
	if err != nil {
		return Socket{}, err
	}
	if state == Listen {
		remote = netip.AddrPort{}
	}
	return Socket{Local: local, Remote: remote, State: state, PID: stat.Pid}, nil
}

// kernelName gives the kernel's name for what other systems and gopsutil's
// own tables call a state.
func kernelName(status string) string {
	switch status {
	case "FIN_WAIT_1": // lsof
		return "FIN_WAIT1"
	case "FIN_WAIT_2":
		return "FIN_WAIT2"
	case "SYN_RCVD", "SYN_RECEIVED":
		return "SYN_RECV"
	case "CLOSED", "DELETE", "":
		return "CLOSE"
	}
	return status
}

func addrPort(a psnet.Addr, family uint32) (netip.AddrPort, error) {
	if a.Port > 65535 {
		return netip.AddrPort{}, fmt.Errorf("port %d of address %q is above 65535", a.Port, a.IP)
	}
	if a.IP == "" || a.IP == "*" { // lsof's "any address", of both families
		all := netip.IPv4Unspecified()
		if family == syscall.AF_INET6 {
			all = netip.IPv6Unspecified()
		}
		return netip.AddrPortFrom(all, uint16(a.Port)), nil
	}
	ip, err := netip.ParseAddr(a.IP)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("address %q: %w", a.IP, err)
	}
	return netip.AddrPortFrom(ip.Unmap().WithZone(""), uint16(a.Port)), nil
}
