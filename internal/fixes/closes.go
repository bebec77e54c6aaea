package fixes

import (
	_ "embed"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/goccy/go-yaml"

	"socketlab/internal/series"
)

//go:embed closes.yaml
var closesText []byte

// Closes says when a server closes an idle connection, unless it is set otherwise.
type Closes struct {
	// Runtime and Module are as in [series.Identity]; Module is "" where any is meant.
	Runtime, Module string
	// Name is for people, Profile the file of the atlas with the measurement, and After its time.
	Name, Profile, After string
	// Setting is what sets the time.
	Setting string
}

// Closing are the servers whose times are known.
var Closing = sync.OnceValue(func() []Closes {
	var all []Closes
	if err := yaml.UnmarshalWithOptions(closesText, &all, yaml.Strict()); err != nil {
		panic(err) // it is in the binary
	}
	return all
})

// ServerOf is the name of the server that a process is, where it is known when that closes
// idle connections; "" otherwise. runtime and module are as in [series.Identity].
func ServerOf(runtime, module string) string {
	for _, c := range Closing() {
		if c.Runtime == runtime && (c.Module == "" || c.Module == module) {
			return c.Name
		}
	}
	return ""
}

// idleKinds are the kinds that a server which closes idle connections has a part in.
var idleKinds = []string{"stale-connection-reuse", "close-wait-leak", "idle-timeout-missing", "idle-connections-not-reused", "connection-churn"}

// closesAtOnce is below what a server keeps an idle connection for that keeps any: one that
// closes earlier does it with its answer.
const closesAtOnce = 500 * time.Millisecond

// IdleClose says of a server, or of a client whose server is known, when that closes an idle
// connection, and what sets it, beside the fix of a kind; "" where nothing is known.
func IdleClose(kind string, id *series.Identity) string {
	if !slices.Contains(idleKinds, kind) {
		return ""
	}
	serves := id.Role == "server" && (kind == "connection-churn" || kind == "stale-connection-reuse")
	seen := time.Duration(id.PeerClosedMS) * time.Millisecond
	own := ServerOf(id.Runtime, id.Module)
	for _, c := range Closing() {
		switch {
		case serves && c.Name == own:
			return fmt.Sprintf("%s closes an idle connection after %s, unless it is set otherwise: set %s above the idle time of its clients and of a balancer before it, such as 65 s for a balancer's 60 s.", c.Name, c.After, c.Setting)
		case !serves && c.Name == id.Peer:
			here := ""
			if seen >= closesAtOnce {
				here = fmt.Sprintf(" (seen here: after %s or less)", seen)
			}
			return fmt.Sprintf("Its server is %s, which closes an idle connection after %s, unless it is set otherwise%s: let the client close before that, or set %s above the client's time.", c.Name, c.After, here, c.Setting)
		}
	}
	if !serves && seen >= closesAtOnce {
		return fmt.Sprintf("Its server closes a connection that was idle for %s, or for less: let the client close before that, or let the server keep them for longer.", seen)
	}
	return ""
}
