package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/shirou/gopsutil/v3/process"

	"socketlab/internal/worker/netns"
)

const (
	// oldBuild is the commit whose build is the peer.
	oldBuild = "64b316a"
	// watchedFor has a check of the list in it, whenever it begins.
	watchedFor = 32 * time.Second
	// countsByThemselves is how often a count by itself is taken in a run.
	countsByThemselves = 5
)

// The scenes of which a watch is measured.
var (
	fiveHolders      = scene{ours: 90_000, each: 18_000}
	hundredProcesses = scene{ours: 5_000, each: 50}
)

// watcher is a sockwatch that watches, with the time that its samples took.
type watcher struct {
	pid  int
	stop func()

	mu    sync.Mutex
	tooks []time.Duration
	lines chan sampleLine // the first ones
}

// sampleLine is a line of `watch -o json`, of this build or the old one.
type sampleLine struct {
	Took   time.Duration `json:"took_ns"` // the old build's
	Moment *struct {
		Took        time.Duration `json:"took_ns"`
		EventSource string        `json:"event_source"`
	} `json:"moment"`
}

func (l sampleLine) took() time.Duration {
	if l.Moment != nil {
		return l.Moment.Took
	}
	return l.Took
}

// firstSamples is how many samples a watch takes before it is measured: the first finds
// all owners.
const firstSamples = 4

