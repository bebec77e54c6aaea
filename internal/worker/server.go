package worker

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"log/slog"

	"socketlab/internal/scenario"
)

// NetworkFaults changes the network as a script says, such as netfault.Plan. It is an
// argument so that only programs with servers link what it takes.
type NetworkFaults func(plan []scenario.NetworkFault, port uint16, began <-chan struct{}) (run func(context.Context) error, err error)

// Server is a server process under orders from in. It returns the exit code.
// ctx ends it as Stop does.
func Server(ctx context.Context, in io.Reader, out io.Writer, log *slog.Logger, faults NetworkFaults) int {
	answers := json.NewEncoder(out)
	var order ServerOrder
	orders, err := receive(in, &order, die)
	if err := cmp.Or(err, checkCode(order.Code)); err != nil {
		return fail(answers, err)
	}
	servers, err := openServers(order, log)
	if err != nil {
		return fail(answers, err)
	}
	if err := answers.Encode(Answer{Listening: servers.all[0].addr(), Endpoints: servers.endpoints()}); err != nil {
		return 1
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	stopped := make(chan error, 1)
	go func() { stopped <- servers.serve(ctx, faults) }()
	for {
		select {
		case c := <-orders.commands:
			switch c {
			case Stop:
				stop()
			case Report:
				if err := answers.Encode(servers.served()); err != nil {
					return 1
				}
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
