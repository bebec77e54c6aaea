package battery

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"socketlab/internal/profile"
	"socketlab/internal/scratch"
)

// h2Experiments are those over TLS.
func h2Experiments() []experiment {
	return []experiment{
		{name: "HTTP/2, no answer", asks: []string{"h2_ping"}, run: func(t *trial) error { return t.overTLS(t.h2Ping) }},
		{name: "HTTP/2, GOAWAY", asks: []string{"h2_used", "h2_goaway"}, run: func(t *trial) error { return t.overTLS(t.h2GoAway) }},
		{name: "HTTP/2, 20 calls at once", asks: []string{"h2_streams"}, reuses: true, run: func(t *trial) error { return t.overTLS(t.h2Streams) }},
	}
}

// errNoH2 says why there is nothing to be measured of streams.
var errNoH2 = errors.New("it does not speak HTTP/2 here")

// overTLS starts a server with TLS and the program, with the server's certificate
// authority in its environment, and runs an experiment on them.
func (t *trial) overTLS(run func(*h2Server) error) error {
	dir, err := scratch.New("tls")
	if err != nil {
		return err
	}
	defer func() { _ = dir.Remove() }()
	certificate, authority, err := newCertificate()
	if err != nil {
		return err
	}
	file := filepath.Join(dir.Path, "ca.pem")
	if err := os.WriteFile(file, authority, 0o644); err != nil { //nolint:gosec // a certificate is public
		return err
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS12,
	})
	if err != nil {
		return err
	}
	s := serveH2(l)
	defer s.end()
	for _, name := range []string{"SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"} {
		t.env = append(t.env, name+"="+file)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return err
	}
	if err := t.startLine(func(s string) string { return s }, "https", "localhost:"+port); err != nil {
		return err
	}
	defer func() { // before the server
		t.program.end()
		t.program = nil
	}()
	return run(s)
}

// first makes the first call, and reports whether it came over HTTP/2.
func (t *trial) firstH2(s *h2Server) (bool, error) {
	r, err := t.call()
	switch {
	case err != nil:
		err = fmt.Errorf("a call with TLS: %w", err)
	case !r.OK:
		err = fmt.Errorf("a call with TLS is reported as %s", r)
	}
	return s.look().h2 > 0, err
}

func (t *trial) h2GoAway(s *h2Server) error {
	h2, err := t.firstH2(s)
	if err != nil {
		return err
	}
	if !h2 {
		t.set("h2_used", profile.Chosen("no"))
		return errNoH2
	}
	t.set("h2_used", profile.Chosen("yes"))
	if t.b.once {
		return errNotReused
	}
	before := s.look()
	s.set(func(s *h2Server) { s.goAway = true })
	r, err := t.call()
	if err != nil {
		return err
	}
	n := s.look()
	word := "error"
	switch {
	case n.refused == 0:
		return errNotReused
	case r.OK:
		word = "repeated"
	}
	t.set("h2_goaway", profile.Chosen(word), fmt.Sprintf("%s, %d requests answered, %d new connections", r, n.answered-before.answered, n.opened-before.opened))
	return nil
}

func (t *trial) h2Streams(s *h2Server) error {
	h2, err := t.firstH2(s)
	if err != nil {
		return err
	}
	if !h2 {
		return errNoH2
	}
	s.set(func(s *h2Server) { s.delay = 500 * time.Millisecond })
	var answers []<-chan string
	for range perBattery {
		answer, err := t.program.ask()
		if err != nil {
			return err
		}
		answers = append(answers, answer)
	}
	for _, answer := range answers {
		if _, err := t.program.wait(t.ctx, time.Now(), answer); err != nil {
			return err
		}
	}
	n := s.look()
	if n.mostBusy == 1 {
		return errOneAtATime
	}
	word := "several"
	switch {
	case n.opened <= 2:
		word = []string{"one", "two"}[n.opened-1]
	case n.opened >= perBattery:
		word = "each"
	}
	t.set("h2_streams", profile.Chosen(word), fmt.Sprintf("%d connections, at most %d streams at once, %d of 21 answered", n.opened, n.mostBusy, n.answered))
	return nil
}

func (t *trial) h2Ping(s *h2Server) error {
	h2, err := t.firstH2(s)
	if err != nil {
		return err
	}
	if !h2 {
		return errNoH2
	}
	s.set(func(s *h2Server) { s.stall = true })
	asked := time.Now()
	if _, err := t.program.ask(); err != nil {
		return err
	}
	limit, stop := t.limit(t.b.Wait)
	defer stop()
	var at time.Time
	t.aside(func() { at = s.ping(limit) })
	switch {
	case t.ctx.Err() != nil:
		return t.ctx.Err()
	case at.IsZero():
		t.set("h2_ping", profile.LongerThan(t.b.Wait))
	default:
		t.set("h2_ping", profile.Took(at.Sub(asked)))
	}
	return nil
}

// newCertificate makes a certificate for loopback, and the PEM of the authority that
// signed it.
func newCertificate() (tls.Certificate, []byte, error) {
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sockwatch profile"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	signed, err := x509.CreateCertificate(rand.Reader, authority, authority, &authorityKey.PublicKey, authorityKey)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	certificate, err := x509.CreateCertificate(rand.Reader, leaf, authority, &leafKey.PublicKey, authorityKey)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	return tls.Certificate{Certificate: [][]byte{certificate}, PrivateKey: leafKey}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed}), nil
}
