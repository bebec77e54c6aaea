package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"socketlab/internal/series"
)

const (
	longRun     = 10_000
	samplesADay = 86_400
)

// reading is a command that reads a recording of so many samples.
type reading struct {
	command string
	samples int
	limit   float64 // seconds
}

var readings = []reading{{"report", longRun, 1}, {"replay", longRun, 2}, {"diagnose", samplesADay, 2}}

// measureRecordings takes the time of commands that read a long recording.
func measureRecordings(ctx context.Context, o options, n *neighbours) (table, error) {
	t := table{title: "Reading recordings", how: recordingsHow(), columns: []string{"time, s", "processor time, s", "RSS, MiB"}}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return t, err
	}
	defer os.RemoveAll(dir)
	short := filepath.Join(dir, "short.jsonl")
	record := exec.CommandContext(ctx, o.sockwatch, "record", "--pid", strconv.Itoa(os.Getpid()), "--for", "5s", "--interval", "500ms", "-o", short)
	record.SysProcAttr = diesWithUs()
	if out, err := record.CombinedOutput(); err != nil {
		return t, fmt.Errorf("record: %w: %s", err, out)
	}
	for _, r := range readings {
		path := filepath.Join(dir, strconv.Itoa(r.samples)+".jsonl")
		if err := lengthen(short, path, r.samples); err != nil {
			return t, err
		}
		var wall, cpu, rss figures
		for run := range o.runs {
			fmt.Fprintf(n.progress, "bench: %s of %d samples, run %d of %d\n", r.command, r.samples, run+1, o.runs)
			got, err := r.time(ctx, o.sockwatch, path)
			if err != nil {
				return t, err
			}
			wall, cpu, rss = append(wall, got[0]), append(cpu, got[1]), append(rss, got[2])
		}
		name := fmt.Sprintf("`%s` of %s samples", r.command, thousands(r.samples))
		t.rows = append(t.rows, row{name, 2, []figures{wall, cpu, rss}, atMost(r.limit, wall.median()).of("s")})
	}
	return t, nil
}

// time runs the command once. Its verdict may be a fault.
func (r reading) time(ctx context.Context, sockwatch, path string) ([3]float64, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, sockwatch, r.command, path)
	cmd.SysProcAttr, cmd.Stderr = diesWithUs(), &stderr
	began := time.Now()
	err := cmd.Run()
	took := time.Since(began)
	const fault = 3
	if cmd.ProcessState == nil || (err != nil && cmd.ProcessState.ExitCode() != fault) {
		return [3]float64{}, fmt.Errorf("%w: %s", err, &stderr)
	}
	used := count(cmd.ProcessState)
	return [3]float64{took.Seconds(), used.Seconds(), peakRSS(cmd.ProcessState) / (1 << 20)}, nil
}

// lengthen writes a recording of so many samples: those of a short one, one a second.
func lengthen(short, long string, samples int) error {
	text, err := os.ReadFile(short)
	if err != nil {
		return err
	}
	var events []series.Event
	for d := json.NewDecoder(bytes.NewReader(text)); d.More(); {
		var e series.Event
		if err := d.Decode(&e); err != nil {
			return err
		}
		events = append(events, e)
	}
	f, err := os.Create(long)
	if err != nil {
		return err
	}
	defer f.Close()
	out := bufio.NewWriter(f)
	lines := json.NewEncoder(out)
	moments := events[1 : len(events)-1]
	write := func(e series.Event) {
		if err == nil {
			err = lines.Encode(e)
		}
	}
	header := *events[0].Header
	header.Interval, header.Length = time.Second, time.Duration(samples)*time.Second
	write(series.Event{Header: &header})
	for i := range samples {
		m := *moments[min(i, 1+i%(len(moments)-1))].Moment // only the first names its subjects
		m.At = time.Duration(i) * time.Second
		write(series.Event{Moment: &m})
	}
	write(series.Event{End: &series.Ending{Duration: time.Duration(samples-1) * time.Second}})
	if err != nil {
		return err
	}
	return out.Flush()
}

func recordingsHow() string {
	return `The samples of a short recording of one process, this one, again and again, one a second. The bar is
for the time of the whole command. The processor time is that of all threads: lines are parsed on as
many as there are processors; where other programs run beside, it says more than the time does.
RSS is the largest. A watch of more samples than 25,000 of one process is judged by one of two, of four
and so on (observe.Window.Thin).`
}
