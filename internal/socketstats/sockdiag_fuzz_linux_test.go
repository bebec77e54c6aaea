package socketstats

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// captured is the request number of the captured messages.
const captured = 5

func message(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	require.NoError(t, err)
	return b
}

// littleEndian skips a test of captured messages elsewhere.
func littleEndian(t *testing.T) {
	t.Helper()
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the messages are a little-endian machine's")
	}
}

func TestRowsAreReadFromTheKernelsMessages(t *testing.T) {
	littleEndian(t)
	established := message(t, establishedRow)
	const infoLen = 284 // with its header; it is the last attribute
	at := len(established) - infoLen + attrLen
	binary.NativeEndian.PutUint32(established[at+44:], 70) // since data was sent
	binary.NativeEndian.PutUint32(established[at+52:], 60) // and received
	binary.NativeEndian.PutUint32(established[at+100:], 3) // sent again
	established[headerLen+48] = 7                          // the cookie's upper half
	want := []Socket{
		{
			Local: netip.MustParseAddrPort("[::]:34845"), State: Listen,
			Inode: 20572969, Cookie: 354760, RecvQ: 1, SendQ: 0, Info: &Info{},
		},
		{
			Local: netip.MustParseAddrPort("127.0.0.1:34845"), Remote: netip.MustParseAddrPort("127.0.0.1:53898"),
			State: Established, Inode: 20572971, Cookie: 7<<32 + 354762, RecvQ: 5,
			Info: &Info{RTT: 19 * time.Microsecond, Retransmits: 3, SegmentsIn: 1, Sent: 70 * time.Millisecond, Received: 60 * time.Millisecond},
		},
		{
			Local: netip.MustParseAddrPort("[::1]:37336"), Remote: netip.MustParseAddrPort("[::1]:34845"),
			State: TimeWait, Cookie: 354763, Minisock: true, Unowned: true,
		},
		{
			Local: netip.MustParseAddrPort("127.0.0.1:53928"), Remote: netip.MustParseAddrPort("127.0.0.1:34845"),
			State: SynSent, Inode: 20572975, Cookie: 354766, SendQ: 1, Info: &Info{},
		},
	}
	rows := [][]byte{message(t, listeningRow), established, message(t, timeWaitRow), message(t, synSentRow), message(t, doneMessage)}
	one := slices.Concat(rows...)

	all := diagAnswer{seq: captured, query: Query{Info: true}}
	require.NoError(t, all.add(one))
	require.True(t, all.done)
	require.Equal(t, want, all.sockets)

	// In one read for each message, and with what an earlier request left.
	each := diagAnswer{seq: captured, query: Query{Info: true}}
	older := message(t, doneMessage)
	binary.NativeEndian.PutUint32(older[8:], captured-1)
	for _, row := range rows {
		require.False(t, each.done)
		require.NoError(t, each.add(older))
		require.NoError(t, each.add(row))
	}
	require.True(t, each.done)
	require.Equal(t, want, each.sockets)

	// Told again at the start of the next message, and not wanted any more.
	twice := diagAnswer{seq: captured, query: Query{Info: true}}
	require.NoError(t, twice.add(slices.Concat(rows[:3]...)))
	require.NoError(t, twice.add(slices.Concat(rows[1:]...)))
	require.Equal(t, want, twice.sockets)
	skipped := diagAnswer{seq: captured, skip: true}
	require.NoError(t, skipped.add(one))
	require.True(t, skipped.done)
	require.Empty(t, skipped.sockets)
}

func TestABrokenMessageIsAnError(t *testing.T) {
	littleEndian(t)
	row := message(t, timeWaitRow)
	for name, test := range map[string]struct {
		spoil func([]byte) []byte
		want  string
	}{
		"cut short":                  {func(b []byte) []byte { return b[:len(b)-1] }, "cut short"},
		"a length that is too large": {func(b []byte) []byte { b[0]++; return b }, "cut short"},
		"a length that is too small": {func(b []byte) []byte { b[0] = headerLen - 1; return b }, "cut short"},
		"no whole row":               {func(b []byte) []byte { b[0] = headerLen + rowLen - 4; return b[:b[0]] }, "cut short"},
		"something behind":           {func(b []byte) []byte { return append(b, 1, 2, 3) }, "cut short"},
		"an unknown family":          {func(b []byte) []byte { b[headerLen] = unix.AF_UNIX; return b }, "family 1"},
		"state 0":                    {func(b []byte) []byte { b[headerLen+1] = 0; return b }, "state 0"},
		"a state above all":          {func(b []byte) []byte { b[headerLen+1] = byte(numStates); return b }, "state 12"},
	} {
		t.Run(name, func(t *testing.T) {
			answer := diagAnswer{seq: captured}
			require.ErrorContains(t, answer.add(test.spoil(slices.Clone(row))), test.want)
			require.False(t, answer.done)
		})
	}
	answer := diagAnswer{seq: captured}
	refused := message(t, doneMessage)
	no := -int32(unix.EPERM)
	binary.NativeEndian.PutUint32(refused[headerLen:], uint32(no))
	require.ErrorIs(t, answer.add(refused), syscall.EPERM)
	require.True(t, answer.done)
	refused[0] = headerLen
	require.ErrorIs(t, (&diagAnswer{seq: captured}).add(refused[:headerLen]), errCut, "an end without a status")
}

func FuzzDiagAnswer(f *testing.F) {
	all := listeningRow + establishedRow + timeWaitRow + synSentRow + doneMessage
	for _, text := range []string{
		listeningRow, establishedRow, timeWaitRow, synSentRow, doneMessage, all, listeningRow + listeningRow,
		all[:len(all)-2], all[:400], timeWaitRow + all, "",
	} {
		f.Add(message(f, text), uint32(captured), true, 40)
		f.Add(message(f, text), uint32(captured), false, 1000)
	}
	f.Add(message(f, all), uint32(captured+1), true, 0)
	for _, length := range []byte{0, attrLen - 1, 9, 255} { // of an attribute
		row := message(f, timeWaitRow)
		row[headerLen+rowLen] = length
		f.Add(row, uint32(captured), true, 0)
	}
	f.Fuzz(func(t *testing.T, b []byte, seq uint32, info bool, cut int) {
		if cut < 0 || cut > len(b) {
			cut = len(b)
		}
		// Two reads, of which the second may tell again what the first told.
		answer := diagAnswer{seq: seq, query: Query{Info: info}}
		for _, read := range [][]byte{b[:cut], b} {
			if answer.done {
				break
			}
			before := len(answer.sockets)
			err := answer.add(read)
			require.LessOrEqual(t, len(answer.sockets)-before, len(read)/(headerLen+rowLen))
			if err != nil {
				var errno syscall.Errno
				require.True(t, !answer.done || errors.As(err, &errno) || errors.Is(err, errCut), "%v", err)
				break
			}
		}
		for _, s := range answer.sockets {
			require.True(t, s.Local.IsValid())
			require.False(t, s.Local.Addr().Is4In6() || s.Remote.Addr().Is4In6())
			require.Equal(t, s.State != Listen, s.Remote.IsValid())
			require.Contains(t, States(), s.State)
			require.True(t, info || s.Info == nil)
		}
	})
}
