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

// measureExporter measures an exporter of many processes, and what a scrape of it takes.
func measureExporter(ctx context.Context, o options, n *neighbours) (table, error) {
	t := table{title: "Exporting " + hundredProcesses.String() + " of 100 processes", how: exporterHow(), columns: []string{"sockwatch exporter"}}
	fmt.Fprintf(n.progress, "bench: hold %s\n", hundredProcesses)
	st, err := openHeld(ctx, hundredProcesses)
	if errors.Is(err, netns.ErrForbidden) {
		return table{title: t.title, how: countingNeeds, limits: []string{"Nothing was measured: " + err.Error() + "."}}, nil
	}
	if err != nil {
		return t, err
	}
	defer st.close()
	exporter, err := st.startProgram([]string{o.sockwatch, "exporter", "--own-namespace"})
	if err != nil {
		return t, err
	}
	scraper, err := st.start("worker-scrape")
	if err != nil {
		return t, err
	}
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
		return t, err
	}
	var cpu, p99s, rss figures
	for run := range o.runs {
		fmt.Fprintf(n.progress, "bench: export, run %d of %d\n", run+1, o.runs)
		before, err := processCPU(exporter.PID)
		if err != nil {
			return t, err
		}
		began := time.Now()
		for range int(exportedFor / scrapeEvery) {
			if _, err := scrape(1); err != nil {
				return t, err
			}
			if err := pause(ctx, scrapeEvery); err != nil {
				return t, err
			}
		}
		after, err := processCPU(exporter.PID)
		if err != nil {
			return t, err
		}
		cpu = append(cpu, 100*(after-before).Seconds()/time.Since(began).Seconds())
		took, err := scrape(scrapes)
		if err != nil {
			return t, err
		}
		memory, err := (&process.Process{Pid: int32(exporter.PID)}).MemoryInfo()
		if err != nil {
			return t, err
		}
		p99s, rss = append(p99s, millis(p99(took))), append(rss, float64(memory.RSS)/(1<<20))
	}
	t.rows = []row{
		{"a scrape, p99, ms", 1, []figures{p99s}, atMost(50, p99s.median())},
		{"% of a core, scraped every 15 s", 2, []figures{cpu}, atMost(0.5, cpu.median())},
		{"RSS, MiB", 0, []figures{rss}, atMost(40, rss.median())},
	}
	return t, nil
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
	return fmt.Sprintf(`An exporter with its defaults in the namespace of the processes, scraped every %s for %s, and then
%d times in a row over one connection. Processor time is the exporter's, user and system, its samples
included.`, scrapeEvery, exportedFor, scrapes)
}
