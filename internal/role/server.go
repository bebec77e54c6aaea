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
	orders, err := receive(in, &order)
	if err != nil {
		return fail(answers, err)
	}
	server := slowserver.New(slowserver.Config{
		Behaviour: order.Behaviour,
		Serve:     scenarios.Serve(order.Code, order.Side),
		Log:       log,
	})
	listener, err := net.Listen("tcp", order.Listen)
	if err != nil {
		return fail(answers, err)
	}
	if err := answers.Encode(Answer{Listening: listener.Addr().String()}); err != nil {
		return 1
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		for c := range orders.commands {
			if c == Stop {
				stop()
			}
		}
	}()
	if err := server.Serve(ctx, listener); err != nil {
		return fail(answers, err)
	}
	_ = answers.Encode(Answer{Stopped: true})
	return 0
}
