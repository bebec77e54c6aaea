package errorcatalog

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"
)

// brief is a timeout that is meant to run out.
const brief = 50 * time.Millisecond

// serve starts a listener and hands each connection to what, which closes it or
// leaves that to the end of the test.
func serve(t *testing.T, what func(*net.TCPConn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var conns []net.Conn
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns = append(conns, conn)
			what(conn.(*net.TCPConn))
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
		for _, conn := range conns {
			conn.Close()
		}
	})
	return l.Addr().String()
}

func silent(*net.TCPConn) {}

func fin(conn *net.TCPConn) { conn.Close() }

func rst(conn *net.TCPConn) {
	_ = conn.SetLinger(0)
	conn.Close()
}

// says reads a request, answers with text, and does then.
func says(text string, then func(*net.TCPConn)) func(*net.TCPConn) {
	return func(conn *net.TCPConn) {
		var last [4]byte
		for one := make([]byte, 1); string(last[:]) != "\r\n\r\n"; {
			if _, err := conn.Read(one); err != nil {
				return
			}
			copy(last[:], append(last[1:], one[0]))
		}
		_, _ = io.WriteString(conn, text)
		then(conn)
	}
}

const part = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello"

// get makes one request over a transport of its own, and reads the answer.
func get(t *testing.T, ctx context.Context, url string, change func(*http.Client, *http.Transport)) (*http.Response, error) {
	t.Helper()
	return getAnd(t, ctx, url, change, func() {})
}

// getAnd is get, and does what when the body's first five bytes are here.
func getAnd(t *testing.T, ctx context.Context, url string, change func(*http.Client, *http.Transport), what func()) (*http.Response, error) {
	t.Helper()
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	c := &http.Client{Transport: tr}
	if change != nil {
		change(c, tr)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := c.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	_, err = io.ReadFull(resp.Body, make([]byte, 5))
	if os.IsTimeout(err) {
		return resp, err
	}
	require.NoError(t, err)
	what()
	_, err = io.ReadAll(resp.Body)
	return resp, err
}

// inBody makes a request to a server that stops in the body, with a timeout that leaves
// time for what comes before: it begins again with more where a busy machine needs it.
func inBody(t *testing.T, makeWithin func(timeout time.Duration, url string, arrived func()) (*http.Response, error)) (response, error) {
	t.Helper()
	for timeout := 100 * time.Millisecond; timeout < time.Minute; timeout *= 2 {
		began := false
		resp, err := makeWithin(timeout, stalls(t), func() { began = true })
		if began {
			return resp, err
		}
	}
	t.Fatal("the body's first bytes take more than a minute")
	return nil, nil
}

// dial returns what a dial gives, and closes what it opened.
func dial(ctx context.Context, d net.Dialer, addr string) error {
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err == nil {
		conn.Close()
	}
	return err
}

// connect is a connection to addr that lasts as long as the test.
func connect(t *testing.T, addr string) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn)
}

// bound returns the address of a socket that is bound to loopback and, with a
// backlog of 0 or more, listens.
func bound(t *testing.T, backlog int) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	require.NoError(t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	if backlog >= 0 {
		require.NoError(t, unix.Listen(fd, backlog))
	}
	name, err := unix.Getsockname(fd)
	require.NoError(t, err)
	at := name.(*unix.SockaddrInet4)
	return netip.AddrPortFrom(netip.AddrFrom4(at.Addr), uint16(at.Port)).String()
}

// full returns the address of a listener whose queue is full: the kernel drops
// each SYN.
func full(t *testing.T) string {
	t.Helper()
	addr := bound(t, 0)
	for range 100 {
		conn, err := net.DialTimeout("tcp", addr, brief)
		if err != nil {
			return addr
		}
		t.Cleanup(func() { conn.Close() })
	}
	t.Fatal("the queue takes any number of connections")
	return ""
}

// nameServer starts a name server on loopback that answers each question with
// code and no record, and returns a dialer that asks it and waits for so long. A nil code
// is silence, after which asked is called.
func nameServer(t *testing.T, code *dnsmessage.RCode, asked func(), patience time.Duration) net.Dialer {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	var all sync.WaitGroup
	all.Go(func() {
		for packet := make([]byte, 1500); ; {
			n, from, err := server.ReadFrom(packet)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(packet[:n]) != nil {
				continue
			}
			if code == nil {
				asked()
				continue
			}
			m.Response, m.RecursionAvailable, m.RCode, m.Additionals = true, true, *code, nil
			if answer, err := m.Pack(); err == nil {
				_, _ = server.WriteTo(answer, from)
			}
		}
	})
	t.Cleanup(func() {
		server.Close()
		all.Wait()
	})
	return asking(server.LocalAddr().String(), patience)
}

func asking(server string, patience time.Duration) net.Dialer {
	return net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, "udp", server)
		if err != nil {
			return nil, err
		}
		return resolving{conn.(*net.UDPConn), patience}, nil
	}}}
}

// resolving is a resolver's socket that may have less patience than resolv.conf's 5 s.
type resolving struct {
	*net.UDPConn
	patience time.Duration
}

func (c resolving) SetDeadline(at time.Time) error {
	if soon := time.Now().Add(c.patience); at.After(soon) {
		at = soon
	}
	return c.UDPConn.SetDeadline(at)
}

// netlink asks the kernel for one change, as root of the namespace.
func netlink(t *testing.T, protocol int, kind uint16, flags uint16, body []byte) error {
	t.Helper()
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
	require.NoError(t, err)
	defer unix.Close(fd)
	message := make([]byte, unix.NLMSG_HDRLEN, unix.NLMSG_HDRLEN+len(body))
	binary.NativeEndian.PutUint32(message[0:], uint32(cap(message)))
	binary.NativeEndian.PutUint16(message[4:], kind)
	binary.NativeEndian.PutUint16(message[6:], unix.NLM_F_REQUEST|unix.NLM_F_ACK|flags)
	require.NoError(t, unix.Sendto(fd, append(message, body...), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}))
	answer := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, answer, 0)
	require.NoError(t, err)
	require.GreaterOrEqual(t, n, unix.NLMSG_HDRLEN+4)
	require.EqualValues(t, unix.NLMSG_ERROR, binary.NativeEndian.Uint16(answer[4:]))
	if code := int32(binary.NativeEndian.Uint32(answer[unix.NLMSG_HDRLEN:])); code != 0 {
		return unix.Errno(-code)
	}
	return nil
}

// loopbackUp raises the loopback device of a new namespace.
func loopbackUp(t *testing.T) {
	t.Helper()
	link := make([]byte, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(link[4:], 1) // its index
	binary.NativeEndian.PutUint32(link[8:], unix.IFF_UP)
	binary.NativeEndian.PutUint32(link[12:], unix.IFF_UP)
	require.NoError(t, netlink(t, unix.NETLINK_ROUTE, unix.RTM_NEWLINK, 0, link))
}
