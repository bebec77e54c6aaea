package nameserver

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/net/dns/dnsmessage"

	"socketlab/internal/scenario"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(patient{m}) }

// patient waits, when the tests are done, for what ends by itself: a lookup that
// was given up goes on without its caller, with a socket and two goroutines,
// until resolv.conf's timeout (5 s), as only a deadline ends its read
// (dnsPacketRoundTrip in net/dnsclient_unix.go).
type patient struct{ *testing.M }

func (p patient) Run() int {
	code := p.M.Run()
	for deadline := time.Now().Add(time.Minute); goleak.Find() != nil && time.Now().Before(deadline); {
	}
	return code
}

var ports = map[string]uint16{"first": 8081, "second": 8082}

// serve starts a server, and returns a resolver that asks nobody else.
func serve(t *testing.T, resolve ...scenario.Resolve) (*Server, *net.Resolver) {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	server := New(resolve, ports)
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, c) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-served)
	})
	return server, &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", c.LocalAddr().String())
	}}
}

func to(name string) scenario.Resolve { return scenario.Resolve{To: name} }

func TestAddressOfAServer(t *testing.T) {
	server, resolver := serve(t, to("first"))
	for _, name := range []string{"shop.test.", "anything.at.all."} {
		ips, err := resolver.LookupIP(context.Background(), "ip4", name)
		require.NoError(t, err)
		require.Len(t, ips, 1)
		require.Equal(t, "127.0.0.1", ips[0].String())
	}
	require.EqualValues(t, 2, server.Queries())

	addrs, err := resolver.LookupHost(context.Background(), "shop.test.")
	require.NoError(t, err, "that there is no address in IPv6 is no error")
	require.Equal(t, []string{"127.0.0.1"}, addrs)
	require.EqualValues(t, 4, server.Queries(), "A and AAAA")

	_, err = resolver.LookupIP(context.Background(), "ip6", "shop.test.")
	notFound(t, err)
	_, err = resolver.LookupTXT(context.Background(), "shop.test.")
	notFound(t, err)
}

func TestPortOfAServer(t *testing.T) {
	_, resolver := serve(t, to("second"))
	_, records, err := resolver.LookupSRV(context.Background(), "http", "tcp", "shop.test.")
	require.NoError(t, err)
	require.Equal(t, []*net.SRV{{Target: "second.test.", Port: 8082}}, records)
	ips, err := resolver.LookupIP(context.Background(), "ip4", records[0].Target)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1", ips[0].String())
}

func TestPortThatIsNotKnownIsAServersFailure(t *testing.T) {
	_, resolver := serve(t, to("third"))
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
	for _, answer := range []string{scenario.NXDomain, scenario.Empty} {
		t.Run(answer, func(t *testing.T) {
			server, resolver := serve(t, to(answer))
			_, err := resolver.LookupIP(context.Background(), "ip4", "shop.test.")
			notFound(t, err)
			require.EqualValues(t, 1, server.Queries(), "it is believed at once")
		})
	}
}

func TestTrouble(t *testing.T) {
	for _, answer := range []string{scenario.ServFail, scenario.Refused} {
		t.Run(answer, func(t *testing.T) {
			server, resolver := serve(t, to(answer))
			_, err := resolver.LookupIP(context.Background(), "ip4", "shop.test.")
			var dns *net.DNSError
			require.ErrorAs(t, err, &dns)
			require.False(t, dns.IsNotFound)
			require.False(t, dns.IsTimeout)
			require.Equal(t, "server misbehaving", dns.Err)
			require.Positive(t, server.Queries())
		})
	}
}

func TestSilence(t *testing.T) {
	server, resolver := serve(t, to(scenario.Silent))
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	_, err := resolver.LookupIP(ctx, "ip4", "shop.test.")
	var dns *net.DNSError
	require.ErrorAs(t, err, &dns)
	require.True(t, dns.IsTimeout)
	require.EqualValues(t, 1, server.Queries())
}

// In the bubble time is exact. The clock begins with the first query.
func TestAnswersFollowOneAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		second := scenario.Duration(time.Second)
		server := New([]scenario.Resolve{{To: "first", For: second}, {To: scenario.NXDomain, For: 2 * second}, {To: "second", For: second}}, ports)
		time.Sleep(time.Hour)
		require.Equal(t, "first", server.Now())
		rcode, records := ask(t, server)
		require.Equal(t, dnsmessage.RCodeSuccess, rcode)
		require.Equal(t, 1, records)
		time.Sleep(time.Second - 1)
		require.Equal(t, "first", server.Now())
		time.Sleep(time.Nanosecond)
		require.Equal(t, scenario.NXDomain, server.Now())
		rcode, _ = ask(t, server)
		require.Equal(t, dnsmessage.RCodeNameError, rcode)
		time.Sleep(2*time.Second - 1)
		require.Equal(t, scenario.NXDomain, server.Now())
		time.Sleep(time.Nanosecond)
		require.Equal(t, "second", server.Now())
		time.Sleep(time.Hour)
		require.Equal(t, "second", server.Now(), "the last one stands")
		require.EqualValues(t, 2, server.Queries())
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
	answer, ok := server.answer(packed)
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
	server := New([]scenario.Resolve{to("first")}, ports)
	for _, packet := range [][]byte{nil, {1, 2, 3}, make([]byte, 12)} {
		_, ok := server.answer(packet)
		require.False(t, ok)
	}
	require.Zero(t, server.Queries())
}

func TestWithoutAnswersItFails(t *testing.T) {
	require.Equal(t, scenario.ServFail, New(nil, nil).Now())
}

func TestOnlyThisMachineIsServed(t *testing.T) {
	c, err := net.ListenPacket("udp", "0.0.0.0:0")
	require.NoError(t, err)
	require.ErrorContains(t, New(nil, nil).Serve(context.Background(), c), "this machine alone")
	_, _, err = c.ReadFrom(nil)
	require.ErrorIs(t, err, net.ErrClosed)
}

func TestServeReturnsTheErrorOfItsSocket(t *testing.T) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, c.Close())
	err = New(nil, nil).Serve(context.Background(), c)
	require.True(t, errors.Is(err, net.ErrClosed), "%v", err)
}
