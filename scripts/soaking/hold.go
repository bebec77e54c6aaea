//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// roundTime is the time between two disturbances, each with a comparison, and measureEvery
// that between two measurements.
const (
	roundTime    = time.Minute
	measureEvery = 10 * time.Second
)

// holding is what is under soak.
type holding struct {
	*soak
	port     int
	crowd    crowd
	server   *program
	programs []*program // all, the server too
	feeds    map[string]*feed
	exporter string // its address
}

// hold holds everything until the time is over.
func (s *soak) hold(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	h := &holding{soak: s, feeds: map[string]*feed{}}
	var beside sync.WaitGroup
	defer func() { // nothing is left behind, whatever happened
		cancel()
		beside.Wait()
		h.end()
	}()
	page, err := h.begin(ctx)
	if err != nil {
		return err
	}
	beside.Go(func() { s.view(ctx, page) })
	beside.Go(func() { s.killSome(ctx) })
	beside.Go(func() { h.measureAll(ctx) })
	return h.rounds(ctx)
}

// begin starts all, and returns the page's address.
func (h *holding) begin(ctx context.Context) (page string, err error) {
	add := func(name string, out, err func(string) *sample, command string, args ...string) (*program, error) {
		p, startErr := h.start(name, out, err, command, args...)
		if startErr == nil {
			h.programs = append(h.programs, p)
		}
		return p, startErr
	}
	if h.server, err = add("slowserver", nil, loggedCounts, "slowserver", "--listen", "127.0.0.1:0", "--close-after", "0", "--source", "sockdiag", "--report-every", "1s"); err != nil {
		return "", err
	}
	if h.crowd.address, err = h.server.said(ctx, `listening on (\S+)`); err != nil {
		return "", err
	}
	port := h.crowd.address[strings.LastIndex(h.crowd.address, ":")+1:]
	if h.port, err = strconv.Atoi(port); err != nil {
		return "", err
	}
	for range max(1, h.clients/perProcess) {
		if err := h.crowd.add(); err != nil {
			return "", err
		}
	}
	if err := h.quiet(ctx); err != nil {
		return "", err
	}
	if _, err := add("watch", momentCounts, nil, "sockwatch", "watch", "--port", port, "-o", "json"); err != nil {
		return "", err
	}
	viewed, err := add("page", momentCounts, nil, "sockwatch", "watch", "--port", port, "--web", "127.0.0.1:0", "-o", "json")
	if err != nil {
		return "", err
	}
	recording := h.file(fmt.Sprintf("record-%d.jsonl", time.Now().Unix()))
	recorder, err := add("record", momentCounts, nil, "sockwatch", "record", "--port", port, "--interval", "2s", "-o", recording)
	if err != nil {
		return "", err
	}
	recorder.series.Fills = false // it keeps nothing
	go recorder.out.follow(ctx, recording)
	exporter, err := add("exporter", nil, nil, "sockwatch", "exporter", "--port", port, "--listen", "127.0.0.1:0", "--interval", "2s")
	if err != nil {
		return "", err
	}
	if h.exporter, err = exporter.said(ctx, `the metrics are at (\S+)`); err != nil {
		return "", err
	}
	for _, p := range h.programs {
		if p.out.counts != nil {
			h.feeds[p.name] = &p.out
		}
	}
	h.feeds["slowserver"] = &h.server.err
	return viewed.said(ctx, `the page is at http://([^/\s]+)`)
}

// measureAll measures again and again until ctx ends, and notes how long was held.
func (h *holding) measureAll(ctx context.Context) {
	for last := time.Now(); ; {
		pause(ctx, measureEvery)
		for _, p := range h.programs {
			if err := h.measure(p); err != nil && ctx.Err() == nil {
				h.wrong("%v; it said %q", err, p.err.last)
			}
		}
		if ctx.Err() != nil {
			return
		}
		now := time.Now()
		h.change(func(s *state) { s.Held += now.Sub(last) })
		last = now
		if err := h.save(); err != nil {
			h.wrong("%v", err)
		}
	}
}

// held is how long was held until now.
func (s *soak) held() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Held
}

