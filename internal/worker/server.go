package worker

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"log/slog"

	"socketlab/internal/loadgen"
	"socketlab/internal/scenario"
)

// Network changes the network of the process's namespace, such as netfault.Changes.
// It is an argument so that only programs with servers link what it takes.
type Network interface {
	// Sysctl sets what the kernel keeps for each network namespace, each as NAME=VALUE.
	Sysctl(settings []string) error
	// Plan makes the changes of a script that come before the load, and returns what
	// makes the others until its context is done. Their times count from began, and
	// rules are for the port of the server that they name.
	Plan(plan []scenario.NetworkFault, portOf func(server string) uint16, began <-chan struct{}) (run func(context.Context) error, err error)
}

// Server is a server process under orders from in. It returns the exit code.
// ctx ends it as Stop does.
func Server(ctx context.Context, in io.Reader, out io.Writer, log *slog.Logger, network Network) int {
	answers := json.NewEncoder(out)
	var order ServerOrder
	orders, err := receive(in, &order, die)
	if err := cmp.Or(err, checkCode(order.Code)); err != nil {
		return fail(answers, err)
	}
	takeName(order.Name)
	if len(order.Sysctl) > 0 { // the queue of a listener is cut to what holds when it listens
		if err := network.Sysctl(order.Sysctl); err != nil {
			return fail(answers, err)
		}
	}
	servers, err := openServers(order, log)
	if err != nil {
		return fail(answers, err)
	}
	var usage loadgen.Usage
	if err := answers.Encode(Answer{Listening: servers.all[0].addr(), Endpoints: servers.endpoints()}); err != nil {
		return 1
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	stopped := make(chan error, 1)
	go func() { stopped <- servers.serve(ctx, network) }()
	for {
		select {
		case c := <-orders.commands:
			switch c {
			case Stop:
				stop()
			case Report:
				served := servers.served()
				served.Process = usage.Read()
				if err := answers.Encode(served); err != nil {
					return 1
				}
			default: // the other commands are those of clients
			}
		case err := <-stopped:
			if err != nil {
				return fail(answers, err)
			}
			_ = answers.Encode(Answer{Stopped: true})
			return 0
		}
	}
}
