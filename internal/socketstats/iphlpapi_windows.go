package socketstats

import (
	"context"
	"fmt"
	"math/bits"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Iphlpapi is the source of Windows: the tables of the IP Helper library
// (iphlpapi.dll), of both families, with every state. A socket in TIME_WAIT has
// no owner.
//
// The tables with owners are asked for only where a query wants owners. Under
// Wine they take fifty times as long: Wine looks for each socket among the
// descriptors of all processes. A call into the library cannot be cancelled.
//
// The zero Iphlpapi is ready to use.
type Iphlpapi struct{}

func init() {
	const table = 50 // of the whole system, but without owners where nobody asks
	register("iphlpapi", table, func() (Source, error) { return Iphlpapi{}, nil })
}

// Close does nothing: nothing is open between two calls.
func (Iphlpapi) Close() error { return nil }

// Name returns "iphlpapi".
func (Iphlpapi) Name() string { return "iphlpapi" }

// UnsupportedStates implements [Source]: Windows lists every state.
func (Iphlpapi) UnsupportedStates() []State { return nil }

// Sockets implements [Source].
func (Iphlpapi) Sockets(ctx context.Context, q Query) ([]Socket, error) {
	sockets := q.room(0)
	for _, table := range []func(Query, []Socket) ([]Socket, error){tcp4, tcp6} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var err error
		if sockets, err = table(q, sockets); err != nil {
			return nil, fmt.Errorf("list TCP sockets through iphlpapi.dll: %w", err)
		}
	}
	return sockets, nil
}

func tcp4(q Query, into []Socket) ([]Socket, error) {
	if q.Owners {
		return addRows(into, q, extendedTable(windows.AF_INET), (*tcp4RowOwner).socket)
	}
	return addRows(into, q, table(getTCPTable), (*tcp4Row).socket)
}

func tcp6(q Query, into []Socket) ([]Socket, error) {
	if q.Owners {
		return addRows(into, q, extendedTable(windows.AF_INET6), (*tcp6RowOwner).socket)
	}
	return addRows(into, q, table(getTCP6Table), (*tcp6Row).socket)
}

// The rows of the tables (tcpmib.h). Addresses are in network byte order, and so
// are ports, in the lower half of their word.
type (
	tcp4Row struct { // MIB_TCPROW
		state         uint32
		local, remote tcp4End
	}
	tcp4RowOwner struct { // MIB_TCPROW_OWNER_PID
		tcp4Row
		pid uint32
	}
	tcp4End struct {
		addr [4]byte
		port uint32
	}
	tcp6Row struct { // MIB_TCP6ROW
		state         uint32
		local, remote tcp6End
	}
	tcp6RowOwner struct { // MIB_TCP6ROW_OWNER_PID
		local, remote tcp6End
		state, pid    uint32
	}
	tcp6End struct {
		addr        [16]byte
		scope, port uint32
	}
)

func (e tcp4End) addrPort() netip.AddrPort { return endAt(netip.AddrFrom4(e.addr), e.port) }

func (e tcp6End) addrPort() netip.AddrPort { return endAt(netip.AddrFrom16(e.addr).Unmap(), e.port) }

func endAt(addr netip.Addr, port uint32) netip.AddrPort {
	return netip.AddrPortFrom(addr, bits.ReverseBytes16(uint16(port)))
}

func (r *tcp4Row) socket() (Socket, error) {
	return rowSocket(r.state, r.local.addrPort(), r.remote.addrPort(), 0)
}

func (r *tcp4RowOwner) socket() (Socket, error) {
	return rowSocket(r.state, r.local.addrPort(), r.remote.addrPort(), r.pid)
}

func (r *tcp6Row) socket() (Socket, error) {
	return rowSocket(r.state, r.local.addrPort(), r.remote.addrPort(), 0)
}

func (r *tcp6RowOwner) socket() (Socket, error) {
	return rowSocket(r.state, r.local.addrPort(), r.remote.addrPort(), r.pid)
}

// tcpStates are the states by their number here (MIB_TCP_STATE, tcpmib.h). The
// last one is of a socket whose record is about to be deleted.
var tcpStates = [...]State{
	1: Close, Listen, SynSent, SynRecv, Established, FinWait1, FinWait2, CloseWait, Closing, LastAck, TimeWait, Close,
}

func rowSocket(state uint32, local, remote netip.AddrPort, pid uint32) (Socket, error) {
	if state == 0 || int(state) >= len(tcpStates) {
		return Socket{}, fmt.Errorf("unknown TCP state %d", state)
	}
	s := Socket{Local: local, Remote: remote, State: tcpStates[state], PID: int32(pid)}
	if s.State == Listen {
		s.Remote = netip.AddrPort{}
	}
	return s, nil
}

var (
	iphlpapi            = windows.NewLazySystemDLL("iphlpapi.dll")
	getTCPTable         = iphlpapi.NewProc("GetTcpTable")
	getTCP6Table        = iphlpapi.NewProc("GetTcp6Table")
	getExtendedTCPTable = iphlpapi.NewProc("GetExtendedTcpTable")
)

// fill writes a table into buf, which is size bytes long. If that is too small
// it sets size to what is needed, and returns ERROR_INSUFFICIENT_BUFFER.
type fill func(buf unsafe.Pointer, size *uint32) syscall.Errno

func table(proc *windows.LazyProc) fill {
	return func(buf unsafe.Pointer, size *uint32) syscall.Errno {
		r, _, _ := proc.Call(uintptr(buf), uintptr(unsafe.Pointer(size)), 0)
		return syscall.Errno(r)
	}
}

func extendedTable(family uintptr) fill {
	const ownerPIDAll = 5 // TCP_TABLE_OWNER_PID_ALL in iprtrmib.h
	return func(buf unsafe.Pointer, size *uint32) syscall.Errno {
		r, _, _ := getExtendedTCPTable.Call(uintptr(buf), uintptr(unsafe.Pointer(size)), 0, family, ownerPIDAll, 0)
		return syscall.Errno(r)
	}
}

// tableTries bounds how often a table is asked for again because it has grown
// meanwhile.
const tableTries = 10

// addRows adds the sockets of a table that q asks for. A table is a 32-bit
// number of rows, and the rows.
func addRows[Row any](into []Socket, q Query, fill fill, socket func(*Row) (Socket, error)) ([]Socket, error) {
	const rows = 500 // room for the first try
	size := uint32(rows * unsafe.Sizeof(*new(Row)))
	for range tableTries {
		words := make([]uint32, (size+7)/4)
		switch err := fill(unsafe.Pointer(&words[0]), &size); err {
		case windows.ERROR_SUCCESS:
		case windows.ERROR_INSUFFICIENT_BUFFER:
			size += size / 4
			continue
		case windows.ERROR_NOT_SUPPORTED: // the system does not have this family
			return into, nil
		default:
			return nil, err
		}
		n := words[0]
		table := unsafe.Slice((*Row)(unsafe.Pointer(&words[1])), n)
		for i := range table {
			s, err := socket(&table[i])
			if err != nil {
				return nil, err
			}
			s.PID = q.owner(s.PID)
			if q.wants(s) {
				into = append(into, s)
			}
		}
		return into, nil
	}
	return nil, fmt.Errorf("the table grew in each of %d tries", tableTries)
}
