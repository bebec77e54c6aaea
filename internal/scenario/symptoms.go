package scenario

import (
	"slices"
	"strings"
)

// Symptom is something that an engineer sees before the cause is known.
type Symptom struct {
	// Name is what a script calls it, and Sees what is seen, in a line.
	Name, Sees string
}

// Symptoms lists what can be seen, the most common first.
func Symptoms() []Symptom {
	return []Symptom{
		{"established-climbs", "ESTABLISHED climbs, and never comes down"},
		{"close-wait-climbs", "CLOSE_WAIT climbs, at the client or at the server"},
		{"descriptors-run-out", "descriptors climb until there is none: too many open files"},
		{"memory-climbs", "memory climbs, and the number of sockets does not say why"},
		{"time-wait-piles-up", "TIME_WAIT piles up: connections are opened and closed all the time"},
		{"ports-run-out", "connecting fails: cannot assign requested address"},
		{"handshake-each-time", "each request waits for a new connection, though few are open"},
		{"syn-sent-stays", "SYN_SENT stays: connecting takes seconds, or never ends"},
		{"many-connections-at-once", "a burst opens hundreds of connections at once"},
		{"idle-stays", "connections stay open long after the load is gone"},
		{"requests-hang", "requests hang, and no error says why"},
		{"latency-climbs", "latency climbs with the load, though the server is fast"},
		{"timeouts", "requests fail with a timeout"},
		{"resets", "requests fail with EOF, connection reset or broken pipe"},
		{"refused", "requests fail with connection refused"},
		{"bodies-cut-short", "answers arrive cut short, with or without an error"},
		{"names-not-found", "names are not found, or not found any more"},
		{"errors-5xx", "the server answers 503, and retries make it worse"},
		{"one-server-busy", "one server has all the load, and the others none"},
		{"cut-off-at-deploy", "requests fail whenever the server is restarted"},
	}
}

func (s Script) checkSymptoms() *finding {
	var names []string
	for _, known := range Symptoms() {
		names = append(names, known.Name)
	}
	for _, name := range s.Symptoms {
		if !slices.Contains(names, name) {
			return found("$.symptoms", "unknown symptom %q: use some of %s", short(name), strings.Join(names, ", "))
		}
	}
	return nil
}
