package observe

import (
	"bufio"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// Servers as people run them. A line of each names the port, or it is given one.
func TestRealServersAreKnownToTheirClients(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ program, pkg, name string }{{"node", "nodejs", "Node"}, {"nginx", "nginx", "nginx"}} {
		t.Run(c.program, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(c.program); err != nil {
				t.Skip("install " + c.pkg)
			}
			addr := serve(t, c.program)
			var client net.Conn
			// An answer, and no connection alone: a process that another test starts may hold
			// the listener by which the port was found until it is that other program.
			require.Eventually(t, func() bool {
				c, err := net.Dial("tcp", addr)
				if err != nil {
					return false
				}
				_ = c.SetDeadline(time.Now().Add(10 * time.Second))
				_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: here\r\n\r\n")
				if _, err := c.Read(make([]byte, 1)); err != nil {
					c.Close()
					return false
				}
				client = c
				return true
			}, time.Minute, 50*time.Millisecond)
			defer client.Close()
			source, err := socketstats.OpenSource(socketstats.Auto)
			require.NoError(t, err)
			defer source.Close()
			sockets, err := source.Sockets(t.Context(), socketstats.Query{})
			require.NoError(t, err)
			me := int32(os.Getpid())
			local, remote := netip.MustParseAddrPort(client.LocalAddr().String()), netip.MustParseAddrPort(addr)
			p := newPrograms()
			p.see(0, sockets, func(s *socketstats.Socket) (int32, socketstats.End, bool) {
				// The same port may be that of a connection to somewhere else, too.
				return me, socketstats.Client, s.Local == local && s.Remote == remote
			}, func(pid int32) int32 { return pid })
			id := series.Identity{PID: me}
			p.describe(&id, id.PID)
			require.Equal(t, c.name, id.Peer)
		})
	}
}

// serve starts a server of this name on loopback and returns its address.
func serve(t *testing.T, program string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, "-e", "const s = require('http').createServer((q, r) => r.end('ok')); s.listen(0, '127.0.0.1', () => console.log(s.address().port))")
	port := ""
	if program == "nginx" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		_, port, _ = net.SplitHostPort(l.Addr().String())
		require.NoError(t, l.Close())
		dir := t.TempDir()
		file := filepath.Join(dir, "nginx.conf")
		require.NoError(t, os.WriteFile(file, []byte("daemon off; master_process off; pid "+dir+"/pid; error_log stderr;\n"+
			"events {} http { access_log off; server { listen 127.0.0.1:"+port+"; } }\n"), 0o600))
		cmd = exec.CommandContext(t.Context(), program, "-c", file, "-p", dir)
	}
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if port == "" {
		line, err := bufio.NewReader(out).ReadString('\n')
		require.NoError(t, err)
		port = strings.TrimSpace(line)
	}
	return "127.0.0.1:" + port
}
