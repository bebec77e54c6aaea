package fixes_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/fixes"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

func kinds() []string {
	var names []string
	for _, r := range verdict.Rules() {
		if r.Severity != "" {
			names = append(names, string(r.Kind))
		}
	}
	return names
}

func TestEveryRowIsOfAKindThatExists(t *testing.T) {
	t.Parallel()
	all := kinds()
	sentence := `^([A-Z_]|close|shutdown|end\(\)).*[.")]$`
	fds := append([]string{""}, socketstats.Kinds()...)
	for _, r := range rows() {
		require.NotEmpty(t, strings.Fields(r.Kinds), r.Fix)
		for _, kind := range strings.Fields(r.Kinds) {
			require.Contains(t, all, kind, r.Fix)
		}
		require.Regexp(t, sentence, r.Fix)
		require.LessOrEqual(t, strings.Count(r.Fix, ". "), 1, "two sentences at most: %s", r.Fix)
		require.NotEmpty(t, r.Source, r.Fix)
		require.Contains(t, fds, r.Of, r.Fix)
		require.Equal(t, strings.TrimSpace(r.Code), r.Code)
	}
}

// rows are all rows, each once.
func rows() []fixes.Row {
	var all []fixes.Row
	seen := map[fixes.Row]bool{}
	for _, runtime := range append(fixes.Runtimes(""), "") {
		for _, kind := range kinds() {
			for _, r := range fixes.Rows(kind, runtime) {
				if !seen[r] {
					seen[r] = true
					all = append(all, r)
				}
			}
		}
	}
	return all
}

func TestEveryKindHasAFixInTheCommonLanguages(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds() {
		for _, runtime := range []string{"go", "python", "node", "java"} {
			require.NotEmpty(t, fixes.For(kind, &series.Identity{Runtime: runtime, Protocol: "http"}, ""), "%s of %s: add a row to internal/fixes/table.yaml", kind, runtime)
			require.NotEmpty(t, fixes.For(kind, &series.Identity{Runtime: runtime}, ""), "%s of %s, by no protocol: add a row to internal/fixes/table.yaml", kind, runtime)
		}
	}
	for _, runtime := range []string{"ruby", "php", "perl", "dotnet", "erlang", "nginx", "haproxy", "envoy", "postgres", "redis", "mysql", "apache"} {
		of := 0
		for _, kind := range kinds() {
			if len(fixes.Rows(kind, runtime)) > 0 {
				of++
			}
		}
		require.GreaterOrEqual(t, of, 3, runtime)
	}
}

func TestNoTwoRowsSayTheSameOfTheSame(t *testing.T) {
	t.Parallel()
	seen := map[[6]string]string{}
	for _, r := range rows() {
		for _, kind := range strings.Fields(r.Kinds) {
			of := [6]string{kind, r.Runtime, r.Protocol, r.Library, r.Role, r.Of}
			require.Empty(t, seen[of], "%v", of)
			seen[of] = r.Fix
		}
	}
}

func TestTheFixIsForTheProgram(t *testing.T) {
	t.Parallel()
	for _, of := range []struct {
		kind string
		id   series.Identity
		fd   string
		want string // a part of the fix; "" is none
	}{
		{"connection-churn", series.Identity{Runtime: "go", Protocol: "http"}, "", "MaxIdleConnsPerHost"},
		{"connection-churn", series.Identity{Runtime: "go"}, "", "Where it speaks HTTP: Share one http.Client"},
		{"connection-churn", series.Identity{Runtime: "go"}, "", "Of another protocol: keep the connection"},
		{"idle-connections-not-reused", series.Identity{Runtime: "python"}, "", "Of another protocol: ask again on the connection"},
		{"connection-churn", series.Identity{Runtime: "python", Protocol: "http"}, "", "requests.Session"},
		{"connection-churn", series.Identity{Runtime: "bun", Protocol: "http"}, "", "http.Agent"},
		{"connection-churn", series.Identity{Runtime: "nginx", Protocol: "http", Role: "proxy"}, "", "keepalive 32"},
		{"connection-churn", series.Identity{Runtime: "python", Protocol: "postgres"}, "", "pool.connection()"},
		{"connection-churn", series.Identity{Runtime: "go", Protocol: "ldap"}, "", "ldap.DialURL"},
		{"connection-churn", series.Identity{Runtime: "java", Protocol: "amqp"}, "", "one AMQP connection"},
		{"connection-churn", series.Identity{Runtime: "python", Protocol: "http,postgres"}, "", "Where it speaks HTTP: "},
		{"connection-churn", series.Identity{Runtime: "python", Protocol: "nats"}, "", ""},
		{"connection-churn", series.Identity{}, "", ""},
		{"connection-growth", series.Identity{Runtime: "python"}, "", "with statement"},
		{"connection-growth", series.Identity{Runtime: "python", Protocol: "http", Role: "server"}, "", "client is gone or silent"},
		{"connection-growth", series.Identity{Runtime: "python", Protocol: "http", Role: "service"}, "", "requests.Session"},
		{"pool-exhaustion", series.Identity{Runtime: "python", Protocol: "postgres", Library: "psycopg2"}, "", "putconn"},
		{"pool-exhaustion", series.Identity{Runtime: "python", Protocol: "postgres"}, "", "pool.connection()"},
		{"pool-exhaustion", series.Identity{Runtime: "node", Protocol: "postgres"}, "", "client.release()"},
		{"pool-exhaustion", series.Identity{Runtime: "", Protocol: "postgres"}, "", "idle in transaction"},
		{"close-wait-leak", series.Identity{Runtime: "go", Protocol: "http", Role: "client"}, "", "resp.Body.Close()"},
		{"close-wait-leak", series.Identity{Runtime: "go", Protocol: "http", Role: "server"}, "", "r.Context()"},
		{"response-body-leak", series.Identity{Runtime: "go", Protocol: "http"}, "", "Put defer resp.Body.Close()"},
		{"response-body-leak", series.Identity{Runtime: "go", Protocol: "postgres", Library: "pgx"}, "", "Put defer rows.Close()"},
		{"response-body-leak", series.Identity{Runtime: "go", Protocol: "mysql,postgres"}, "", "the rows of a database (defer rows.Close())"},
		{"response-body-leak", series.Identity{Runtime: "python", Protocol: "postgres"}, "", "close the cursor"},
		{"response-body-leak", series.Identity{Runtime: "java", Protocol: "kafka"}, "", ""},
		{"descriptor-leak", series.Identity{Runtime: "go"}, "udp", "UDP"},
		{"descriptor-leak", series.Identity{Runtime: "go"}, "tcp_listen", "listener.Close()"},
		{"descriptor-leak", series.Identity{Runtime: "go"}, "eventfd", "defer x.Close()"},
		{"server-idle-clients", series.Identity{Runtime: "redis", Protocol: "redis", Role: "server"}, "", "CLIENT LIST"},
		{"healthy", series.Identity{Runtime: "go"}, "", ""},
	} {
		got := fixes.For(of.kind, &of.id, of.fd)
		if of.want == "" {
			require.Empty(t, got, "%+v", of)
		} else {
			require.Contains(t, got, of.want, "%+v", of)
		}
	}
}

func TestAnHTTPFixIsForNoOtherProtocol(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds() {
		for _, runtime := range fixes.Runtimes(kind) {
			got := fixes.For(kind, &series.Identity{Runtime: runtime, Protocol: "nats"}, "")
			for _, r := range fixes.Rows(kind, runtime) {
				if r.Protocol == fixes.HTTP {
					require.NotEqual(t, r.Fix, got, "%s of %s", kind, runtime)
				}
			}
		}
	}
}
