// The client of a lab's run for versions of Go that do not build the project: it has the
// code of the pairs, and follows the orders of internal/worker.
package main

import (
	"context"
	"encoding/json"
	"os"
	"runtime"
	"time"

	"socketlab/internal/loadgen"
)

type order struct {
	Code, Side string
	Target     loadgen.Target
	Arrivals   []time.Duration
}

type report struct {
	Final bool `json:"final"`
}

type answer struct {
	Ready     bool    `json:",omitempty"`
	GoVersion string  `json:",omitempty"`
	Report    *report `json:",omitempty"`
	Error     string  `json:",omitempty"`
}

func main() {
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	say := func(a answer) {
		if err := out.Encode(a); err != nil {
			os.Exit(1)
		}
	}
	var o order
	if err := in.Decode(&o); err != nil {
		say(answer{Error: err.Error()})
		os.Exit(1)
	}
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		_ = os.Unsetenv(name)
	}
	pair, ok := pairs[o.Code]
	if !ok {
		say(answer{Error: "no code for " + o.Code})
		os.Exit(1)
	}
	caller := pair[o.Side](o.Target)
	say(answer{Ready: true, GoVersion: runtime.Version()})
	for {
		var command string
		if err := in.Decode(&command); err != nil { // the lab has ended
			os.Exit(1)
		}
		if command == "start" {
			go play(caller, o.Arrivals)
			continue
		}
		say(answer{Report: &report{Final: command == "finish"}})
		if command == "finish" {
			return
		}
	}
}

// play makes each request when it is due, answered or not.
func play(caller loadgen.Caller, arrivals []time.Duration) {
	began := time.Now()
	for _, due := range arrivals {
		time.Sleep(time.Until(began.Add(due)))
		go func() { _ = caller.Call(context.Background()) }()
	}
}
