package play

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"socketlab/internal/socketstats"
)

// overTLS sends the exchange through crypto/tls. Each write of it is a row, and so is
// the segment that it sends and the acknowledgement.
func overTLS(p *player) {
	p.listen(10)
	p.handshake()
	certificate, err := newCertificate()
	must(err)
	roots := x509.NewCertPool()
	roots.AddCert(certificate.Leaf)
	turns := &turns{player: p}
	c := tls.Client(&turn{turns, client}, &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS13})
	s := tls.Server(&turn{turns, server}, &tls.Config{
		Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS13,
		SessionTicketsDisabled: true, // or the server would write at the same time as the client
	})
	// Both sides of a handshake wait for each other.
	served := make(chan error, 1)
	go func() { served <- s.Handshake() }()
	if err = c.Handshake(); err != nil {
		_ = unix.Shutdown(p.fd[client], unix.SHUT_RDWR) // so that the server ends, too
	}
	must(errors.Join(err, <-served, turns.failed))
	for _, step := range []struct {
		from, to    *tls.Conn
		data, about string
	}{{c, s, request, "The request, encrypted."}, {s, c, response, "The response, encrypted."}} {
		turns.about = step.about
		_, err := io.WriteString(step.from, step.data)
		must(errors.Join(err, turns.failed))
		_, err = io.ReadFull(step.to, make([]byte, len(step.data)))
		must(err)
	}
	turns.about = "A close_notify: the end of this direction in TLS."
	must(errors.Join(c.CloseWrite(), turns.failed))
	if _, err := s.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		must(errors.Join(errors.New("the server did not get the close_notify"), err))
	}
	must(errors.Join(s.CloseWrite(), turns.failed))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		must(errors.Join(errors.New("the client did not get the close_notify"), err))
	}
	p.goodbye()
}

// said are the sentences on the messages of the handshake, by what a segment holds.
var said = map[string]string{
	"ClientHello": "A round trip more: versions, keys, and the server's name.",
	"ServerHello": "The server's key and, encrypted already, its certificate.",
	"Finished":    "The client confirms. Everything that follows is encrypted.",
}

// turns lets the two ends of a TLS connection write and read one after the other.
type turns struct {
	sync.Mutex
	player *player
	about  string // the sentence on what is written after the handshake
	failed error
}

// turn is one end: a net.Conn whose writes end when they are acknowledged.
type turn struct {
	*turns
	end socketstats.End
}

func (t *turn) Write(b []byte) (int, error) {
	t.Lock()
	defer t.Unlock()
	if t.failed != nil {
		return 0, t.failed
	}
	what := holds(b)
	t.failed = catch(func() {
		t.player.write(t.end, string(b), fmt.Sprintf("crypto/tls writes: %s.", what))
		t.player.segment(t.end, "PSH-ACK", cmp.Or(t.about, said[what]))
		t.player.segment(1-t.end, "ACK", "Acknowledged by the other kernel.")
	})
	return len(b), t.failed
}

func (t *turn) Read(b []byte) (int, error) {
	fd := t.player.fd[t.end]
	for {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(patience/time.Millisecond))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return 0, err
		}
		t.Lock() // not before the writer's segment is acknowledged
		n, err := unix.Read(fd, b)
		t.Unlock()
		switch {
		case errors.Is(err, unix.EAGAIN):
			return 0, fmt.Errorf("the %s had nothing to read for %s", t.end, patience)
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		}
		return n, nil
	}
}

func (*turn) Close() error                     { return nil }
func (*turn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (*turn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (*turn) SetDeadline(time.Time) error      { return nil }
func (*turn) SetReadDeadline(time.Time) error  { return nil }
func (*turn) SetWriteDeadline(time.Time) error { return nil }

// newCertificate makes one for 127.0.0.1 that signs itself.
func newCertificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}
