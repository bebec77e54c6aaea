package bench

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v3/process"

	"socketlab/internal/worker/netns"
)

const (
	// scrapeEvery is Prometheus's usual interval, and the exporter's.
	scrapeEvery = 15 * time.Second
	// exportedFor is how long an exporter's processor time is taken, and scrapes how
	// often it is scraped after that for the time of a scrape.
	exportedFor = 2 * scrapeEvery
	scrapes     = 100
)

// measureExporter measures exporters of many processes, one after the other, and what a
// scrape of them takes.
func measureExporter(ctx context.Context, o options, n *neighbours) (table, error) {
	t := table{title: "Exporting " + hundredProcesses.String() + " of 100 processes", how: exporterHow(), columns: []string{"as root", "without privilege"}}
	var both [2]exported
	for i, root := range []bool{true, false} {
		if root && os.Geteuid() != 0 {
			t.limits = []string{"Not measured as root, as which it was not run."}
			continue
		}
		fmt.Fprintf(n.progress, "bench: hold %s\n", hundredProcesses)
		st, err := openHeld(ctx, hundredProcesses)
		if errors.Is(err, netns.ErrForbidden) {
			return table{title: t.title, how: countingNeeds, limits: []string{"Nothing was measured: " + err.Error() + "."}}, nil
		}
		if err != nil {
			return t, err
		}
		both[i], err = st.measureExporter(ctx, o, n, root)
		st.close()
		if err != nil {
			return t, err
		}
	}
	root, without := both[0], both[1]
	t.rows = []row{
		{"a scrape, p99, ms", 1, []figures{root.p99s, without.p99s}, nil},
		{"% of a core, scraped every 15 s", 2, []figures{root.cpu, without.cpu}, nil},
		{"RSS, MiB", 0, []figures{root.rss, without.rss}, nil},
	}
	if len(root.cpu) > 0 {
		t.rows[0].bar, t.rows[1].bar, t.rows[2].bar = atMost(50, root.p99s.median()), atMost(0.5, root.cpu.median()), atMost(40, root.rss.median())
	}
	return t, nil
}

// exported is what the runs showed of an exporter.
type exported struct{ p99s, cpu, rss figures }

// measureExporter starts an exporter in the network namespace of the stage: inside, without
// privilege, or from outside with that of this process.
func (st *stage) measureExporter(ctx context.Context, o options, n *neighbours, root bool) (e exported, err error) {
	command := []string{o.sockwatch, "exporter", "--own-namespace"}
	var pid int
	if root {
		cmd := exec.CommandContext(ctx, "nsenter", st.enter(command)...)
		cmd.SysProcAttr = diesWithUs()
		if err := cmd.Start(); err != nil {
			return e, err
		}
		defer func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait() // that it was killed
		}()
		pid = cmd.Process.Pid
	} else {
		exporter, err := st.startProgram(command)
		if err != nil {
			return e, err
		}
		pid = exporter.PID
	}
	scraper, err := st.start("worker-scrape")
	if err != nil {
		return e, err
	}
	defer func() { _ = scraper.Kill() }()
	// scrape scrapes so many times, and returns how long each took.
	scrape := func(times int) (took []time.Duration, err error) {
		err = st.within(ctx, func() error {
			if _, err := fmt.Fprintln(scraper.in, times); err != nil {
				return err
			}
			return json.NewDecoder(scraper.out).Decode(&took)
		})
		return took, err
	}
	if _, err := scrape(1); err != nil { // once there is a sample
		return e, err
	}
	for run := range o.runs {
		fmt.Fprintf(n.progress, "bench: export, run %d of %d\n", run+1, o.runs)
		before, err := processCPU(pid)
		if err != nil {
			return e, err
		}
		began := time.Now()
		for range int(exportedFor / scrapeEvery) {
			if _, err := scrape(1); err != nil {
				return e, err
			}
			if err := pause(ctx, scrapeEvery); err != nil {
				return e, err
			}
		}
		after, err := processCPU(pid)
		if err != nil {
			return e, err
		}
		e.cpu = append(e.cpu, 100*(after-before).Seconds()/time.Since(began).Seconds())
		took, err := scrape(scrapes)
		if err != nil {
			return e, err
		}
		memory, err := (&process.Process{Pid: int32(pid)}).MemoryInfo()
		if err != nil {
			return e, err
		}
		e.p99s, e.rss = append(e.p99s, millis(p99(took))), append(e.rss, float64(memory.RSS)/(1<<20))
	}
	return e, nil
}

// scrapeExporter scrapes the exporter in its namespace as often as standard input says,
// and answers how long each scrape took. It waits for the exporter's first sample.
func scrapeExporter(ctx context.Context, args []string, out io.Writer) error {
	if err := flag.NewFlagSet("worker-scrape", flag.ContinueOnError).Parse(args); err != nil {
		return err
	}
	get := func() error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:9719/metrics", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err == nil && (response.StatusCode != http.StatusOK || !strings.Contains(string(text), "socketlab_sockets{")) {
			err = fmt.Errorf("scrape: %s", response.Status)
		}
		return err
	}
	if err := waitFor(ctx, func() bool { return get() == nil }); err != nil {
		return err
	}
	answers := json.NewEncoder(out)
	for {
		var times int
		if _, err := fmt.Fscan(os.Stdin, &times); err != nil {
			return nil // no more
		}
		took := make([]time.Duration, times)
		for i := range took {
			began := time.Now()
			if err := get(); err != nil {
				return err
			}
			took[i] = time.Since(began)
		}
		if err := answers.Encode(took); err != nil {
			return err
		}
	}
}

func exporterHow() string {
	return fmt.Sprintf(`An exporter with its defaults in the namespace of the processes, as root, or in their user namespace
without privilege. It is scraped every %s for %s, and then %d times in a row over one connection. Processor
time is the exporter's, user and system, its samples included. As root it reads descriptors by a BPF
iterator; without privilege, and in a DaemonSet that has no CAP_BPF, it reads each one's link.`, scrapeEvery, exportedFor, scrapes)
}
