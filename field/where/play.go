//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"socketlab/internal/recording"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/where"
	"socketlab/scenarios"
)

const (
	// watched is for how long a load goes on.
	watched = 12 * time.Second
	// longest bounds what one scenario takes, also beside much else.
	longest = 5 * time.Minute
)

// answer is the part of a diagnosis that is compared.
type answer struct {
	Kind     string
	Subjects []struct {
		Verdict struct{ Kind, Severity, Confidence string }
		Holders *where.Report
	}
}

// play plays a scenario so slowly that its load lasts as long as it is looked at.
func play(ctx context.Context, build program, id string) *row {
	r := &row{id: id}
	script, err := scenarios.Script(id)
	if err != nil {
		return r.failed(err)
	}
	if script.Fault != nil {
		r.kind = script.Fault.Kind
	}
	arrivals := script.Arrivals(1)
	length := max(arrivals[len(arrivals)-1], script.Length()/2)
	script.Speed = min(1000, max(0.1, float64(length)/float64(watched)))
	pids, err := os.MkdirTemp(build.dir, "pids-")
	if err != nil {
		return r.failed(err)
	}
	ctx, stop := context.WithTimeout(ctx, longest)
	defer stop()
	l := load{recording: filepath.Join(pids, "run.jsonl"), length: time.Duration(float64(length) / script.Speed), requests: int64(len(arrivals))}
	c := exec.CommandContext(ctx, filepath.Join(build.dir, "sockwatch"), "run", id, "--quiet", "--speed", fmt.Sprint(script.Speed), "--program-dir", build.dir, "--record", l.recording, "-o", "json")
	c.Env = append(os.Environ(), "WHERE_PIDS="+pids)
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	var said bytes.Buffer
	c.Stderr = &said
	if err := c.Start(); err != nil {
		return r.failed(err)
	}
	answers := make(chan error, 2)
	for _, side := range scenario.Sides() {
		go func() {
			a, err := diagnose(ctx, build, pids, side, l)
			if err == nil {
				r.enter(side, a)
			}
			answers <- err
		}()
	}
	err = errors.Join(<-answers, <-answers)
	_ = c.Process.Signal(os.Interrupt)
	_ = c.Wait() // its exit code is that of its expectations
	if err != nil {
		return r.failed(fmt.Errorf("%w %s", err, strings.TrimSpace(said.String())))
	}
	return r
}

// load is what the clients of a run do, as its recording says.
type load struct {
	recording string
	length    time.Duration
	requests  int64
}

// over waits until the client of a side has sent the requests of its load. The error says
// that the run ended before.
func (l load) over(ctx context.Context, side scenario.Side) error {
	for tick := time.Tick(200 * time.Millisecond); ; {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the load did not end: %w", ctx.Err())
		case <-tick:
		}
		sent, over, end := l.requests, false, (*series.Ending)(nil)
		err := recording.Each(ctx, l.recording, func(e series.Event) {
			if end = e.End; e.Moment == nil {
				return
			}
			for i := range e.Moment.Subjects {
				s := &e.Moment.Subjects[i]
				if s.ID != string(side) {
					continue
				}
				if s.Requests != nil { // the client for older versions of Go does not say
					sent = s.Requests.Sent
				}
				over = e.Moment.At >= l.length && sent >= l.requests
			}
		})
		switch {
		case over, end != nil && (end.Stopped != "" || sent >= l.requests): // stopped as at its share of the descriptors
			return nil
		case end != nil && err == nil:
			return fmt.Errorf("the run ended when %d of %d requests were sent", sent, l.requests)
		}
	}
}

// diagnose looks at the client of a side until its load is over. The client is held
// from its start until diagnose looks.
func diagnose(ctx context.Context, build program, pids string, side scenario.Side, l load) (*answer, error) {
	name := "client-" + string(side)
	pid, err := started(ctx, filepath.Join(pids, name), name+".real")
	if err != nil {
		return nil, err
	}
	if err := unix.Kill(pid, unix.SIGSTOP); err != nil {
		return nil, err
	}
	goOn := func() { _ = unix.Kill(pid, unix.SIGCONT) }
	defer goOn()
	c := exec.CommandContext(ctx, filepath.Join(build.dir, "sockwatch"), "diagnose", "--pid", fmt.Sprint(pid), "--where", "--for", longest.String(), "-o", "json")
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	var out bytes.Buffer
	c.Stdout = &out
	progress, err := c.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewReader(progress)
	first, err := lines.ReadString('\n') // after its first sample
	if err != nil {
		return nil, errors.Join(fmt.Errorf("diagnose said %q: %w", first, err), c.Wait())
	}
	goOn()
	ended := make(chan error, 1)
	go func() {
		err := l.over(ctx, side)
		_ = c.Process.Signal(os.Interrupt)
		ended <- err
	}()
	rest, _ := io.ReadAll(lines)
	_ = c.Wait() // its exit code is that of the verdict
	if err := <-ended; err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var a answer
	if err := json.Unmarshal(out.Bytes(), &a); err != nil || len(a.Subjects) == 0 {
		return nil, fmt.Errorf("diagnose of %s: %w: %s%s", name, err, first, rest)
	}
	return &a, nil
}

// started waits for the process that a file names to run a program.
func started(ctx context.Context, file, program string) (pid int, err error) {
	for tick := time.Tick(time.Millisecond); ; {
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("%s did not start: %w", program, ctx.Err())
		case <-tick:
		}
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if _, err := fmt.Sscan(string(text), &pid); err != nil {
			return 0, err
		}
		if exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err == nil && filepath.Base(exe) == program {
			return pid, nil
		}
	}
}
