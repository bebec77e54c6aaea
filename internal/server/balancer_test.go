package server

import (
	"bufio"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
)

// upstreams starts servers, and a balancer before them.
func upstreams(t *testing.T, b scenario.Server, n int) (balancer *running, servers []*running) {
	t.Helper()
	var addrs []string
	for range n {
		server := start(t, b)
		servers = append(servers, server)
		addrs = append(addrs, server.addr)
	}
	balancer = start(t, scenario.Server{Protocol: "balancer"}, func(c *Config) { c.Peers = peers(addrs...) })
	return balancer, servers
}

func TestBalancerPassesConnectionsOnInTurn(t *testing.T) {
	t.Parallel()
	balancer, servers := upstreams(t, scenario.Server{}.With(BodyKey.Is(1<<20)), 3)
	for range 6 {
		c, url := balancer.client(t)
		for range 2 {
			_, body, err := fetch(c, url)
			require.NoError(t, err)
			require.Len(t, body, 1<<20)
		}
		c.CloseIdleConnections()
	}
	for _, server := range servers {
		server.served(t, Served{Received: 4, Answered: 4, Reused: 2, Accepted: 2})
	}
	balancer.served(t, Served{Accepted: 6})
}

func TestBalancerPassesOnBrokenAnswers(t *testing.T) {
	t.Parallel()
	for way, want := range map[string]error{
		wayClose: io.EOF, wayReset: syscall.ECONNRESET,
		wayCut: io.ErrUnexpectedEOF, wayCutReset: syscall.ECONNRESET,
	} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			balancer, _ := upstreams(t, faulty("http", way), 1)
			_, _, err := fetch(balancer.http, "http://"+balancer.addr)
			require.ErrorIs(t, err, want)
		})
	}
}

// played is a balancer before a server that the test plays by hand.
func played(t *testing.T) (client, server *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	balancer := start(t, scenario.Server{Protocol: "balancer"}, func(c *Config) { c.Peers = peers(l.Addr().String()) })
	client = balancer.dial(t).(*net.TCPConn)
	conn, err := l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return client, conn.(*net.TCPConn)
}

func TestBalancerPassesOnHowAConnectionEnds(t *testing.T) {
	t.Parallel()
	ends := map[string]func(t *testing.T) (one, other *net.TCPConn){
		"the client's": played,
		"the server's": func(t *testing.T) (one, other *net.TCPConn) { client, server := played(t); return server, client },
	}
	for whose, ends := range ends {
		t.Run("half-close, "+whose, func(t *testing.T) {
			t.Parallel()
			one, other := ends(t)
			send(t, one, "all of it")
			require.NoError(t, one.CloseWrite())
			got, err := io.ReadAll(other)
			require.NoError(t, err)
			require.Equal(t, "all of it", string(got))
			send(t, other, "and back\n")
			line, err := bufio.NewReader(one).ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, "and back\n", line)
			require.NoError(t, other.CloseWrite())
			_, err = one.Read(make([]byte, 1))
			require.Equal(t, io.EOF, err)
		})
		t.Run("reset, "+whose, func(t *testing.T) {
			t.Parallel()
			one, other := ends(t)
			send(t, one, "x")
			_, err := io.ReadFull(other, make([]byte, 1))
			require.NoError(t, err)
			require.NoError(t, one.SetLinger(0))
			require.NoError(t, one.Close())
			_, err = other.Read(make([]byte, 1))
			require.ErrorIs(t, err, syscall.ECONNRESET)
		})
	}
}

func TestBalancerBeforeNobodyClosesTheConnection(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l.Close()
	balancer := start(t, scenario.Server{Protocol: "balancer"}, func(c *Config) { c.Peers = peers(l.Addr().String()) })
	_, err = io.ReadAll(balancer.dial(t))
	require.NoError(t, err)
	require.Len(t, balancer.log.lines(t, "cannot pass a connection on"), 1)
}

func TestBalancerThatGoesDownTakesItsConnectionsAlong(t *testing.T) {
	t.Parallel()
	server := start(t, scenario.Server{}.With(NoResponseKey.Is(true)))
	balancer := start(t, scenario.Server{Protocol: "balancer"}.With(DownAfterKey.Is(seconds(0.2))), func(c *Config) { c.Peers = peers(server.addr) })
	conn := balancer.dial(t)
	send(t, conn, request)
	server.working(t, 1)
	_, err := io.ReadAll(conn)
	require.NoError(t, err)
	server.served(t, Served{Received: 1, Left: 1, Accepted: 1})
	eventually(t, "it is back", func() bool { return !isRefused(balancer.addr)() })
}

func TestBalancerStops(t *testing.T) {
	t.Parallel()
	balancer, servers := upstreams(t, scenario.Server{}.With(NoResponseKey.Is(true)), 1)
	conn := balancer.dial(t)
	send(t, conn, request)
	servers[0].working(t, 1)
	require.NoError(t, balancer.stop())
	_, err := io.ReadAll(conn)
	require.NoError(t, err)
	servers[0].working(t, 0)
}

func TestBalancerNeedsServersAndKnowsNothingOfRequests(t *testing.T) {
	t.Parallel()
	b := scenario.Server{Protocol: "balancer"}
	require.ErrorContains(t, start(t, b).stop(), "needs upstreams")
	require.ErrorContains(t, b.With(WorkersKey.Is(1)).CheckFlags(), "--workers is for --protocol http")
}
