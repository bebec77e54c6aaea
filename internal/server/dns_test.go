package server

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"socketlab/internal/scenario"
)

// named are the servers that a name server of these tests knows.
var named = []Peer{{"first", "127.0.0.1:8081"}, {"second", "127.0.0.1:8082"}}

func newNameServer(resolve ...Resolve) *Server {
	return New(Config{Behaviour: scenario.Server{Name: "names", Protocol: "dns"}.With(ResolveKey.Is(resolve)), Peers: named})
}

// resolving starts a name server, and returns a resolver that asks nobody else.
func resolving(t *testing.T, resolve ...Resolve) (*Server, *net.Resolver) {
	t.Helper()
	server := newNameServer(resolve...)
	socket, err := Listen("127.0.0.1:0", server.cfg.Behaviour)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, socket) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-served)
	})
	return server, &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", socket.Addr().String())
	}}
}

func to(name string) Resolve { return Resolve{To: name} }

func now(s *Server) string { return s.speaks.(*nameServer).now() }

func TestAddressOfAServer(t *testing.T) {
	server, resolver := resolving(t, to("first"))
	for _, name := range []string{"shop.test.", "anything.at.all."} {
		ips, err := resolver.LookupIP(context.Background(), "ip4", name)
		require.NoError(t, err)
		require.Len(t, ips, 1)
		require.Equal(t, "127.0.0.1", ips[0].String())
	}
	require.EqualValues(t, 2, server.Served().Received)

	addrs, err := resolver.LookupHost(context.Background(), "shop.test.")
	require.NoError(t, err, "that there is no address in IPv6 is no error")
	require.Equal(t, []string{"127.0.0.1"}, addrs)
	require.EqualValues(t, 4, server.Served().Received, "A and AAAA")

	_, err = resolver.LookupIP(context.Background(), "ip6", "shop.test.")
	notFound(t, err)
	_, err = resolver.LookupTXT(context.Background(), "shop.test.")
	notFound(t, err)
}

func TestPortOfAServer(t *testing.T) {
	_, resolver := resolving(t, to("second"))
	_, records, err := resolver.LookupSRV(context.Background(), "http", "tcp", "shop.test.")
	require.NoError(t, err)
	require.Equal(t, []*net.SRV{{Target: "second.test.", Port: 8082}}, records)
	ips, err := resolver.LookupIP(context.Background(), "ip4", records[0].Target)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1", ips[0].String())
}

func TestPortThatIsNotKnownIsAServersFailure(t *testing.T) {
	_, resolver := resolving(t, to("third"))
	_, _, err := resolver.LookupSRV(context.Background(), "", "", "shop.test.")
	var dns *net.DNSError
	require.ErrorAs(t, err, &dns)
	require.True(t, dns.IsTemporary)
}

func notFound(t *testing.T, err error) {
	t.Helper()
	var dns *net.DNSError
	require.ErrorAs(t, err, &dns)
	require.True(t, dns.IsNotFound)
	require.False(t, dns.IsTemporary)
}

func TestNoSuchName(t *testing.T) {
	for _, answer := range []string{nxDomain, empty} {
		t.Run(answer, func(t *testing.T) {
			server, resolver := resolving(t, to(answer))
			_, err := resolver.LookupIP(context.Background(), "ip4", "shop.test.")
			notFound(t, err)
			require.EqualValues(t, 1, server.Served().Received, "it is believed at once")
		})
	}
}

func TestTrouble(t *testing.T) {
	for _, answer := range []string{servFail, refused} {
		t.Run(answer, func(t *testing.T) {
			server, resolver := resolving(t, to(answer))
			_, err := resolver.LookupIP(context.Background(), "ip4", "shop.test.")
			var dns *net.DNSError
			require.ErrorAs(t, err, &dns)
			require.False(t, dns.IsNotFound)
			require.False(t, dns.IsTimeout)
			require.Equal(t, "server misbehaving", dns.Err)
			require.Positive(t, server.Served().Received)
		})
	}
}

