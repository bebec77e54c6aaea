// Package kubelab plays a scenario on Kubernetes: more clients than one machine has room
// for, each in a pod of its own, against one pod with the servers of both sides.
//
// Three kinds of processes take part, all of them sockwatch. The hub is the server's pod: it
// starts the servers, counts their sockets and adds up what the clients' pods see. An agent is
// a client's pod: it starts one client, counts its sockets as a run on one machine does, and
// sends each sample to the hub. sockwatch run ([Run]) renders and applies the manifests by way of
// kubectl, reads what the hub says from its log, and deletes what it made.
//
// Agents and hub speak lines of JSON over one TCP connection. It is the agent's parent-death
// pipe, too: where it ends, the load ends. Sockets of that connection are in no count: only
// those at the servers' ports are.
package kubelab

import (
	"fmt"
	"time"

	"socketlab/internal/scenario"
	"socketlab/internal/series"
)

// The commands of sockwatch that pods run.
const (
	HubCommand   = "kubernetes-hub"
	AgentCommand = "kubernetes-agent"
)

// Ports of the hub's pod: of the hub itself, and of each side's server.
const (
	HubPort    = 8080
	faultyPort = 8081
	fixedPort  = 8082
)

func portOf(side scenario.Side) uint16 {
	if side == scenario.Fixed {
		return fixedPort
	}
	return faultyPort
}

// Environment variables of the pods.
const (
	EnvScript = "SOCKWATCH_SCRIPT" // hub: the script, as YAML
	EnvToken  = "SOCKWATCH_TOKEN"  // both: what an agent shows to the hub
	EnvPod    = "SOCKWATCH_POD"    // agent: its pod
	EnvNode   = "SOCKWATCH_NODE"   // agent: the machine of that
	EnvPodIP  = "SOCKWATCH_POD_IP" // hub: its address
	EnvIndex  = "JOB_COMPLETION_INDEX"
)

// MostClients bounds the clients of a side: a faulty client holds some hundred connections,
// and one pod has the server's ends of all.
const MostClients = 250

// CanPlay returns nil if a script can be played on Kubernetes, and otherwise an error that says
// why not.
func CanPlay(s scenario.Script) error {
	why := ""
	switch {
	case s.Requires == scenario.Namespace:
		why = "it changes its network or its kernel's settings, which a pod of restricted Pod Security may not"
	case s.Folder != "" || s.Implementation == "":
		why = "its code is in no image"
	case scenario.ProtocolOf(s.Server).Name == "https":
		why = "its server's certificate is for loopback"
	}
	for _, up := range s.Upstreams {
		if scenario.ProtocolOf(up).NameServer {
			why = "its clients ask a name server of the lab, which answers on loopback"
		}
	}
	if why == "" {
		return nil
	}
	return fmt.Errorf("%s cannot be played on Kubernetes: %s", s.ID, why)
}

// hello is an agent's first line.
type hello struct {
	Token     string
	Side      scenario.Side
	Index     int
	Pod, Node string `json:",omitempty"`
}

// task is the hub's first line to an agent: what to play.
type task struct {
	ID, Script string
	Speed      float64
	Seed       uint64
	Code       scenario.Side
	// Port is that of the side's server, at the address at which the agent has found the hub.
	Port uint16
}

// word is a later line of the hub.
type word string

const (
	begin   word = "begin"   // play the load now
	counted word = "counted" // everything was counted a last time: end the client
)

// answer is a line of an agent. One with no field set says that the agent is alive.
type answer struct {
	Ready bool          `json:",omitempty"` // the client waits
	Event *series.Event `json:",omitempty"`
	Sent  bool          `json:",omitempty"` // the whole load was sent
	Error string        `json:",omitempty"` // why the agent ends
}

// line is what the hub writes to its log. One with no field set says that it is alive.
type line struct {
	// Ready is how many clients wait, of Of.
	Ready, Of int           `json:",omitempty"`
	Event     *series.Event `json:",omitempty"`
	// Error is why the run failed; it is the last line but the event of the end.
	Error string `json:",omitempty"`
	// Over says that nothing follows.
	Over bool `json:",omitempty"`
}

const (
	// aliveEvery is the time between two lines of somebody who has nothing to say, and
	// silence how long nothing may come until the other is taken to be gone: machines that
	// are busy starting pods are late.
	aliveEvery = 2 * time.Second
	silence    = 15 * time.Second
	// endTimeout is how long all agents may take for their last count and report.
	endTimeout = 40 * time.Second
	// mostLine bounds a line of a connection or a log.
	mostLine = 16 << 20
)

// clientID names a client in an observation.
func clientID(side scenario.Side, index int) string { return fmt.Sprintf("%s-%d", side, index) }
