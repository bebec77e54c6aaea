package worker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"sync/atomic"
	"syscall"

	"socketlab/internal/loadgen"
	"socketlab/scenarios"
)

// Client is a client process under orders from in. It returns the exit code.
// ctx ends it with a last report, as Finish does; before Start there is none.
func Client(ctx context.Context, in io.Reader, out io.Writer) int {
	answers := json.NewEncoder(out)
	var order ClientOrder
	var held atomic.Pointer[lines] // the user's program, which must not outlive the lab
	orders, err := receive(in, &order, func() {
		if program := held.Load(); program != nil {
			program.end()
		}
		die()
	})
	if err == nil && order.Code == "" && order.Command == "" {
		err = errors.New("an order for a client names the code")
	}
	if err := cmp.Or(err, checkCode(order.Code)); err != nil {
		return fail(answers, err)
	}
	takeName(order.Name)
	caller, program, err := callerOf(order)
	if err != nil {
		return fail(answers, err)
	}
	var ended <-chan End
	if program != nil {
		held.Store(program)
		defer program.end()
		ended = program.command.ended
	}
	if program != nil && order.SaysReady {
		select {
		case <-program.ready:
		case end := <-ended:
			program.command.waitOutput()
			return fail(answers, endedEarly(order.Command, end))
		case <-ctx.Done():
			return 0
		}
	}
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
		case end := <-ended:
			program.command.waitOutput()
			return fail(answers, endedEarly(order.Command, end))
		case <-ctx.Done():
			return 0
		}
	}
	player := loadgen.Begin(caller, order.Arrivals, loadgen.MaxFDs())
	player.Keep(order.Target.DNS != "", order.Server)
	go player.Play(ctx)
	for {
		final := false
		select {
		case c := <-orders.commands:
			final = c == Finish
		case end := <-ended:
			program.command.waitOutput()
			return fail(answers, endedEarly(order.Command, end))
		case <-ctx.Done():
			final = true
		}
		report := player.Report()
		if program != nil { // what the player counts are connections and descriptors of its own
			report.Connections, report.Process, report.Requests.Attempts = nil, nil, nil
			report.Texts = program.errorTexts()
		}
		report.Final = final
		if err := answers.Encode(Answer{Report: &report}); err != nil {
			return 1
		}
		if final {
			return 0
		}
	}
}

// callerOf is what makes the requests of an order: the code of a pair, or a program of
// the user's, which the caller ends.
func callerOf(order ClientOrder) (loadgen.Caller, *lines, error) {
	if order.Command == "" {
		loadgen.IgnoreProxies()
		return scenarios.NewCaller(order.Code, order.Side, order.Target), nil, nil
	}
	// A lab that is gone may not end us before the program. Unlike an ignored signal, one
	// that is caught is not handed on to it.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	// The kernel ends the program with the thread that started it.
	runtime.LockOSThread()
	program, err := startLines(order.Command, order.Target)
	if err != nil {
		return nil, nil, fmt.Errorf("start %q: %w", order.Command, err)
	}
	return program, program, nil
}

func endedEarly(command string, end End) error {
	advice := ""
	if end.Code == 0 { // a program that failed has said why
		advice = ": it has to read requests until the end of its standard input"
	}
	return fmt.Errorf("%q ended (%s) before its load did%s", command, end.How, advice)
}
