package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"time"
)

func init() {
	registerHTTP("https", "HTTP/1.1 and HTTP/2 over TLS, with a certificate of its own", https{}, http2Keys...)
}

type https struct{ tcp }

func (https) open(s *Server) speaker {
	c := newCertificate()
	return secureWeb{web{Server: s, secure: c.listener}, c}
}

// secureWeb serves HTTP over TLS.
type secureWeb struct {
	web
	certificate
}

func (w secureWeb) ca() string { return w.pem }

func (w secureWeb) serve(ctx context.Context, at Socket) error {
	if w.err != nil {
		at.Close()
		return w.err
	}
	return w.web.serve(ctx, at)
}

// certificate is what an HTTPS server identifies itself with.
type certificate struct {
	tls tls.Certificate
	pem string
	err error
}

// newCertificate makes a certificate that signs itself, for this machine and
// for shop.test. It is nowhere but in memory.
func newCertificate() certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return certificate{err: err}
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: "slowserver"},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.AddDate(0, 0, 7),
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		// A client that has it among its roots takes it for an authority.
		IsCA:                  true,
		BasicConstraintsValid: true,
		DNSNames:              []string{"localhost", "shop.test"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return certificate{err: err}
	}
	return certificate{
		tls: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		pem: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
	}
}

// listener speaks TLS on l: HTTP/2 to those who know it.
func (c certificate) listener(l net.Listener) net.Listener {
	return tls.NewListener(l, &tls.Config{
		Certificates: []tls.Certificate{c.tls},
		NextProtos:   []string{"h2", "http/1.1"},
		MinVersion:   tls.VersionTLS12,
	})
}
