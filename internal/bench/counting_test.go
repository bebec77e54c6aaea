package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"socketlab/internal/worker/netns"
)

const (
	watchWindow = 10 * time.Second
	mostWatch   = 1  // percent
	mostAllocs  = 50 // a call
	watchRow    = "`sockwatch watch --port P` at 1 Hz, % of a core"
)

// The scenes that a bar is for.
var (
	fewAmongMany    = scene{ours: 50, others: 5_000}
	tenThousand     = scene{ours: 5_000}
	hundredThousand = scene{ours: 50_000}
)

var scenes = []scene{{ours: 50}, fewAmongMany, {ours: 500}, tenThousand, {ours: 10_000}, hundredThousand}

// counting is what was measured of a scene.
type counting struct {
	scene  scene
	millis map[string]figures // by the lister's name
	allocs map[string]figures
	watch  figures // percent of a core; only of tenThousand
}

func measureCounting(ctx context.Context, o options, n *neighbours) (table, error) {
	var got []counting
	var limits []string
	for _, s := range scenes {
		if why := s.obstacle(); why != "" {
			limits = append(limits, fmt.Sprintf("%s could not be held: %s.", s, why))
			continue
		}
		c, err := measureScene(ctx, s, o, n)
		if errors.Is(err, netns.ErrForbidden) {
			return table{title: countingTitle, limits: []string{"Nothing was measured: " + err.Error() + "."}, how: countingNeeds}, nil
		}
		if err != nil {
			return table{}, err
		}
		got = append(got, c)
	}
	if len(got) == 0 {
		return table{title: countingTitle, limits: limits, how: countingNeeds}, nil
	}
	return countingTable(got, limits), nil
}

// measureScene holds a scene's sockets once, and counts them in every run.
func measureScene(ctx context.Context, s scene, o options, n *neighbours) (counting, error) {
	c := counting{scene: s, millis: map[string]figures{}, allocs: map[string]figures{}}
	fmt.Fprintf(n.progress, "bench: hold %s\n", s)
	st, err := openStage(ctx, s)
	if err != nil {
		return c, err
	}
	defer st.close()
	for run := range o.runs {
		what := fmt.Sprintf("count %s, run %d of %d", s, run+1, o.runs)
		got, err := undisturbed(ctx, n, what, func() (map[string]timing, error) { return st.run(ctx, run) })
		if err != nil {
			return c, err
		}
		for name, t := range got {
			c.millis[name] = append(c.millis[name], t.Millis)
			c.allocs[name] = append(c.allocs[name], t.Allocs)
		}
	}
	if s != tenThousand {
		return c, nil
	}
	w, err := st.startWatch(ctx, o.sockwatch)
	if err != nil {
		return c, err
	}
	for run := range o.runs {
		what := fmt.Sprintf("watch %s, run %d of %d", s, run+1, o.runs)
		cpu, err := undisturbed(ctx, n, what, func() (time.Duration, error) { return w.cpu(ctx, watchWindow) })
		if err != nil {
			return c, err
		}
		c.watch = append(c.watch, 100*cpu.Seconds()/watchWindow.Seconds())
	}
	return c, nil
}

// ratio is nil where one of the listers was not called.
func (c counting) ratio(ours, peer string) figures {
	if len(c.millis[ours]) == 0 || len(c.millis[peer]) == 0 {
		return nil
	}
	return c.millis[ours].over(c.millis[peer])
}

// against compares one lister with another; the bar is for one scene.
type against struct {
	ours, peer string
	digits     int
	limit      float64 // 0 for no bar
	at         scene
}

var comparisons = []against{
	{diagPortOwners, ssPortOwners, 3, 0.06, fewAmongMany},
	{diagPortOwners, psConnections, 4, 0.01, fewAmongMany},
	{diagPort, ssPort, 2, 0.4, tenThousand},
	{diagPortOwners + firstCall, ssPortOwners, 2, 0.2, tenThousand},
	{diagPort + rest, ssPort + rest, 2, 0, scene{}},
	{diagAll, ssAll, 2, 0.6, hundredThousand},
}

// countingTable has a column for each scene, and a row for each lister. What
// could not be measured is empty, and said in the limits.
func countingTable(got []counting, limits []string) table {
	t := table{title: countingTitle, how: countingHow()}
	for _, c := range got {
		t.columns = append(t.columns, c.scene.String())
	}
	cells := func(of func(counting) figures) []figures {
		all := make([]figures, len(got))
		for i, c := range got {
			all[i] = of(c)
		}
		return all
	}
	add := func(what string, digits int, limit float64, at scene, of func(counting) figures) {
		r := row{what, digits, cells(of), nil}
		if limit > 0 {
			r.bar = barAt(got, r.cells, limit, at)
			if r.bar == nil {
				limits = append(limits, fmt.Sprintf("%s: the bar with %s is neither met nor missed, for want of figures.", what, at))
			}
		}
		t.rows = append(t.rows, r)
	}
	noBar := scene{}
	for _, l := range listers {
		add(l.name+", ms", 2, 0, noBar, func(c counting) figures { return c.millis[l.name] })
	}
	for _, program := range missingPrograms(got) {
		limits = append(limits, fmt.Sprintf("`%s` is not installed here: its rows are empty.", program))
	}
	for _, a := range comparisons {
		add(a.ours+", against "+a.peer, a.digits, a.limit, a.at, func(c counting) figures { return c.ratio(a.ours, a.peer) })
	}
	allocs := func(name string, limit float64, at scene) {
		add(name+", allocations", 0, limit, at, func(c counting) figures { return c.allocs[name] })
	}
	allocs(diagPort, mostAllocs, tenThousand)
	allocs(diagPortOwners, 0, noBar)
	allocs(psConnections, 0, noBar)
	add(watchRow, 2, mostWatch, tenThousand, func(c counting) figures { return c.watch })
	t.limits = limits
	return t
}

// missingPrograms are those whose listers were never called.
func missingPrograms(got []counting) []string {
	var missing []string
	for _, l := range listers {
		called := slices.ContainsFunc(got, func(c counting) bool { return len(c.millis[l.name]) > 0 })
		if l.program != "" && !called && !slices.Contains(missing, l.program) {
			missing = append(missing, l.program)
		}
	}
	return missing
}

// barAt is an upper bar for one scene, nil where that was not measured.
func barAt(got []counting, cells []figures, limit float64, at scene) *bar {
	for i, c := range got {
		if c.scene == at && len(cells[i]) > 0 {
			return atMost(limit, cells[i].median()).of("with " + at.String())
		}
	}
	return nil
}
