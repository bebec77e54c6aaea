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
	// At this rate a request is answered before the next is due: few
	// connections, all kept alive, and a core idle while both clients run.
	countersRate   = 2500
	countersLength = 4 * time.Second
)

func measureCounters(ctx context.Context, o options, n *neighbours) (table, error) {
	names, workers := []string{"loadgen.Player", "bare http.Client"}, []string{"worker-player", "worker-nocounters"}
	requests := len(schedule(countersRate, countersLength))
	micros := make([]figures, len(workers))
	for run := range o.runs {
		what := fmt.Sprintf("count %d requests, run %d of %d", requests, run+1, o.runs)
		cpu, err := undisturbed(ctx, n, what, func() ([]time.Duration, error) { return countersCPU(ctx, workers, countersRate, countersLength, run) })
		if err != nil {
			return table{}, err
		}
		for i := range workers {
			micros[i] = append(micros[i], float64(cpu[i].Microseconds())/float64(requests))
		}
	}
	ratio := micros[0].over(micros[1])
	return table{
		title:   "Client-side counters",
		columns: names,
		rows: []row{
			{"CPU per request, µs", 1, micros, nil},
			{"the same against the bare client", 2, []figures{ratio, nil}, atMost(1.15, ratio.median())},
		},
		how: fmt.Sprintf(`Each client is a process of its own and makes %d requests at %d/s over kept-alive connections to a
server in a third process that answers at once. Both clients run at the same time, so that whatever
slows one slows the other. CPU is a client's user and system time (getrusage) from its start to its
end, over the number of requests. Both sleep to the same moments, start a goroutine for each request
and call the same HTTP client (loadgen.NewPlain). Only the player counts: httptrace hooks,
histograms, counters, the connections seen, and a look at the number of descriptors every 5 ms.
Sleeping and the start of the process are in both and make the ratio a little smaller than that of
a request alone.`, requests, countersRate),
	}, nil
}

// countersCPU runs all clients at once against a new server, and returns the
// processor time of each.
func countersCPU(ctx context.Context, workers []string, rate int, length time.Duration, run int) ([]time.Duration, error) {
	command, err := self("worker-stall")
	if err != nil {
		return nil, err
	}
	server, err := startServer(ctx, command)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	var (
		ended  sync.WaitGroup
		cpu    = make([]time.Duration, len(workers))
		failed = make([]error, len(workers))
	)
	for _, i := range order(len(workers), run) {
		command, err := self(workers[i], "-addr", server.addr, "-rate", strconv.Itoa(rate), "-for", length.String())
		if err != nil {
			return nil, err
		}
		ended.Go(func() { cpu[i], failed[i] = cpuOf(ctx, command) })
	}
	ended.Wait()
	return cpu, errors.Join(failed...)
}
