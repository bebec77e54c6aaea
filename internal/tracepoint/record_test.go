package tracepoint

import (
	"encoding/binary"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
)

// encode writes a record as the kernel's half does.
func encode(t Transition, family uint16, since time.Duration, known socketstats.State, local, remote []byte) []byte {
	record := make([]byte, recordSize)
	number, short := binary.NativeEndian.PutUint64, binary.NativeEndian.PutUint16
	number(record[recordAt:], uint64(t.At))
	number(record[recordSince:], uint64(since))
	number(record[recordSocket:], t.Socket)
	copy(record[recordLocal:], local)
	copy(record[recordRemote:], remote)
	for at, pid := range map[int]int32{recordPID: t.PID, recordParent: t.Parent, recordGrandparent: t.Grandparent} {
		binary.NativeEndian.PutUint32(record[at:], uint32(pid))
	}
	binary.NativeEndian.PutUint32(record[recordError:], uint32(t.Err))
	short(record[recordFamily:], family)
	short(record[recordFrom:], uint16(t.From))
	short(record[recordTo:], uint16(t.To))
	short(record[recordKnown:], uint16(known))
	short(record[recordLocalPort:], t.Local.Port())
	short(record[recordRemotePort:], t.Remote.Port())
	return record
}

type decoded struct {
	record []byte
	want   Transition
	gap    bool
}

// records are one of each kind, with what they mean.
func records() map[string]decoded {
	four := Transition{
		At: 5 * time.Second, StateDuration: 3 * time.Second, Socket: 0xffff888012345678, PID: 4242, Parent: 4241, Grandparent: 1,
		Local: netip.MustParseAddrPort("127.0.0.1:40000"), Remote: netip.MustParseAddrPort("192.0.2.1:80"),
		From: socketstats.Established, To: socketstats.FinWait1,
	}
	six, mapped, listener, late := four, four, four, four
	late.StateDuration = 0
	six.Err = syscall.ECONNREFUSED
	six.Local, six.Remote = netip.MustParseAddrPort("[::1]:40000"), netip.MustParseAddrPort("[2001:db8::1]:80")
	listener.Remote, listener.PID, listener.StateDuration = netip.AddrPort{}, 0, 0
	listener.From, listener.To = socketstats.Close, socketstats.Listen
	bytes := func(a netip.AddrPort) []byte { return a.Addr().AsSlice() }
	mappedBytes := func(a netip.AddrPort) []byte { b := a.Addr().As16(); return b[:] }
	return map[string]decoded{
		"IPv4": {encode(four, familyIPv4, 2*time.Second, four.From, bytes(four.Local), bytes(four.Remote)), four, false},
		"IPv6": {encode(six, familyIPv6, 2*time.Second, four.From, bytes(six.Local), bytes(six.Remote)), six, false},
		"IPv4 mapped into IPv6": {
			encode(mapped, familyIPv6, 2*time.Second, four.From, mappedBytes(mapped.Local), mappedBytes(mapped.Remote)), mapped, false,
		},
		"a listener, once connected": {
			encode(listener, familyIPv4, 0, 0, bytes(listener.Local), bytes(four.Remote)), listener, false,
		},
		"what came before is missing": {
			encode(four, familyIPv4, 2*time.Second, socketstats.SynSent, bytes(four.Local), bytes(four.Remote)), late, true,
		},
	}
}

func TestARecordIsRead(t *testing.T) {
	for name, test := range records() {
		t.Run(name, func(t *testing.T) {
			got, gap, err := decode(test.record)
			require.NoError(t, err)
			require.Equal(t, test.want, got)
			require.Equal(t, test.gap, gap)
		})
	}
}

func TestABrokenRecordIsAnError(t *testing.T) {
	spoilt := func(at int, value uint16) []byte {
		record := records()["IPv4"].record
		binary.NativeEndian.PutUint16(record[at:], value)
		return record
	}
	good := records()["IPv4"].record
	for name, test := range map[string]struct {
		record []byte
		says   string
	}{
		"nothing":             {nil, "0 bytes"},
		"too short":           {good[:recordSize-1], "87 bytes"},
		"too long":            {append(good, 0), "89 bytes"},
		"from no state":       {spoilt(recordFrom, 0), "state 0"},
		"to a request socket": {spoilt(recordTo, 12), "state 12"},
		"another family":      {spoilt(recordFamily, 1), "family 1"},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := decode(test.record)
			require.ErrorContains(t, err, test.says)
			require.Zero(t, got)
		})
	}
}

func FuzzDecode(f *testing.F) {
	for _, test := range records() {
		f.Add(test.record)
		f.Add(test.record[:recordSize/2])
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, record []byte) {
		got, _, err := decode(record)
		if err != nil {
			require.Zero(t, got)
			return
		}
		require.Len(t, record, recordSize)
		for _, s := range []socketstats.State{got.From, got.To} {
			_, err := socketstats.ParseState(s.String())
			require.NoError(t, err)
		}
		require.True(t, got.Local.IsValid())
		require.False(t, got.Local.Addr().Is4In6() || got.Remote.Addr().Is4In6())
		require.Equal(t, got.Remote.Port() != 0, got.Remote.IsValid())
	})
}
