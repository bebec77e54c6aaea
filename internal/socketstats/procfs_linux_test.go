package socketstats

import (
	"encoding/binary"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Both in the form of a little-endian Linux 6.18.
const (
	procNetTCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 80752 1 0000000000000000 100 0 0 10 0                     
   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 80753 1 0000000000000000 100 0 0 10 0                     
   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1204 1 0000000000000000 100 0 0 10 5                      
   3: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 0 1 0000000000000000 20 0 0 10 -1                         
   4: 0100007F:9C41 0100007F:1F90 06 00000000:00000000 03:00001699 00000000     0        0 0 3 0000000000000000                                      
`
	procNetTCP6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:1F91 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 91 1 0000000000000000 100 0 0 10 0
   1: 00000000000000000000000001000000:1F92 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 92 1 0000000000000000 100 0 0 10 0
   2: 0000000000000000FFFF00000100007F:1F93 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 93 1 0000000000000000 100 0 0 10 0
   3: B80D0120000000000000000001000000:01BB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 94 1 0000000000000000 100 0 0 10 0
   4: 0000000000000000FFFF00000100007F:1F91 0000000000000000FFFF00000100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 0 1 0000000000000000 20 0 0 10 -1
`
)

func TestTheKernelsTextIsRead(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the text is a little-endian machine's")
	}
	for name, test := range map[string]struct {
		text string
		want []Socket
	}{
		"IPv4": {procNetTCP, []Socket{
			{Local: netip.MustParseAddrPort("127.0.0.1:8080"), State: Listen, Inode: 80752},
			{Local: netip.MustParseAddrPort("127.0.0.1:8080"), State: Listen, UID: 1000, Inode: 80753},
			{Local: netip.MustParseAddrPort("0.0.0.0:22"), State: Listen, Inode: 1204},
			{Local: netip.MustParseAddrPort("127.0.0.1:8080"), Remote: netip.MustParseAddrPort("127.0.0.1:40000"), State: Established, Unowned: true},
			{Local: netip.MustParseAddrPort("127.0.0.1:40001"), Remote: netip.MustParseAddrPort("127.0.0.1:8080"), State: TimeWait, Unowned: true},
		}},
		"IPv6": {procNetTCP6, []Socket{
			{Local: netip.MustParseAddrPort("[::]:8081"), State: Listen, Inode: 91},
			{Local: netip.MustParseAddrPort("[::1]:8082"), State: Listen, Inode: 92},
			{Local: netip.MustParseAddrPort("127.0.0.1:8083"), State: Listen, Inode: 93},
			{Local: netip.MustParseAddrPort("[2001:db8::1]:443"), State: Listen, Inode: 94},
			{Local: netip.MustParseAddrPort("127.0.0.1:8081"), Remote: netip.MustParseAddrPort("127.0.0.1:40000"), State: Established, Unowned: true},
		}},
		"headings alone": {strings.SplitAfter(procNetTCP, "\n")[0], nil},
		"nothing":        {"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			rows, err := rowsOf(test.text)
			require.NoError(t, err)
			require.Equal(t, test.want, rows)
		})
	}
}

// rowsOf are all rows of a table; nil where one cannot be read.
func rowsOf(text string) (rows []Socket, err error) {
	err = parseTable(strings.NewReader(text), func(s Socket) bool {
		rows = append(rows, s)
		return true
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// The kernel writes the listeners first: nothing behind them is read.
func TestListenersAreReadAlone(t *testing.T) {
	dir := t.TempDir()
	lines := strings.SplitAfter(procNetTCP, "\n")
	established := strings.Replace(lines[1], " 0A ", " 01 ", 1)
	for name, rows := range map[string]string{"tcp": lines[0] + lines[1] + established + "what is behind", "tcp6": procNetTCP6} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(rows), 0o644))
	}
	got, err := readListeners(dir)
	require.NoError(t, err)
	first, err := rowsOf(lines[0] + lines[1])
	require.NoError(t, err)
	second, err := rowsOf(procNetTCP6)
	require.NoError(t, err)
	want := first
	for _, s := range second {
		if s.State != Listen {
			break
		}
		want = append(want, s)
	}
	require.Greater(t, len(want), 1)
	require.Equal(t, want, got)
}

func TestABrokenTableIsAnError(t *testing.T) {
	row := strings.SplitAfter(procNetTCP, "\n")[1]
	_, err := rowsOf(row)
	require.NoError(t, err)
	for name, test := range map[string]struct{ old, new, want string }{
		"an address that is not hex":     {"0100007F", "0100007G", "0100007G"},
		"an address cut short":           {"0100007F", "010000", "010000"},
		"an address of a strange length": {"0100007F", "0100007F0100007F", "0100007F0100007F"},
		"no address":                     {"0100007F:", ":", ":1F90"},
		"no port":                        {":1F90", "", "0100007F"},
		"a port above 65535":             {":1F90", ":11F90", ":11F90"},
		"an inode that is no number":     {"80752", "8075x", "8075x"},
		"a state of no protocol":         {" 0A ", " 0E ", "0E"},
		"a queue that is no number":      {"00000000:00000000", "0000000g:00000000", "a number that is none"},
		"a row cut short":                {row[strings.Index(row, "  0 80752"):], "", "0100007F:1F90"},
		"a line without end":             {"\n", strings.Repeat(" ", 1<<20), "too long"},
	} {
		t.Run(name, func(t *testing.T) {
			broken := strings.Replace(row, test.old, test.new, 1)
			require.NotEqual(t, row, broken)
			rows, err := rowsOf(broken)
			require.ErrorContains(t, err, test.want)
			require.Nil(t, rows)
		})
	}
}

func FuzzParseTable(f *testing.F) {
	f.Add(procNetTCP)
	f.Add(procNetTCP6)
	f.Add("")
	f.Add("0: : : 0A 0 0 0 0 0 0")
	f.Add("0: 0100007F:1F90 0 0A 0 0 0 0 0 18446744073709551616")
	f.Add("0: 0100007F:1F90:1F90 0 0A 0 0 0 0 0 1\n\n\x00")
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := rowsOf(text)
		if err != nil {
			require.Nil(t, rows, "what cannot be read is an error, never a shorter list")
		}
		for _, row := range rows {
			require.True(t, row.Local.IsValid())
			require.False(t, row.Local.Addr().Is4In6())
		}
	})
}

func FuzzParseHexAddr(f *testing.F) {
	for _, text := range []string{
		"0100007F:1F90", "00000000000000000000000001000000:1F92", "0000000000000000FFFF00000100007F:1F93",
		"0100007F", "0100007F:", ":1F90", "0100007F:1F90:1F90", "010000:1", "0100007f:ffff", "0100007F:10000", "",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		addr, err := parseHexAddr(text)
		if err != nil {
			require.Zero(t, addr)
			require.ErrorContains(t, err, "address")
			return
		}
		require.True(t, addr.IsValid())
		require.False(t, addr.Addr().Is4In6())
		host, port, _ := strings.Cut(text, ":")
		require.Contains(t, []int{8, 32}, len(host))
		n, err := strconv.ParseUint(port, 16, 64)
		require.NoError(t, err)
		require.Equal(t, n, uint64(addr.Port()))
	})
}
