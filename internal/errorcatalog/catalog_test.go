package errorcatalog

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// planned are the ids that scenarios have or are to have.
const planned = " ephemeral-ports user-timeout keepalive-dead-peer linger-reset timeout-connect timeout-tls-handshake timeout-response-header no-timeout timeout-read-stall timeout-write-stall connection-refused connection-reset body-cut-off body-reset body-truncated dns-silent dns-not-found dns-outage too-many-connections firewall-drop firewall-reject bad-credentials unavailable-and-back idle-timeout-race stale-pool-after-restart requests-per-connection dead-peer-pooled abrupt-shutdown error-body-not-closed congestion timeout-churn "

func TestEntriesSayEverything(t *testing.T) {
	require.NotEmpty(t, All())
	for _, e := range All() {
		for what, text := range map[string]string{
			"title": e.Title, "meaning": e.Means, "state here": e.Here, "state there": e.There,
			"after": e.After, "worse": e.Worse, "better": e.Better,
		} {
			require.NotEmpty(t, text, "%s: %s", e.Name, what)
			require.Equal(t, strings.TrimSpace(text), text, "%s: %s", e.Name, what)
		}
		require.LessOrEqual(t, len(e.Title), 60, "%s: the title is for a list", e.Name)
		require.Equal(t, e.Name == "other", e.Test == "", e.Name)
		for _, other := range e.Also {
			_, ok := Find(other)
			require.True(t, ok, other)
		}
		require.NotEmpty(t, e.Chains, e.Name)
		require.NotEmpty(t, e.Sources, e.Name)
		for _, id := range e.Scenarios {
			require.Contains(t, planned, " "+id+" ", e.Name)
		}
		seen := map[string]bool{}
		for _, c := range e.Chains {
			require.False(t, seen[c.When], "%s: two chains when %q", e.Name, c.When)
			seen[c.When] = true
		}
	}
}

func TestEveryNameFindsItsEntry(t *testing.T) {
	owner := map[string]string{}
	for _, e := range All() {
		for _, name := range append([]string{e.Name}, e.Aliases...) {
			require.Empty(t, owner[plain(name)], "%q names two entries", name)
			owner[plain(name)] = e.Name
			for _, typed := range []string{name, strings.ToUpper(name), strings.ToLower(name), " " + name + " "} {
				got, ok := Find(typed)
				require.True(t, ok, typed)
				require.Equal(t, e.Name, got.Name, typed)
			}
		}
	}
}

func TestFind(t *testing.T) {
	for typed, want := range map[string]string{
		"econnreset": "ECONNRESET", "syscall.ECONNRESET": "ECONNRESET", "connection refused": "ECONNREFUSED",
		"connection-refused": "ECONNREFUSED", "I/O timeout": "connect-timeout", "connect timeout": "connect-timeout",
		"nxdomain": "DNS_NOT_FOUND", "dns_refused": "DNS", "dns-servfail": "DNS_SERVFAIL", "unexpected EOF": "ErrUnexpectedEOF",
		"Broken Pipe": "EPIPE", "503": "HTTP_503", "tls handshake timeout": "TLS_HANDSHAKE_TIMEOUT",
		"response_header_timeout": "RESPONSE_HEADER_TIMEOUT", "io.EOF": "EOF", "Truncated": "truncated",
	} {
		got, ok := Find(typed)
		require.True(t, ok, typed)
		require.Equal(t, want, got.Name, typed)
	}
	for _, typed := range []string{"", " ", "ECONN", "healthy", "HTTP_999"} {
		_, ok := Find(typed)
		require.False(t, ok, typed)
	}
}

func TestErrorsAreFoundInALineOfALog(t *testing.T) {
	for line, want := range map[string]string{
		"dial tcp: lookup db on 10.0.0.10:53: no such host":                        "DNS_NOT_FOUND",
		"Error: getaddrinfo ENOTFOUND db.internal":                                 "DNS_NOT_FOUND",
		"java.net.UnknownHostException: db.internal":                               "DNS_NOT_FOUND",
		"read tcp 10.0.0.5:1->10.0.0.9:443: read: connection reset by peer":        "ECONNRESET",
		"socket: too many open files in system":                                    "ENFILE",
		"net/http: TLS handshake timeout":                                          "TLS_HANDSHAKE_TIMEOUT",
		"connect: cannot assign requested address":                                 "EADDRNOTAVAIL",
		`Get "http://x/": net/http: timeout awaiting response headers (attempt 2)`: "RESPONSE_HEADER_TIMEOUT",
	} {
		found := In(line)
		require.NotEmpty(t, found, line)
		require.Equal(t, want, found[0].Name, line)
	}
	for _, line := range []string{"", "listening on :503", "reset the counter", "unavailable colour"} {
		require.Empty(t, In(line), line)
	}
}

func TestAllIsACopy(t *testing.T) {
	All()[0].Name = "changed"
	_, ok := Find("changed")
	require.False(t, ok)
}
