// Package worker is what the lab says to the processes that it starts, what they
// answer, and how they behave under such orders: a server under test, a client
// that plays a load, and a supervisor that looks after a command of the user's.
//
// Orders come on standard input and answers go to standard output, each as a
// line of JSON. Standard input is also the parent-death pipe: when it ends, the process
// ends at once, so that no worker outlives a lab that was killed.
package worker

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"time"

	"socketlab/internal/loadgen"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/server"
	"socketlab/scenarios"
)

// ServerOrder is the first line to a server.
type ServerOrder struct {
	// Name is what the process calls itself for tools that list processes, where the system
	// has that; "" keeps the program's name. Linux cuts it to 15 bytes.
	Name string
	// Listen is the address to listen on; port 0 takes a free one.
	Listen    string
	Behaviour scenario.Server
	// Upstreams are more servers, in the same process, on free ports of loopback.
	Upstreams []scenario.Server
	// Network is what becomes of the process's network, which is a namespace of
	// its own.
	Network []scenario.NetworkFault
	// Sysctl is what the kernel keeps for that namespace, each as NAME=VALUE.
	Sysctl []string
	// Settings are for the code of a pair that stands in the middle: a client of
	// the servers behind it.
	Settings scenario.Client
	// Speed is that of the run.
	Speed float64
	// Code and Side name the pair whose server code is to serve, if its sides
	// differ in the server. Without Code there is no such pair.
	Code string
	Side scenario.Side
}

// ClientOrder is the first line to a client.
type ClientOrder struct {
	// Name is as that of a [ServerOrder].
	Name   string
	Code   string
	Side   scenario.Side
	Target loadgen.Target
	// Server is the one address that the client may connect to; the zero AddrPort is all of
	// this machine's loopback.
	Server netip.AddrPort
	// Command is a program of the user's that makes the requests in place of the code,
	// as a line for the system's shell; "" is none.
	Command string
	// SaysReady is for a Command that writes the line "ready" once it can make requests:
	// the client is not ready before.
	SaysReady bool
	// Arrivals are when requests are due, from the start order.
	Arrivals []time.Duration
}

// CommandOrder is the first line to a supervisor.
type CommandOrder struct {
	// Command is a line for the system's shell.
	Command string
	// ShowOutput passes on to standard error what the command writes to its
	// standard output; without it that goes nowhere.
	ShowOutput bool
}

// Command is any later line to a worker.
type Command string

// The commands.
const (
	Start  Command = "start"  // client: play the load; supervisor: start the command
	Report Command = "report" // say what was done so far; supervisor: whether the command has ended
	Finish Command = "finish" // client: send the last report and end
	Stop   Command = "stop"   // server: stop in your own way and end
)

// Answer is a line from a worker: just one of its fields is set.
type Answer struct {
	// Listening is the address a server listens on.
	Listening string `json:",omitempty"`
	// Endpoints is what else there is to know of a server that listens.
	Endpoints *Endpoints `json:",omitempty"`
	// Ready says that a client or a supervisor waits for Start.
	Ready bool `json:",omitempty"`
	// GoVersion is the version of Go that built a client; it comes with Ready.
	GoVersion string `json:",omitempty"`
	// Started is the process of a supervisor's command.
	Started int `json:",omitempty"`
	// Ended is how a supervisor's command ended.
	Ended *End `json:",omitempty"`
	// Asked is a supervisor's answer to Report: if its command has ended, it said so
	// before.
	Asked bool `json:",omitempty"`
	// Report is what a client has done so far.
	Report *loadgen.Report `json:",omitempty"`
	// Served is what a server has done so far, and Upstreams what each of its
	// upstreams has done, by name.
	Served    *server.Served           `json:",omitempty"`
	Upstreams map[string]server.Served `json:",omitempty"`
	// Process is what the server's process uses; it comes with Served.
	Process *series.Process `json:",omitempty"`
	// Due names the servers that requests should go to now.
	Due []string `json:",omitempty"`
	// Stopped says that a server stopped by [Stop].
	Stopped bool `json:",omitempty"`
	// Error is why the worker could not follow an order; it ends then.
	Error string `json:",omitempty"`
}

// Endpoints is what a client must know of a server process beside its address.
type Endpoints struct {
	// Upstreams are the addresses of the servers behind the first, by name, and
	// Names that of the name server.
	Upstreams map[string]string `json:",omitempty"`
	Names     string            `json:",omitempty"`
	// CA is the certificate of a first server that speaks TLS, as PEM.
	CA string `json:",omitempty"`
	// Relayed says that the first server opens connections to those behind it.
	Relayed bool `json:",omitempty"`
}

// End is how a command ended.
type End struct {
	// Code is the exit code, and -1 where a signal ended the command.
	Code int
	// How says the same in words: "exit status 7", "signal: killed".
	How string
}

// orders reads the lab's lines.
type orders struct {
	lines    *bufio.Scanner
	commands chan Command
}

// maxOrder bounds a line: 100,000 arrivals of a load and some more.
const maxOrder = 8 << 20

// die ends a worker whose lab is gone.
func die() { os.Exit(1) }

// receive reads the first order into order, and from then on the commands.
// When the lines end, it calls gone.
func receive(in io.Reader, order any, gone func()) (*orders, error) {
	// Ctrl-C goes to the whole terminal; what it means is the lab's affair.
	signal.Ignore(os.Interrupt)
	o := &orders{lines: bufio.NewScanner(in), commands: make(chan Command)}
	o.lines.Buffer(nil, maxOrder)
	if !o.lines.Scan() {
		return nil, fmt.Errorf("no order on standard input: %w", io.ErrUnexpectedEOF)
	}
	if err := json.Unmarshal(o.lines.Bytes(), order); err != nil {
		return nil, fmt.Errorf("order on standard input: %w", err)
	}
	go func() {
		for o.lines.Scan() {
			var c Command
			if json.Unmarshal(o.lines.Bytes(), &c) == nil {
				o.commands <- c
			}
		}
		gone()
	}()
	return o, nil
}

// fail reports an error to the lab and returns the exit code.
func fail(out *json.Encoder, err error) int {
	_ = out.Encode(Answer{Error: err.Error()}) // if the lab is gone, nobody is left to read it
	return 1
}

// takeName gives this process another name, where the system has a file for that.
func takeName(name string) {
	if name == "" {
		return
	}
	if comm, err := os.OpenFile("/proc/self/comm", os.O_WRONLY, 0); err == nil {
		_, _ = comm.WriteString(name) // a name is for people, and for who reads an exporter
		_ = comm.Close()
	}
}

// checkCode refuses an order for code that this program has not got: --program-dir
// may name programs of another version.
func checkCode(id string) error {
	if id != "" && !scenarios.Has(id) {
		return fmt.Errorf("this program has no code for scenario %q: is it of another version?", id)
	}
	return nil
}