// rounds disturbs and compares until the time is over.
func (h *holding) rounds(ctx context.Context) error {
	round := time.NewTicker(roundTime)
	defer round.Stop()
	for n := 0; h.held() < h.time; n++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-round.C:
			if err := h.round(ctx, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// shifts are by how many seconds the clocks are set off, one after the other.
var shifts = []string{"3600", "-86400", "0"}

func (h *holding) round(ctx context.Context, n int) error {
	killed, reset, closed, err := h.crowd.disturb(n)
	if err != nil {
		return err
	}
	h.change(func(s *state) { s.Killed, s.Reset, s.Closed = s.Killed+killed, s.Reset+reset, s.Closed+closed })
	if n%3 == 1 {
		for _, p := range h.programs {
			if _, err := p.ask(shifts[n/3%len(shifts)]); err != nil {
				return fmt.Errorf("set the clock of %s: %w", p.name, err)
			}
		}
		h.change(func(s *state) { s.ClockSet++ })
	}
	if err := h.quiet(ctx); err != nil {
		return err
	}
	return h.compare(ctx)
}

// quiet waits until all clients have their connection and nothing changes but what ends by
// a timer of the kernel.
func (h *holding) quiet(ctx context.Context) error {
	want, before := len(h.crowd.members)*perProcess, ""
	for deadline := time.Now().Add(time.Minute); ; pause(ctx, time.Second) {
		now, err := ss(ctx, h.port)
		if err != nil {
			return err
		}
		delete(now, "client TIME_WAIT")
		delete(now, "server TIME_WAIT")
		delete(now, listens+"TIME_WAIT")
		text := fmt.Sprint(now)
		if now["client ESTABLISHED"] == want && now["server ESTABLISHED"] == want && text == before {
			return nil
		}
		if before = text; time.Now().After(deadline) {
			return fmt.Errorf("the %d clients do not come to rest: %s", want, text)
		}
	}
}

// compare compares everybody's counts with those of ss, before and after them.
func (h *holding) compare(ctx context.Context) error {
	before, err := ss(ctx, h.port)
	if err != nil {
		return err
	}
	got := map[string]counts{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for name, f := range h.feeds {
		all.Go(func() {
			c, err := f.after(ctx)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				h.wrong("%s: %v", name, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			got[name] = c
		})
	}
	all.Go(func() {
		c, err := h.scrapeAfter(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			h.wrong("exporter: %v", err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		got["exporter"] = c
	})
	all.Wait()
	after, err := ss(ctx, h.port)
	if err != nil {
		return err
	}
	for name, c := range got {
		ends := []string{"client ", "server "}
		switch name {
		case "slowserver": // which counts its own end
			ends = ends[1:]
		case "record":
			ends = append(ends, listens)
		}
		for _, end := range ends {
			if wrong := c.between(before, after, end); wrong != "" {
				h.wrong("%s counted %s", name, wrong)
			}
		}
		h.change(func(s *state) { s.Compared++ })
	}
	return nil
}

var sampleTime = regexp.MustCompile(`(?m)^socketlab_last_sample_timestamp_seconds (\S+)$`)

// scrapeAfter returns the exporter's counts of a sample that began after now.
func (h *holding) scrapeAfter(ctx context.Context) (counts, error) {
	ctx, cancel := context.WithTimeout(ctx, newWithin)
	defer cancel()
	last := ""
	for changes := -1; ; pause(ctx, 200*time.Millisecond) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, h.exporter, nil)
		if err != nil {
			return nil, err
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil {
			return nil, err
		}
		if m := sampleTime.FindSubmatch(text); m != nil && string(m[1]) != last {
			last = string(m[1])
			if changes++; changes == 2 {
				return exportedCounts(string(text)), nil
			}
		}
	}
}

// end ends all programs, looks at how they ended, and judges what was recorded.
func (h *holding) end() {
	for _, p := range h.programs[min(1, len(h.programs)):] {
		want := map[string]int{"exporter": 0}
		code, expected := p.stop(), 130
		if c, ok := want[p.name]; ok {
			expected = c
		}
		if code != expected {
			h.wrong("%s ended with %d, not %d: %q", p.name, code, expected, p.err.last)
		}
	}
	h.crowd.end()
	if h.server != nil {
		if code := h.server.stop(); code != 0 {
			h.wrong("slowserver ended with %d: %q", code, h.server.err.last)
		}
	}
	recordings, _ := filepath.Glob(h.file("record-*.jsonl"))
	for _, r := range recordings {
		// A recording of many hours is large, and has its limits of time as everything here.
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		page := filepath.Join(h.bin, "report.html")
		if out, err := exec.CommandContext(ctx, filepath.Join(h.bin, "sockwatch"), "report", r, "--force", "--to", page).CombinedOutput(); err != nil {
			h.wrong("report of %s: %v: %.300s", r, err, out)
		}
		cancel()
		_ = os.Remove(r)
	}
}
