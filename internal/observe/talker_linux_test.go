package observe_test

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/observe"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// The test binary is also a client, whose lines on standard input say what to send.
func init() {
	if addr := os.Getenv("TALK_TO"); addr != "" {
		go func() {
			talk(addr)
			os.Exit(0)
		}()
		<-firstThreadEnds
		// Package initialization runs on the first thread.
		_, _, _ = syscall.Syscall(syscall.SYS_EXIT, 0, 0, 0)
	}
}

// firstThreadEnds is closed for the talker's first thread to end.
var firstThreadEnds = make(chan struct{})

// A server answers what has the byte ask, and not what has the byte wait.
const ask, wait = 'a', 'w'

// talk does what each line of standard input says, and says "done".
func talk(addr string) {
	var open, exchanged []net.Conn
	var files []*os.File
	dial := func() net.Conn {
		c, err := net.Dial("tcp", addr)
		must(err)
		open = append(open, c)
		return c
	}
	say := func(c net.Conn, what byte) {
		_, err := c.Write([]byte{what})
		must(err)
	}
	exchange := func(c net.Conn) {
		say(c, ask)
		_, err := c.Read(make([]byte, 1))
		must(err)
	}
	do := map[string]func(n int){
		"fresh":  func(int) { dial() },
		"unread": func(int) { say(dial(), ask) },
		"exchange": func(int) {
			c := dial()
			exchange(c)
			exchanged = append(exchanged, c)
		},
		"brief": func(int) {
			c := dial()
			exchange(c)
			must(c.Close())
		},
		"endThread": func(int) { close(firstThreadEnds) },
		"wait":      func(i int) { say(exchanged[i], wait) },
		"file": func(int) {
			f, err := os.Open(os.DevNull)
			must(err)
			files = append(files, f)
		},
		"swap": func(int) { // a connection for a file
			last := len(exchanged) - 1
			must(exchanged[last].Close())
			exchanged = exchanged[:last]
			f, err := os.Open(os.DevNull)
			must(err)
			files = append(files, f)
		},
	}
	for in := bufio.NewReader(os.Stdin); ; {
		var what string
		var n int
		if _, err := fmt.Fscanln(in, &what, &n); err != nil {
			return
		}
		if what == "long" { // one connection with n exchanges
			c := dial()
			for range n {
				exchange(c)
			}
			must(c.Close())
		}
		for i := range n {
			if do[what] != nil {
				do[what](i)
			}
		}
		fmt.Println("done")
	}
}

func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// startTalker starts a process that talks to addr as its standard input says.
func startTalker(t *testing.T, addr string) (pid int32, do func(what string, n int)) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "TALK_TO="+addr)
	in, out := startPiped(t, cmd)
	said := bufio.NewReader(out)
	return int32(cmd.Process.Pid), func(what string, n int) {
		t.Helper()
		_, err := fmt.Fprintln(in, what, n)
		require.NoError(t, err)
		line, err := said.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "done\n", line)
	}
}

// answer is a server that answers what asks, until its client closes. It tells
// the addresses of its clients in their order.
func answer(t *testing.T) (addr string, port uint16, clients chan netip.AddrPort) {
	t.Helper()
	l, port := listen(t)
	clients = make(chan netip.AddrPort, 1000)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			clients <- netip.MustParseAddrPort(c.RemoteAddr().String())
			go func() {
				defer c.Close()
				for one := make([]byte, 1); ; {
					if _, err := c.Read(one); err != nil {
						return
					}
					if one[0] == ask {
						_, _ = c.Write(one)
					}
				}
			}()
		}
	}()
	return l.Addr().String(), port, clients
}

func sockdiag(t *testing.T) *socketstats.Sockdiag {
	t.Helper()
	d, err := socketstats.OpenSockdiag()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// counted samples until the row of a process will do. It has the newest identity
// that was seen here.
func counted(t *testing.T, w *observe.Watcher, pid int32, enough func(series.SubjectSample) bool) (snap series.Moment, p series.SubjectSample) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Logf("sampled last: %+v", snap.Subjects)
		}
	}()
	var identity *series.Identity
	require.Eventually(t, func() bool {
		var err error
		snap, err = w.Sample(t.Context())
		require.NoError(t, err)
		i := slices.IndexFunc(snap.Subjects, func(s series.SubjectSample) bool { return s.ID == id(pid) })
		if i < 0 {
			return false
		}
		p = snap.Subjects[i]
		if p.Identity != nil {
			identity = p.Identity
		}
		p.Identity = identity
		return enough(p)
	}, time.Minute, 10*time.Millisecond)
	return snap, p
}
