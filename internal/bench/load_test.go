package bench

import (
	"context"
	"fmt"
)

// loadRate is more than what the peers of measureArrivals can send.
const loadRate = 5000

// measureLoad measures the product's player at a rate that takes most of two cores, both
// ends and the server together.
func measureLoad(ctx context.Context, o options, n *neighbours) (table, error) {
	var late, sent, stalled figures
	for run := range o.runs {
		what := fmt.Sprintf("send %d requests/s, run %d of %d", loadRate, run+1, o.runs)
		steady, err := undisturbed(ctx, n, what, func() (sending, error) {
			return sendAt(ctx, playFreely, loadRate, steadyLength, 0)
		})
		if err != nil {
			return table{}, err
		}
		stall, err := undisturbed(ctx, n, what+", server stalls", func() (sending, error) {
			return sendAt(ctx, playFreely, loadRate, stallLength, stallFor)
		})
		if err != nil {
			return table{}, err
		}
		late = append(late, millis(steady.late))
		sent = append(sent, steady.share(0, steadyLength))
		stalled = append(stalled, stall.share(stallAt, stallAt+stallFor))
	}
	return table{
		title:   fmt.Sprintf("Sending %d requests a second", loadRate),
		columns: []string{"loadgen.Player"},
		rows: []row{
			{"lateness p99, ms", 2, []figures{late}, atMost(5, late.median())},
			{"sent before the schedule ends, %", 1, []figures{sent}, nil},
			{"sent during a stall, of those due in it, %", 1, []figures{stalled}, atLeast(98, stalled.median())},
		},
		how: `As above, with the product's player alone. During the stall each request needs a connection of its
own, 5,000 in a second: the client opens them, and the server, on the same two cores, accepts them.
That is more than the share of its descriptor limit that a run takes by itself.`,
	}, nil
}
