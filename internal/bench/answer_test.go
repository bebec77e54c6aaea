package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"
)

const (
	answerRate   = 2000
	answerLength = 5 * time.Second
)

// measureAnswers measures what a request costs that is answered at once.
func measureAnswers(ctx context.Context, o options, n *neighbours) (table, error) {
	bare, err := self("worker-sleep")
	if err != nil {
		return table{}, err
	}
	servers := [][]string{{o.slowserver, "--listen", "127.0.0.1:0", "--delay", "0"}, bare}
	requests := len(schedule(answerRate, answerLength))
	micros := make([]figures, len(servers))
	for run := range o.runs {
		what := fmt.Sprintf("answer %d requests, run %d of %d", requests, run+1, o.runs)
		cpu, err := undisturbed(ctx, n, what, func() ([]time.Duration, error) {
			return answersCPU(ctx, servers, answerRate, answerLength, run)
		})
		if err != nil {
			return table{}, err
		}
		for i := range servers {
			micros[i] = append(micros[i], float64(cpu[i].Microseconds())/float64(requests))
		}
	}
	ratio := micros[0].over(micros[1])
	return table{
		title:   "Answering at once",
		columns: []string{"slowserver --delay 0", "net/http"},
		rows: []row{
			{"CPU per request, µs", 1, micros, nil},
			{"the same against net/http", 2, []figures{ratio, nil}, atMost(1.2, ratio.median())},
		},
		how: fmt.Sprintf(`Each server is a process of its own, with slowserver's defaults but for the delay. A client each sends
%d requests at %d/s over kept-alive connections (loadgen.NewPlain), to both servers at the same
time. CPU is a server's user and system time without that of its start, over the number of
requests.`, requests, answerRate),
	}, nil
}

// answersCPU has a client for each server send its requests, all at once, and returns
// the processor time of each server.
func answersCPU(ctx context.Context, servers [][]string, rate int, length time.Duration, run int) ([]time.Duration, error) {
	var (
		all    sync.WaitGroup
		cpu    = make([]time.Duration, len(servers))
		failed = make([]error, len(servers))
	)
	for _, i := range order(len(servers), run) {
		all.Go(func() {
			server, err := startServer(ctx, servers[i])
			if err != nil {
				failed[i] = err
				return
			}
			started, err := server.cpu()
			if err != nil {
				server.stop()
				failed[i] = err
				return
			}
			client, err := self("worker-nocounters", "-addr", server.addr, "-rate", strconv.Itoa(rate), "-for", length.String())
			if err == nil {
				_, err = cpuOf(ctx, client)
			}
			cpu[i], failed[i] = server.stop()-started, err
		})
	}
	all.Wait()
	return cpu, errors.Join(failed...)
}
