package socketstats

import (
	"context"
	"fmt"
	"net/netip"
	"syscall"

	psnet "github.com/shirou/gopsutil/v3/net"
)

// Gopsutil is the portable source, over gopsutil's list of connections:
// /proc/net/tcp and tcp6 on Linux, the tables of iphlpapi.dll on Windows, lsof
// on macOS and the BSDs. It reads the whole system's sockets at every call and
// filters afterwards, so its cost grows with what runs beside us.
//
// The zero Gopsutil is ready to use.
type Gopsutil struct{}

func init() {
	const wholeTable = 100 // of all namespaces' sockets, through text
	register("gopsutil", wholeTable, func() (Source, error) { return Gopsutil{}, nil })
}

// Name returns "gopsutil".
func (Gopsutil) Name() string { return "gopsutil" }

// Close does nothing: between two calls nothing is open.
func (Gopsutil) Close() error { return nil }

// scan lists the sockets that q asks for, as gopsutil gives them.
func (Gopsutil) scan(ctx context.Context, q Query) ([]Socket, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	stats, err := list(ctx, q.Owners)
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
	return sockets, nil
}

func fromStat(stat psnet.ConnectionStat) (Socket, error) {
	local, err := addrPort(stat.Laddr.IP, stat.Laddr.Port, stat.Family == syscall.AF_INET6)
	if err != nil {
		return Socket{}, err
	}
	remote, err := addrPort(stat.Raddr.IP, stat.Raddr.Port, stat.Family == syscall.AF_INET6)
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

func addrPort(host string, port uint32, v6 bool) (netip.AddrPort, error) {
	if port > 65535 {
		return netip.AddrPort{}, fmt.Errorf("port %d of address %q is above 65535", port, host)
	}
	if host == "" || host == "*" { // lsof's "any address", of both families
		all := netip.IPv4Unspecified()
		if v6 {
			all = netip.IPv6Unspecified()
		}
		return netip.AddrPortFrom(all, uint16(port)), nil
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("address %q: %w", host, err)
	}
	return netip.AddrPortFrom(ip.Unmap().WithZone(""), uint16(port)), nil
}
