package worker

import (
	"context"
	"encoding/json"
	"io"

	"socketlab/internal/loadgen"
	"socketlab/scenarios"
)

// Client is a client process under orders from in. It returns the exit code.
// ctx ends it with a last report, as Finish does.
func Client(ctx context.Context, in io.Reader, out io.Writer) int {
	answers := json.NewEncoder(out)
	var order ClientOrder
	orders, err := receive(in, &order, die)
	if err != nil {
		return fail(answers, err)
	}
	caller := scenarios.NewCaller(order.Code, order.Side, order.Target)
	if err := answers.Encode(Answer{Ready: true}); err != nil {
		return 1
	}
	for c := range orders.commands {
		if c == Start {
			break
		}
	}
	player := loadgen.Begin(caller, order.Arrivals, loadgen.MaxFDs())
	go player.Play(ctx)
	for {
		final := false
		select {
		case c := <-orders.commands:
			final = c == Finish
		case <-ctx.Done():
			final = true
		}
		report := player.Report()
		report.Final = final
		if err := answers.Encode(Answer{Report: &report}); err != nil {
			return 1
		}
		if final {
			return 0
		}
	}
}
