package symptoms_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/symptoms"
	"socketlab/internal/verdict"
)

func TestEveryEntryLeadsToKinds(t *testing.T) {
	t.Parallel()
	var kinds []string
	for _, k := range verdict.Kinds() {
		kinds = append(kinds, string(k))
	}
	owner := map[string]bool{}
	for _, e := range symptoms.All() {
		require.Regexp(t, `^[A-Za-z0-9].*\.$`, e.Means)
		require.NotEmpty(t, e.Phrases)
		for _, phrase := range e.Phrases {
			require.False(t, owner[phrase], phrase)
			owner[phrase] = true
		}
		if len(e.Kinds) == 0 {
			require.Contains(t, e.Means, "A severity")
		}
		for _, kind := range e.Kinds {
			require.Contains(t, kinds, kind, e.Phrases[0])
		}
	}
}

func TestWhatPeoplePasteIsFound(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{ // the first kind
		"CLOSE_WAIT": "close-wait-leak",
		"close-wait": "close-wait-leak",
		"tcp        1      0 10.0.0.5:41234   10.0.0.9:443   CLOSE_WAIT  4242/node": "close-wait-leak",
		`Error: "socket hang up"`: "stale-connection-reuse",
		"Error: socket hang up\n    at connResetException (node:internal/errors:720:14)":                                                        "stale-connection-reuse",
		"read tcp 10.0.0.5:41234->10.0.0.9:443: read: connection reset by peer":                                                                 "stale-connection-reuse",
		"[Errno 104] Connection reset by peer":                                                                                                  "stale-connection-reuse",
		"2026/11/28 03:12:01 [error] 31#31: *7 upstream prematurely closed connection while reading response header from upstream, client: ::1": "stale-connection-reuse",
		"http: Accept error: accept tcp [::]:8080: accept4: too many open files; retrying in 1s":                                                "fd-exhaustion",
		"OSError: [Errno 24] Too many open files: 'x.log'":                                                                                      "fd-exhaustion",
		"EMFILE": "fd-exhaustion",
		"Error: timeout exceeded when trying to connect":                  "pool-exhaustion",
		"redis.exceptions.ConnectionError: max number of clients reached": "connection-growth",
		"-ERR max number of clients reached":                              "connection-growth",
		`dial tcp 10.0.0.9:443: connect: cannot assign requested address`: "port-exhaustion",
		"connect EADDRNOTAVAIL 10.0.0.9:443 - Local (0.0.0.0:0)":          "port-exhaustion",
		"write: broken pipe":                       "stale-connection-reuse",
		"ERROR 1040 (HY000): Too many connections": "connection-growth",
		"FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute":                 "connection-growth",
		"psycopg2.OperationalError: FATAL: sorry, too many clients already":                                      "connection-growth",
		`Get "https://example.com/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`: "request-stalled",
		"dial tcp 10.0.0.9:443: i/o timeout":                                                                     "request-stalled",
		"connect: no route to host":                                                                              "connect-stalled",
		"sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached, connection timed out":       "pool-exhaustion",
		"HikariPool-1 - Connection is not available, request timed out after 30000ms.":                           "pool-exhaustion",
		"TCP: request_sock_TCP: Possible SYN flooding on port 8080. Sending cookies.":                            "accept-queue-overflow",
		"accept queue": "accept-queue-overflow",
		"half open":    "half-open-connections",
		"FIN_WAIT_2":   "half-closed-connections",
		"fin_wait2":    "half-closed-connections",
		"FTP":          "half-closed-connections",
		"ldap":         "connection-growth",
		"smtp":         "half-closed-connections",
		"amqp":         "connection-growth",
		"mqtt":         "connection-growth",
		"SSE":          "half-open-connections",
		"WebSocket":    "connection-growth",
		"heartbeat":    "half-open-connections",
	} {
		kinds := symptoms.Of(text)
		require.NotEmpty(t, kinds, text)
		require.Equal(t, want, kinds[0], text)
	}
	for _, text := range []string{"", "zzz", "the pool in the garden", "closewaiting", "listening on :8080", "econreset"} {
		require.Empty(t, symptoms.Find(text), text)
	}
	require.Len(t, symptoms.Find("LEAK"), 1)
}
