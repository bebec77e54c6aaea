package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/shirou/gopsutil/v3/process"

	"socketlab/internal/worker/netns"
)

// mostSockets is the size for which the bar is; where the machine holds fewer, as many as
// it does.
const mostSockets = 400_000

// grownScene is the scene with the most sockets that this machine holds, up to mostSockets.
func grownScene() scene {
	const step = 10_000
	s := scene{ours: min(mostSockets/2, mostHolders*heldBy())}
	for s.ours > step && s.obstacle() != "" {
		s.ours -= step
	}
	return s
}

// measureGrowth compares what a socket costs to count among few and among very many.
func measureGrowth(ctx context.Context, o options, n *neighbours) (table, error) {
	t := table{title: "Counting very many sockets", how: growthHow()}
	var perSocket [2]figures
	var rss figures
	var millis, micros row
	millis.what, micros.what = diagPort+", ms", "the same for each socket, µs"
	millis.digits, micros.digits = 1, 2
	for i, s := range []scene{tenThousand, grownScene()} {
		took, memory, err := measureCounter(ctx, s, o, n)
		if errors.Is(err, netns.ErrForbidden) {
			return table{title: t.title, how: countingNeeds, limits: []string{"Nothing was measured: " + err.Error() + "."}}, nil
		}
		if err != nil {
			return t, err
		}
		for _, ms := range took {
			perSocket[i] = append(perSocket[i], 1000*ms/float64(2*s.ours))
		}
		rss = memory
		t.columns = append(t.columns, s.String())
		millis.cells, micros.cells = append(millis.cells, took), append(micros.cells, perSocket[i])
	}
	if reached := 2 * grownScene().ours; reached < mostSockets {
		t.limits = append(t.limits, fmt.Sprintf("This machine holds %s sockets for this, and not %s: its limit of descriptors, or its memory.", thousands(reached), thousands(mostSockets)))
	}
	growth := perSocket[1].over(perSocket[0])
	t.rows = []row{
		millis, micros,
		{"growth of the time for each socket", 2, []figures{nil, growth}, atMost(1.3, growth.median())},
		{"RSS of the process that counts, MiB", 0, []figures{nil, rss}, atMost(64, rss.median())},
	}
	return t, nil
}

// measureCounter holds a scene and has one process count it in every run.
func measureCounter(ctx context.Context, s scene, o options, n *neighbours) (took, rss figures, err error) {
	fmt.Fprintf(n.progress, "bench: hold %s\n", s)
	st, err := openHeld(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	defer st.close()
	if err := st.startTimer(ctx, "-only", diagPort); err != nil {
		return nil, nil, err
	}
	for run := range o.runs {
		what := fmt.Sprintf("count %s, run %d of %d", s, run+1, o.runs)
		got, err := undisturbed(ctx, n, what, func() (map[string]timing, error) { return st.run(ctx, run) })
		if err != nil {
			return nil, nil, err
		}
		memory, err := (&process.Process{Pid: int32(st.timer.PID)}).MemoryInfo()
		if err != nil {
			return nil, nil, err
		}
		took, rss = append(took, got[diagPort].Millis), append(rss, float64(memory.RSS)/(1<<20))
	}
	return took, rss, nil
}

// startTimer starts the process that lists, with warm listers.
func (st *stage) startTimer(ctx context.Context, args ...string) error {
	return st.within(ctx, func() (err error) {
		if st.timer, err = st.start("worker-time", append(st.timerArgs(), args...)...); err == nil {
			err = st.timer.isReady()
		}
		return err
	})
}

// timerArgs say what there is to find.
func (st *stage) timerArgs() []string {
	return []string{
		"-port", strconv.Itoa(ourPort), "-all", strconv.Itoa(st.there.All),
		"-ours", strconv.Itoa(st.there.Ours), "-served", strconv.Itoa(st.there.Served),
	}
}

func growthHow() string {
	return `The same idle sockets as above, both ends of each connection, listed and counted by end and state by
one process that keeps nothing but its last list. RSS is that at the end of a run.`
}
