package role

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"

	"socketlab/internal/slowserver"
	"socketlab/scenarios"
)

// Server is a server process under orders from in. It returns the exit code.
// ctx ends it as Stop does.
func Server(ctx context.Context, in io.Reader, out io.Writer, log *slog.Logger) int {
	answers := json.NewEncoder(out)
	var order ServerOrder
	orders, err := receive(in, &order, die)
	if err != nil {
		return fail(answers, err)
	}
	config := slowserver.Config{Behaviour: order.Behaviour, Log: log}
	if order.Code != "" {
		config.Serve = scenarios.Serve(order.Code, order.Side)
	}
	server := slowserver.New(config)
	listener, err := net.Listen("tcp", order.Listen)
	if err != nil {
		return fail(answers, err)
	}
	if err := answers.Encode(Answer{Listening: listener.Addr().String()}); err != nil {
		return 1
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	stopped := make(chan error, 1)
	go func() { stopped <- server.Serve(ctx, listener) }()
	for {
		select {
		case c := <-orders.commands:
			switch c {
			case Stop:
				stop()
			case Report:
				served := server.Served()
				if err := answers.Encode(Answer{Served: &served}); err != nil {
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
