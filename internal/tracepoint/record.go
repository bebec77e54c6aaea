package tracepoint

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"socketlab/internal/socketstats"
)

// The offsets of the fields in a record, in bytes. Numbers are in the machine's byte
// order, addresses in the network's.
const (
	recordAt          = 0  // nanoseconds
	recordSince       = 8  // nanoseconds: when the socket entered the state in recordKnown
	recordSocket      = 16 // struct sock's address
	recordLocal       = 24 // address, 4 or 16 bytes of 16
	recordRemote      = 40
	recordPID         = 56 // 32 bits
	recordFamily      = 60 // 16 bits each from here
	recordFrom        = 62
	recordTo          = 64
	recordLocalPort   = 66
	recordRemotePort  = 68
	recordKnown       = 70 // the state that the socket last entered, as far as was seen; 0 is none
	recordParent      = 72 // 32 bits each from here
	recordGrandparent = 76
	recordNetNS       = 80
	recordError       = 84 // an errno; 0 is none
	recordSize        = 88
)

// The kernel's numbers of the address families, the same on every machine.
const (
	familyIPv4 = 2
	familyIPv6 = 10
)

// decode decodes one record. gap says that a transition is missing between the
// socket's last one and this one.
func decode(record []byte) (t Transition, gap bool, err error) {
	if len(record) != recordSize {
		return Transition{}, false, fmt.Errorf("a record of %d bytes, not %d", len(record), recordSize)
	}
	if t, err = decodeFields(record); err != nil {
		return Transition{}, false, err
	}
	known := binary.NativeEndian.Uint16(record[recordKnown:])
	since := time.Duration(binary.NativeEndian.Uint64(record[recordSince:]))
	switch {
	case known == 0:
	case known != uint16(t.From):
		gap = true
	default:
		t.StateDuration = t.At - since
	}
	return t, gap, nil
}

// decodeFields decodes all fields but StateDuration.
func decodeFields(record []byte) (Transition, error) {
	number, short := binary.NativeEndian.Uint64, binary.NativeEndian.Uint16
	t := Transition{
		At:     time.Duration(number(record[recordAt:])),
		Socket: number(record[recordSocket:]),
		Err:    syscall.Errno(binary.NativeEndian.Uint32(record[recordError:])),
	}
	for at, into := range map[int]*int32{recordPID: &t.PID, recordParent: &t.Parent, recordGrandparent: &t.Grandparent} {
		*into = int32(binary.NativeEndian.Uint32(record[at:]))
	}
	var err error
	if t.From, err = state(short(record[recordFrom:])); err != nil {
		return Transition{}, err
	}
	if t.To, err = state(short(record[recordTo:])); err != nil {
		return Transition{}, err
	}
	family := short(record[recordFamily:])
	if t.Local, err = addrPort(family, record[recordLocal:recordRemote], short(record[recordLocalPort:])); err != nil {
		return Transition{}, err
	}
	if t.Remote, err = addrPort(family, record[recordRemote:recordPID], short(record[recordRemotePort:])); err != nil {
		return Transition{}, err
	}
	// A listener that was connected before may still have that address.
	if t.Remote.Port() == 0 {
		t.Remote = netip.AddrPort{}
	}
	return t, nil
}

// state checks that n is one of the eleven states. TCP_NEW_SYN_RECV is that of
// request sockets, which the tracepoint does not report.
func state(n uint16) (socketstats.State, error) {
	if n < uint16(socketstats.Established) || n > uint16(socketstats.Closing) {
		return 0, fmt.Errorf("a transition with TCP state %d", n)
	}
	return socketstats.State(n), nil
}

func addrPort(family uint16, addr []byte, port uint16) (netip.AddrPort, error) {
	switch family {
	case familyIPv4:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(addr)), port), nil
	case familyIPv6:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(addr)).Unmap(), port), nil
	default:
		return netip.AddrPort{}, fmt.Errorf("a transition of a socket of family %d", family)
	}
}
