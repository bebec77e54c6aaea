package socketstats

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What lsof 4.91 writes on macOS. This is made after lsof's manual and its
// source (print.c, dialects/darwin), and was not recorded there.
const lsofOnMac = `p501
f7
tIPv4
d0x2eddb902b289fa31
PTCP
n127.0.0.1:8080
TST=LISTEN
TQR=0
TQS=0
f8
tIPv4
d0x2eddb902a91a84c1
PTCP
n127.0.0.1:8080->127.0.0.1:64030
TST=CLOSE_WAIT
f9
tIPv4
d0x2eddb902a91a84c2
PTCP
n*:*
TST=CLOSED
f10
tIPv6
d0x2eddb902a91a84c3
PTCP
n*:8081
TST=LISTEN
f11
tIPv6
d0x2eddb902a91a84c4
PTCP
n[::1]:8081->[::1]:64031
TST=ESTABLISHED
p400
f3
tIPv4
d0x2eddb902b289fa31
PTCP
n127.0.0.1:8080
TST=LISTEN
f4
tIPv4
d0x2eddb902b289fa32
PTCP
n127.0.0.1:8080
TST=LISTEN
p777
f22
tIPv4
d0x2eddb902ae36cf51
PTCP
n127.0.0.1:64030->127.0.0.1:8080
TST=FIN_WAIT_2
f23
tIPv4
d0x2eddb902ae36cf51
PTCP
n127.0.0.1:64030->127.0.0.1:8080
TST=FIN_WAIT_2
f24
tIPv6
d0x2eddb902ae36cf52
PTCP
n[::1]:64031->[::1]:8081
TST=SYN_SENT
f25
tIPv4
d0x2eddb902ae36cf53
PUDP
n127.0.0.1:53
`

func TestLsofListsDescriptorsAndWeListSockets(t *testing.T) {
	sockets, err := parseLsof(lsofOnMac)
	require.NoError(t, err)
	var got []string
	for _, s := range sockets {
		got = append(got, fmt.Sprintf("%s %s %s %d", s.Local, s.Remote, s.State, s.PID))
	}
	require.Equal(t, []string{
		"127.0.0.1:8080 invalid AddrPort LISTEN 400", // two processes have it
		"127.0.0.1:8080 127.0.0.1:64030 CLOSE_WAIT 501",
		"[::]:8081 invalid AddrPort LISTEN 501",
		"[::1]:8081 [::1]:64031 ESTABLISHED 501",
		"127.0.0.1:8080 invalid AddrPort LISTEN 400",   // a second one, on the same address
		"127.0.0.1:64030 127.0.0.1:8080 FIN_WAIT2 777", // one process has it twice
		"[::1]:64031 [::1]:8081 SYN_SENT 777",
	}, got)
}

func TestWhatLsofDoesNotWriteIsAnError(t *testing.T) {
	none, err := parseLsof("")
	require.NoError(t, err)
	require.Empty(t, none)

	good := "p1\nf3\ntIPv4\nd1\nPTCP\nn127.0.0.1:80->127.0.0.1:4000\nTST=ESTABLISHED\n"
	_, err = parseLsof(good)
	require.NoError(t, err)
	for name, test := range map[string]struct{ old, bad, want string }{
		"no process":     {"p1\n", "", `"f3" stands before the first process`},
		"process id":     {"p1\n", "pone\n", `process id "one" is not a number`},
		"no state":       {"TST=ESTABLISHED\n", "TQR=0\n", "descriptor 3 of process 1: lsof does not say in which state it is"},
		"unknown state":  {"ESTABLISHED", "NONE", `unknown TCP state "NONE"`},
		"port by name":   {":80-", ":http-", `port "http" of address "127.0.0.1:http" is not a number`},
		"port too large": {":4000", ":65536", `port "65536"`},
		"host by name":   {"n127.0.0.1:80", "nlocalhost:80", `address "localhost"`},
		"cut short":      {"->127.0.0.1:4000", "->", "missing port"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, good, test.old)
			sockets, err := parseLsof(strings.Replace(good, test.old, test.bad, 1))
			require.ErrorContains(t, err, test.want)
			require.Nil(t, sockets)
		})
	}
}
