package errorcatalog

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// conditions are the lines of each entry's Test, as code that runs.
var conditions = map[string]func(resp *http.Response, err error) bool{
	"ECONNREFUSED": func(_ *http.Response, err error) bool {
		return errors.Is(err, syscall.ECONNREFUSED)
	},
	"connect-timeout": func(_ *http.Response, err error) bool {
		op, ok := errors.AsType[*net.OpError](err)
		return ok && op.Op == "dial" && op.Timeout()
	},
	"EHOSTUNREACH": func(_ *http.Response, err error) bool {
		return errors.Is(err, syscall.EHOSTUNREACH)
	},
	"ENETUNREACH": func(_ *http.Response, err error) bool {
		return errors.Is(err, syscall.ENETUNREACH)
	},
	"EADDRNOTAVAIL": func(_ *http.Response, err error) bool {
		return errors.Is(err, syscall.EADDRNOTAVAIL)
	},
	"EADDRINUSE": func(_ *http.Response, err error) bool {
		return errors.Is(err, syscall.EADDRINUSE)
	},
	"DNS_NOT_FOUND": func(_ *http.Response, err error) bool {
		dns, ok := errors.AsType[*net.DNSError](err)
		return ok && dns.IsNotFound
	},
	"DNS_SERVFAIL": func(_ *http.Response, err error) bool {
		dns, ok := errors.AsType[*net.DNSError](err)
		return ok && dns.IsTemporary && !dns.IsTimeout && dns.Err == "server misbehaving"
	},
	"DNS_TIMEOUT": func(_ *http.Response, err error) bool {
		dns, ok := errors.AsType[*net.DNSError](err)
		return ok && dns.IsTimeout
	},
	"DNS": func(_ *http.Response, err error) bool {
		dns, ok := errors.AsType[*net.DNSError](err)
		return ok && !dns.IsNotFound && !dns.IsTimeout && (!dns.IsTemporary || dns.Err != "server misbehaving")
	},
	"ECONNRESET": func(_ *http.Response, err error) bool {
		return errors.Is(err, syscall.ECONNRESET)
	},
	"EPIPE": func(_ *http.Response, err error) bool {
		return errors.Is(err, syscall.EPIPE)
	},
	"ECONNABORTED": func(_ *http.Response, err error) bool {
		return errors.Is(err, syscall.ECONNABORTED)
	},
	"ETIMEDOUT": func(_ *http.Response, err error) bool {
		return errors.Is(err, syscall.ETIMEDOUT)
	},
	"EOF": func(_ *http.Response, err error) bool {
		return errors.Is(err, io.EOF)
	},
	"ErrUnexpectedEOF": func(_ *http.Response, err error) bool {
		return errors.Is(err, io.ErrUnexpectedEOF)
	},
	"truncated": func(resp *http.Response, err error) bool {
		return err == nil && resp.ContentLength < 0 && !slices.Contains(resp.TransferEncoding, "chunked") && !resp.Uncompressed
	},
	"timeout": func(_ *http.Response, err error) bool {
		ne, ok := errors.AsType[net.Error](err)
		return ok && ne.Timeout()
	},
	"TLS_HANDSHAKE_TIMEOUT": func(_ *http.Response, err error) bool {
		ne, ok := errors.AsType[net.Error](err)
		return ok && ne.Timeout() && strings.Contains(err.Error(), "TLS handshake timeout")
	},
	"RESPONSE_HEADER_TIMEOUT": func(_ *http.Response, err error) bool {
		ne, ok := errors.AsType[net.Error](err)
		return ok && ne.Timeout() && strings.Contains(err.Error(), "timeout awaiting response headers")
	},
	"canceled": func(_ *http.Response, err error) bool {
		return errors.Is(err, context.Canceled)
	},
	"HTTP_401": func(resp *http.Response, err error) bool {
		return err == nil && resp.StatusCode == http.StatusUnauthorized
	},
	"HTTP_503": func(resp *http.Response, err error) bool {
		return err == nil && resp.StatusCode == http.StatusServiceUnavailable
	},
	"EMFILE": func(_ *http.Response, err error) bool {
		return errors.Is(err, syscall.EMFILE)
	},
	"ENFILE": func(_ *http.Response, err error) bool {
		return errors.Is(err, syscall.ENFILE)
	},
}

// What is printed is what runs here, to the letter.
func TestThePrintedConditionIsTheTestedOne(t *testing.T) {
	printed := map[string]string{}
	for _, e := range All() {
		if e.Test != "" {
			printed[e.Name] = e.Test
		}
	}
	require.Equal(t, printed, sourceOfConditions(t))
}

func sourceOfConditions(t *testing.T) map[string]string {
	t.Helper()
	const name = "conditions_test.go"
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, text, parser.SkipObjectResolution)
	require.NoError(t, err)
	sources := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		pair, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		var lines []string
		for _, s := range pair.Value.(*ast.FuncLit).Body.List {
			line := string(text[files.Position(s.Pos()).Offset:files.Position(s.End()).Offset])
			lines = append(lines, strings.TrimPrefix(line, "return "))
		}
		sources[strings.Trim(pair.Key.(*ast.BasicLit).Value, `"`)] = strings.Join(lines, "\n")
		return false
	})
	return sources
}
