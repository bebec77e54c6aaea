package kubelab

import (
	"bytes"
	_ "embed" // for the manifests
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"text/template"
	"time"

	"socketlab/internal/scenario"
)

//go:embed manifest.yaml.tmpl
var manifestText string

// manifest is parsed when it is needed first: every command of sockwatch would wait for it.
var manifest = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("manifest").Funcs(template.FuncMap{
		// A string of JSON is one of YAML.
		"q": func(s string) (string, error) {
			b, err := json.Marshal(s)
			return string(b), err
		},
		"indent": func(n int, text string) string {
			pad := strings.Repeat(" ", n)
			return pad + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n"+pad)
		},
		"the": func(name string) any { return names[name] },
	}).Parse(manifestText))
})

// names are the constants of the manifests.
var names = map[string]any{
	"HubPort": HubPort, "FaultyPort": faultyPort, "FixedPort": fixedPort, "HubCommand": HubCommand, "AgentCommand": AgentCommand,
	"EnvScript": EnvScript, "EnvToken": EnvToken, "EnvPod": EnvPod, "EnvNode": EnvNode, "EnvPodIP": EnvPodIP,
}

// Manifest describes the objects of a run. Name, Namespace, Image, Token and Speed are required.
type Manifest struct {
	// Name names all objects of the run, and its label socketlab/run.
	Name, Namespace string
	// Image is one of sockwatch.
	Image string
	// Scenario is at Speed, but for its text.
	Scenario scenario.Script
	// Speed, Seed and Swap are as of [Hub].
	Speed float64
	Seed  uint64
	Swap  bool
	// Clients is how many clients each side has, and Token what they show to the hub.
	Clients int
	Token   string
	// Patience is how long all clients may take to be ready.
	Patience time.Duration
	// Address is the Service's, once it is known; "" is its name.
	Address string
	// Owner is the uid of the hub's Job, once it is known.
	Owner string
	// Hub and Rest say which part is rendered: the hub's Job, or all else.
	Hub, Rest bool
}

// Deadline returns a limit in seconds for a pod of the run: to be ready, to play, to report.
func (m Manifest) Deadline() int {
	return int((m.Patience + m.Scenario.Length() + 2*endTimeout).Seconds()) + 1
}

// Keep returns the TTL of finished Jobs in seconds, so that their logs can be read.
func (m Manifest) Keep() int { return 300 }

// HubMemory is the limit of the hub's pod in MiB: both ends of a connection take some 50 kB
// in a server of Go, and a client of the lab's has some hundred of them.
func (m Manifest) HubMemory() int { return 256 + 24*m.Clients }

// WithoutOwner is for the owner itself.
func (m Manifest) WithoutOwner() Manifest {
	m.Owner = ""
	return m
}

// Script is the text for the hub, in which Kubernetes must not see variables: of $(NAME) it
// would make a value.
func (m Manifest) Script() string { return strings.ReplaceAll(m.Scenario.Text, "$(", "$$(") }

// HubArgs are the flags of the hub.
func (m Manifest) HubArgs() []string {
	args := []string{
		"--id", m.Scenario.ID, "--speed", strconv.FormatFloat(m.Speed, 'g', -1, 64), "--seed", strconv.FormatUint(m.Seed, 10),
		"--clients", strconv.Itoa(m.Clients), "--wait", m.Patience.String(), "--namespace", m.Namespace,
	}
	if m.Swap {
		args = append(args, "--swap-sides")
	}
	return args
}

// HubAddress is where the agents find the hub.
func (m Manifest) HubAddress() string {
	host := m.Address
	if host == "" {
		host = m.Name + "." + m.Namespace
	}
	return net.JoinHostPort(host, strconv.Itoa(HubPort))
}

// Sides are those of the lab.
func (m Manifest) Sides() []scenario.Side { return scenario.Sides() }

// Render writes the manifests as YAML.
func (m Manifest) Render() ([]byte, error) {
	var b bytes.Buffer
	if err := manifest().Execute(&b, m); err != nil {
		return nil, fmt.Errorf("render the manifests: %w", err)
	}
	return append(bytes.TrimSpace(b.Bytes()), '\n'), nil
}
