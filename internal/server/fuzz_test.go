package server

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"
)

// Whatever packet comes, the name server answers with a message in the form of DNS, or not.
func FuzzNameServer(f *testing.F) {
	s := &nameServer{Server: New(Config{Peers: []Peer{{Name: "shop", Addr: "127.0.0.1:80"}}}), resolve: []Resolve{{To: "shop"}}}
	for _, kind := range []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeSRV, dnsmessage.TypeAAAA, dnsmessage.TypeOPT} {
		query := dnsmessage.Message{Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("shop.test."), Type: kind, Class: dnsmessage.ClassINET}}}
		packet, err := query.Pack()
		require.NoError(f, err)
		f.Add(packet)
		f.Add(packet[:len(packet)-3])
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		answer, ok := s.answer(packet)
		if !ok {
			return
		}
		var m dnsmessage.Message
		require.NoError(t, m.Unpack(answer))
		require.True(t, m.Response)
		require.Len(t, m.Questions, 1)
	})
}