// watch starts a sockwatch in the network namespace of a stage: inside, without
// privilege, or from outside with that of this process.
func (st *stage) watch(ctx context.Context, sockwatch string, privileged bool, args ...string) (*watcher, error) {
	command := append([]string{sockwatch, "watch", "-o", "json"}, args...)
	w := &watcher{lines: make(chan sampleLine, firstSamples)}
	var out io.Reader
	if privileged {
		cmd := exec.CommandContext(ctx, "nsenter", st.enter(command)...)
		cmd.SysProcAttr, cmd.Stderr = diesWithUs(), io.Discard
		pipe, err := cmd.StdoutPipe()
		if err != nil {
			return nil, err
		}
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		out, w.pid = pipe, cmd.Process.Pid
		w.stop = func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait() // that it was killed
		}
	} else {
		p, err := st.startProgram(command)
		if err != nil {
			return nil, err
		}
		out, w.pid = p.out, p.PID
		w.stop = func() { _ = p.Kill() }
	}
	go w.read(out)
	for range firstSamples {
		select {
		case l, ok := <-w.lines:
			if !ok {
				return nil, fmt.Errorf("%s ended early", sockwatch)
			}
			if l.Moment != nil && (l.Moment.EventSource == "tracepoint") != privileged {
				w.stop()
				return nil, errNoTracepoint
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return w, nil
}

var errNoTracepoint = errors.New("the tracepoint can be read by root only, with nsenter")

// enter is nsenter's command line for a program in the stage's network namespace.
func (st *stage) enter(command []string) []string {
	return append([]string{"--net=/proc/" + strconv.Itoa(st.inside[0].PID) + "/ns/net"}, command...)
}

func (w *watcher) read(out io.Reader) {
	in := bufio.NewScanner(out)
	in.Buffer(nil, 16<<20)
	for n := 0; in.Scan(); {
		var l sampleLine
		if json.Unmarshal(in.Bytes(), &l) != nil || l.took() == 0 {
			continue // a header
		}
		if n++; n <= firstSamples {
			w.lines <- l
			continue
		}
		w.mu.Lock()
		w.tooks = append(w.tooks, l.took())
		w.mu.Unlock()
	}
	close(w.lines)
}

// taken returns how long the samples took since the last call, and begins anew.
func (w *watcher) taken() []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.tooks
	w.tooks = nil
	return t
}

// watched is what one run showed of a watch.
type watched struct {
	cpu    float64 // percent of a core
	rss    float64 // MiB
	sample float64 // median, ms
	p99    float64 // ms
}

// measureAll measures watches beside each other, so that what slows one slows all.
func measureAll(ctx context.Context, all []*watcher) ([]watched, error) {
	before := make([]time.Duration, len(all))
	for i, w := range all {
		w.taken()
		var err error
		if before[i], err = processCPU(w.pid); err != nil {
			return nil, err
		}
	}
	began := time.Now()
	if err := pause(ctx, watchedFor); err != nil {
		return nil, err
	}
	list := make([]watched, len(all))
	for i, w := range all {
		used, err := processCPU(w.pid)
		if err != nil {
			return nil, err
		}
		memory, err := (&process.Process{Pid: int32(w.pid)}).MemoryInfo()
		if err != nil {
			return nil, err
		}
		took := w.taken()
		if len(took) == 0 {
			return nil, errors.New("a watch took no sample")
		}
		list[i] = watched{
			cpu: 100 * (used - before[i]).Seconds() / time.Since(began).Seconds(), rss: float64(memory.RSS) / (1 << 20), p99: millis(p99(took)),
			sample: millis(took[len(took)/2]), // p99 has sorted them
		}
	}
	return list, nil
}

// watchCase is one way in which a watch is measured.
type watchCase struct {
	name       string
	scene      scene
	privileged bool
	byPID      bool
	cpu        float64 // bars; 0 for none
	rss        float64
	sample     float64 // against ss
	p99, share float64
}

var watchCases = []watchCase{
	{name: "10,000 sockets", scene: tenThousand, privileged: true, cpu: 0.15, sample: 0.1},
	{name: "10,000 sockets, without privilege", scene: tenThousand, cpu: 0.5, sample: 0.33},
	{name: "10,000 sockets, by --pid", scene: tenThousand, privileged: true, byPID: true, cpu: 0.15},
	{name: "180,000 sockets of several processes", scene: fiveHolders, privileged: true, cpu: 0.1, rss: 64},
	{name: "10,000 sockets of 100 processes, by --pid", scene: hundredProcesses, privileged: true, byPID: true, p99: 50, share: 1},
}

// measureWatching compares a running watch with the same of the old build, and with ss.
func measureWatching(ctx context.Context, o options, n *neighbours) (table, error) {
	t := table{title: "Watching", how: watchingHow(), columns: []string{"this build", "build of " + oldBuild, ssPort}}
	if o.old == "" {
		t.limits = append(t.limits, "There is no history with "+oldBuild+" here, and so no build of it: its column is empty.")
	}
	for _, c := range watchCases {
		rows, err := c.measure(ctx, o, n)
		switch {
		case errors.Is(err, netns.ErrForbidden):
			return table{title: t.title, how: countingNeeds, limits: []string{"Nothing was measured: " + err.Error() + "."}}, nil
		case errors.Is(err, errNoTracepoint), errors.Is(err, exec.ErrNotFound):
			t.limits = append(t.limits, fmt.Sprintf("%s were not watched: %s.", c.name, err))
			continue
		case err != nil:
			return t, fmt.Errorf("watch %s: %w", c.name, err)
		}
		t.rows = append(t.rows, rows...)
	}
	return t, nil
}

func (c watchCase) measure(ctx context.Context, o options, n *neighbours) ([]row, error) {
	if why := c.scene.obstacle(); why != "" {
		return nil, fmt.Errorf("%w: %s", errNoTracepoint, why)
	}
	fmt.Fprintf(n.progress, "bench: hold %s\n", c.scene)
	open := openStage
	if c.scene != tenThousand { // ss is not called there
		open = openHeld
	}
	st, err := open(ctx, c.scene)
	if err != nil {
		return nil, err
	}
	defer st.close()
	target := []string{"--port", strconv.Itoa(ourPort)}
	if c.byPID {
		var pids []string
		for _, p := range st.inside {
			if p != st.timer {
				pids = append(pids, strconv.Itoa(p.PID))
			}
		}
		target = []string{"--pid", strings.Join(pids, ",")}
	}
	var all []*watcher
	for _, build := range slices.DeleteFunc([]string{o.sockwatch, o.old}, func(s string) bool { return s == "" }) {
		w, err := st.watch(ctx, build, c.privileged, target...)
		if err != nil {
			return nil, err
		}
		defer w.stop()
		all = append(all, w)
	}
	got := make([][]watched, 2)
	var ss, alone, aloneOld figures
	for run := range o.runs {
		fmt.Fprintf(n.progress, "bench: watch %s, run %d of %d\n", c.name, run+1, o.runs)
		list, err := measureAll(ctx, all)
		if err != nil {
			return nil, err
		}
		for i, w := range list {
			got[i] = append(got[i], w)
		}
		if c.sample > 0 {
			timings, err := st.run(ctx, run)
			if err != nil {
				return nil, err
			}
			ss = append(ss, timings[ssPort].Millis)
		}
		if c.sample > 0 && c.privileged && o.old != "" {
			now, then, err := st.countAlone(ctx, o)
			if err != nil {
				return nil, err
			}
			alone, aloneOld = append(alone, now), append(aloneOld, then)
		}
	}
	rows := c.rows(got, ss)
	if len(alone) > 0 {
		rows = append(rows,
			row{"a count by itself of 10,000 sockets, ms", 1, []figures{alone, aloneOld, nil}, nil},
			row{"the same against the old build", 2, []figures{alone.over(aloneOld), nil, nil}, atMost(1, alone.over(aloneOld).median())})
	}
	return rows, nil
}

func (c watchCase) rows(got [][]watched, ss figures) []row {
	cells := func(of func(watched) float64) []figures {
		list := make([]figures, 3)
		for i, runs := range got {
			for _, w := range runs {
				list[i] = append(list[i], of(w))
			}
		}
		return list
	}
	cpu := cells(func(w watched) float64 { return w.cpu })
	usage := row{c.name + ": % of a core", 3, cpu, nil}
	if c.share > 0 {
		usage.bar = atMost(c.share, cpu[0].median())
	}
	rows := []row{usage}
	if c.cpu > 0 && len(cpu[1]) > 0 {
		against := cpu[0].over(cpu[1])
		rows = append(rows, row{"the same against the old build", 3, []figures{against, nil, nil}, atMost(c.cpu, against.median())})
	}
	rss := row{c.name + ": RSS, MiB", 0, cells(func(w watched) float64 { return w.rss }), nil}
	if c.rss > 0 {
		rss.bar = atMost(c.rss, rss.cells[0].median())
	}
	rows = append(rows, rss)
	sample := row{c.name + ": a sample, ms", 2, cells(func(w watched) float64 { return w.sample }), nil}
	if len(ss) > 0 {
		sample.cells[2] = ss
	}
	rows = append(rows, sample)
	if len(ss) > 0 {
		against := sample.cells[0].over(ss)
		rows = append(rows, row{"the same against `ss`", 3, []figures{against, nil, nil}, atMost(c.sample, against.median())})
	}
	if c.p99 > 0 {
		p99 := row{c.name + ": a sample, p99, ms", 1, cells(func(w watched) float64 { return w.p99 }), nil}
		p99.bar = atMost(c.p99, p99.cells[0].median())
		rows = append(rows, p99)
	}
	return rows
}

// countAlone is the median time of a sockwatch that takes one sample, of both builds.
func (st *stage) countAlone(ctx context.Context, o options) (now, then float64, err error) {
	var took [2]figures
	for range countsByThemselves {
		for i, build := range []string{o.sockwatch, o.old} {
			cmd := exec.CommandContext(ctx, "nsenter", st.enter([]string{build, "watch", "--port", strconv.Itoa(ourPort), "--for", "1ms", "-o", "json"})...)
			cmd.SysProcAttr = diesWithUs()
			began := time.Now()
			if err := cmd.Run(); err != nil {
				return 0, 0, err
			}
			took[i] = append(took[i], millis(time.Since(began)))
			count(cmd.ProcessState)
		}
	}
	return took[0].median(), took[1].median(), nil
}

func watchingHow() string {
	return fmt.Sprintf(``+"`sockwatch watch -o json`"+` at 1 Hz, of this build and of that of %[1]s, at the same time beside the
same idle sockets, with --port %[2]d where nothing else is said. Processor time is that of the process,
user and system, over %[3]s a run, in which the list is checked once. RSS is that at the end of a run.
A sample is the median of what the samples of a run say that they took. The first %[4]d samples are
not counted. Privileged is root, with the tracepoint; without privilege sockwatch is in the user
namespace of the sockets' processes. A count by itself is the time of a whole
`+"`sockwatch watch --for 1ms`"+`, its start included, %[5]d times in turn with the old build's.
Other programs may run beside: what is compared has them beside it alike.`, oldBuild, ourPort, watchedFor, firstSamples, countsByThemselves)
}

// oldBuildOf is the old build, if the file is there.
func oldBuildOf(path string) string {
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}
