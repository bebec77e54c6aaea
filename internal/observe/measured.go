package observe

import (
	"fmt"
	"strings"

	"socketlab/internal/profile"
	"socketlab/internal/series"
	"socketlab/internal/verdict"
	"socketlab/profiles"
)

// known is a runtime whose programs treat connections in one way, unless told otherwise:
// its profile in the atlas, and the setting that is the idle time.
type known struct{ id, setting string }

// servers are known by what a process runs. Python, Ruby and Java have many servers: those
// are known by their module.
var servers = map[string]known{
	"node": {"node-http-server", "server.keepAliveTimeout"}, "go": {"net-http-server", "http.Server.IdleTimeout"},
	"nginx": {"nginx", "keepalive_timeout"}, "apache": {"apache2", "KeepAliveTimeout"}, "haproxy": {"haproxy", "timeout http-keep-alive"},
	"caddy": {"caddy", "idle of the server's timeouts"}, "lighttpd": {"lighttpd", "server.max-keep-alive-idle"},
	"varnish": {"varnish", "timeout_idle"}, "squid": {"squid", "client_idle_pconn_timeout"},
	"uvicorn": {"uvicorn", "--timeout-keep-alive"}, "puma": {"puma", "persistent_timeout"}, "waitress": {"waitress", "channel_timeout"},
}

// clients are the standard clients of runtimes that have one.
var clients = map[string]known{
	"go": {"net-http-client", "Transport.IdleConnTimeout"}, "node": {"node-http-agent", "timeout of the Agent"},
	"java": {"java-net-http", "jdk.httpclient.keepalive.timeout"},
}

// measured says what the atlas has of a program whose verdict is about connections that
// one end closes before the other; "" where that is not what the verdict is about, or
// nothing is known.
func measured(kind verdict.Kind, id *series.Identity) string {
	switch kind {
	case verdict.StaleConnectionReuse, verdict.IdleTimeoutMissing:
		k := clients[id.Runtime]
		p := profiles.Find(k.id)
		if p == nil {
			return ""
		}
		said := fmt.Sprintf("By measurement %s %s closes an idle connection after %s unless told otherwise", p.Name, p.Version, p.Values["idle_close"])
		if post, ok := p.Value("race_post"); ok {
			said += ", and a POST that meets one being closed is " + map[string]string{
				"error": "an error", "sent_twice": "sent twice", "new_connection": "sent on a new one", "error_after_repeats": "repeated, and an error",
			}[post.Word]
		}
		return fmt.Sprintf("%s: set %s below the idle time of the server (docs/atlas.md).", said, k.setting)
	case verdict.ServerIdleClients:
		k, ok := servers[id.Runtime]
		if module := strings.TrimSuffix(id.Module, ".py"); servers[module].id != "" {
			k, ok = servers[module], true
		}
		p := profiles.Find(k.id)
		if !ok || p == nil {
			return ""
		}
		idle, ok := p.Value("idle_timeout")
		if !ok || idle.Bound != profile.Exact {
			return ""
		}
		says := ""
		if v, ok := p.Value("keepalive_header_says"); ok && !profile.Agree(v, idle) {
			says = fmt.Sprintf(" (it says %s)", v)
		}
		return fmt.Sprintf("By measurement %s %s closes an idle connection after %s%s unless told otherwise: look at %s, and keep it above the time for which a balancer before it keeps connections, often 60 s (docs/atlas.md).",
			p.Name, p.Version, idle, says, k.setting)
	}
	return ""
}
