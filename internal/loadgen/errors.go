package loadgen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
)

// StatusError is an answer whose HTTP status is not 2xx. It is the error a
// side's code returns for one.
type StatusError int

// Error returns the status as text.
func (e StatusError) Error() string { return fmt.Sprintf("server answered with status %d", int(e)) }

// ErrorName gives the short name under which a failed request is counted: the
// kernel's errno name (ECONNRESET), EOF, ErrUnexpectedEOF, timeout, canceled,
// DNS_NOT_FOUND and its like, HTTP_503, or other.
func ErrorName(err error) string {
	var errno syscall.Errno
	var status StatusError
	var dns *net.DNSError
	var netErr net.Error
	var named NamedError
	switch {
	case errors.As(err, &named):
		return named.name()
	case errors.As(err, &status):
		return fmt.Sprintf("HTTP_%d", int(status))
	case errors.As(err, &errno) && errnoNames[errno] != "": // a chain holds one
		return errnoNames[errno]
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "ErrUnexpectedEOF"
	case errors.Is(err, io.EOF):
		return "EOF"
	case errors.Is(err, context.Canceled): // also in a lookup
		return "canceled"
	case errors.As(err, &dns):
		return dnsName(dns)
	// Only Timeout is safe to ask: the type of a dialer's timeout differs
	// from run to run.
	case errors.As(err, &netErr) && netErr.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	default:
		return "other"
	}
}

// dnsName tells apart what can be: the flags of the error, and for SERVFAIL the
// text of Go's own resolver, since one that could not be asked is temporary too.
// REFUSED and answers that make no sense are DNS.
func dnsName(err *net.DNSError) string {
	switch {
	case err.IsNotFound:
		return "DNS_NOT_FOUND"
	case err.IsTimeout:
		return "DNS_TIMEOUT"
	case err.IsTemporary && err.Err == "server misbehaving":
		return "DNS_SERVFAIL"
	default:
		return "DNS"
	}
}
