package worker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"runtime"

	"socketlab/internal/loadgen"
	"socketlab/scenarios"
)

// Client is a client process under orders from in. It returns the exit code.
// ctx ends it with a last report, as Finish does; before Start there is none.
func Client(ctx context.Context, in io.Reader, out io.Writer) int {
	answers := json.NewEncoder(out)
	var order ClientOrder
	orders, err := receive(in, &order, die)
	if err == nil && order.Code == "" {
		err = errors.New("an order for a client names the code")
	}
	if err := cmp.Or(err, checkCode(order.Code)); err != nil {
		return fail(answers, err)
	}
	caller := scenarios.NewCaller(order.Code, order.Side, order.Target)
	if err := answers.Encode(Answer{Ready: true, GoVersion: runtime.Version()}); err != nil {
		return 1
	}
	for begun := false; !begun; {
		select {
		case c := <-orders.commands:
			if c == Finish {
				return 0
			}
			begun = c == Start
		case <-ctx.Done():
			return 0
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