func TestSilence(t *testing.T) {
	server, resolver := resolving(t, to(silent))
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	_, err := resolver.LookupIP(ctx, "ip4", "shop.test.")
	var dns *net.DNSError
	require.ErrorAs(t, err, &dns)
	require.True(t, dns.IsTimeout)
	require.EqualValues(t, 1, server.Served().Received)
}

// In the bubble time is exact. The clock begins with the first query.
func TestAnswersFollowOneAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		second := scenario.Duration(time.Second)
		server := newNameServer(Resolve{"first", second}, Resolve{nxDomain, 2 * second}, Resolve{"second", second})
		time.Sleep(time.Hour)
		require.Equal(t, "first", now(server))
		rcode, records := ask(t, server)
		require.Equal(t, dnsmessage.RCodeSuccess, rcode)
		require.Equal(t, 1, records)
		time.Sleep(time.Second - 1)
		require.Equal(t, "first", now(server))
		time.Sleep(time.Nanosecond)
		require.Equal(t, nxDomain, now(server))
		rcode, _ = ask(t, server)
		require.Equal(t, dnsmessage.RCodeNameError, rcode)
		time.Sleep(2*time.Second - 1)
		require.Equal(t, nxDomain, now(server))
		time.Sleep(time.Nanosecond)
		require.Equal(t, "second", now(server))
		time.Sleep(time.Hour)
		require.Equal(t, "second", now(server), "the last one stands")
		require.EqualValues(t, 2, server.Served().Received)
	})
}

func ask(t *testing.T, server *Server) (rcode dnsmessage.RCode, records int) {
	t.Helper()
	query := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 7, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("shop.test."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
	}
	packed, err := query.Pack()
	require.NoError(t, err)
	answer, ok := server.speaks.(*nameServer).answer(packed)
	require.True(t, ok)
	var out dnsmessage.Message
	require.NoError(t, out.Unpack(answer))
	require.Equal(t, query.ID, out.ID)
	require.Equal(t, query.Questions, out.Questions)
	for _, r := range out.Answers {
		require.Zero(t, r.Header.TTL)
	}
	return out.RCode, len(out.Answers)
}

func TestNonsenseIsNotAnswered(t *testing.T) {
	server := newNameServer(to("first"))
	for _, packet := range [][]byte{nil, {1, 2, 3}, make([]byte, 12)} {
		_, ok := server.speaks.(*nameServer).answer(packet)
		require.False(t, ok)
	}
	require.Zero(t, server.Served().Received)
}

func TestANameServerDirectsClientsFromTheFirstQueryOn(t *testing.T) {
	server := newNameServer(to("second"))
	require.Empty(t, server.Directs())
	ask(t, server)
	require.Equal(t, "second", server.Directs())
	require.Empty(t, New(Config{}).Directs())
}

func TestNameServerWithoutResponsesIsAnError(t *testing.T) {
	socket, err := Listen("127.0.0.1:0", scenario.Server{Protocol: "dns"})
	require.NoError(t, err)
	require.ErrorContains(t, newNameServer().Serve(context.Background(), socket), "something to resolve names to")
}

func TestOnlyThisMachineIsServed(t *testing.T) {
	socket, err := Listen("0.0.0.0:0", scenario.Server{Protocol: "dns"})
	require.NoError(t, err)
	require.ErrorContains(t, newNameServer(to("first")).Serve(context.Background(), socket), "this machine alone")
	_, _, err = socket.(udpSocket).ReadFrom(nil)
	require.ErrorIs(t, err, net.ErrClosed)
}

func TestNameServerReturnsTheErrorOfItsSocket(t *testing.T) {
	socket, err := Listen("127.0.0.1:0", scenario.Server{Protocol: "dns"})
	require.NoError(t, err)
	require.NoError(t, socket.Close())
	require.ErrorIs(t, newNameServer(to("first")).Serve(context.Background(), socket), net.ErrClosed)
}
