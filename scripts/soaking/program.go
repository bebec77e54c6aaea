//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// program is a program under soak.
type program struct {
	name, socket string
	cmd          *exec.Cmd
	began        time.Time
	series       *series
	out, err     feed
	ended        chan struct{} // closed once it is gone
	how          error         // to be read after ended
}

// feed is the lines that a program writes, and the newest counts among them.
type feed struct {
	counts func(line string) *sample // nil for none in a line
	mu     sync.Mutex
	n      int
	newest *sample
	// began is when the program's own time began: a little later, by what a line took to
	// get here at least.
	began time.Time
	last  []string // the last lines
}

// sample is what a line says.
type sample struct {
	counts counts
	at     time.Duration // when the program began it, by its own time; 0 if it does not say
}

func (f *feed) add(line string) {
	var c *sample
	if f.counts != nil {
		c = f.counts(line)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if c != nil {
		f.n, f.newest = f.n+1, c
		if began := time.Now().Add(-c.at); f.began.IsZero() || began.Before(f.began) {
			f.began = began
		}
		return
	}
	if f.last = append(f.last, line); len(f.last) > 20 {
		f.last = f.last[1:]
	}
}

func (f *feed) read(r io.Reader) {
	for lines := bufio.NewReaderSize(r, 1<<20); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		f.add(line)
	}
}

// follow reads a file that is being written until ctx ends.
func (f *feed) follow(ctx context.Context, name string) {
	var file *os.File
	for file == nil && ctx.Err() == nil {
		file, _ = os.Open(name)
		pause(ctx, 200*time.Millisecond)
	}
	defer file.Close()
	part := ""
	for lines := bufio.NewReaderSize(file, 1<<20); ctx.Err() == nil; {
		text, err := lines.ReadString('\n')
		if part += text; err == nil {
			f.add(part)
			part = ""
			continue
		}
		pause(ctx, 200*time.Millisecond)
	}
}

// seen returns how many samples there were, and the newest with when it was begun.
func (f *feed) seen() (n int, newest *sample, begun time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.newest != nil {
		begun = f.began.Add(f.newest.at)
	}
	return f.n, f.newest, begun
}

// newWithin is how long a new sample may take: on a busy machine the exporter counts less
// often, as a sample may take a fifth of the time at most.
const newWithin = 5 * time.Minute

// quick is longer than the quickest line of a program takes to get here.
const quick = time.Second

// after returns the counts of a sample that began after now: of a program that does not
// say when it began one, not the next, but the one after it. Of others that may be an older
// one, too, where lines wait to be read.
func (f *feed) after(ctx context.Context) (counts, error) {
	ctx, cancel := context.WithTimeout(ctx, newWithin)
	defer cancel()
	now := time.Now()
	before, _, _ := f.seen()
	for {
		if n, c, begun := f.seen(); n >= before+2 && (c.at == 0 || begun.After(now.Add(quick))) {
			return c.counts, nil
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("no new sample within %s", newWithin)
		}
		pause(ctx, 50*time.Millisecond)
	}
}

// start starts a program of ours. Its lines have counts as these functions read them.
func (s *soak) start(name string, out, err func(string) *sample, command string, args ...string) (*program, error) {
	p := &program{name: name, socket: filepath.Join(s.bin, name+".sock"), ended: make(chan struct{}), series: &series{Name: name, Fills: out != nil}}
	p.out.counts, p.err.counts = out, err
	p.cmd = exec.Command(filepath.Join(s.bin, command), args...)
	p.cmd.Env = append(os.Environ(), "SOAK_SOCKET="+p.socket)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdout, pipeErr := p.cmd.StdoutPipe()
	if pipeErr != nil {
		return nil, pipeErr
	}
	stderr, pipeErr := p.cmd.StderrPipe()
	if pipeErr != nil {
		return nil, pipeErr
	}
	p.began = time.Now()
	if startErr := p.cmd.Start(); startErr != nil {
		return nil, startErr
	}
	go func() {
		var both sync.WaitGroup
		both.Go(func() { p.out.read(stdout) })
		both.Go(func() { p.err.read(stderr) })
		both.Wait()
		p.how = p.cmd.Wait()
		close(p.ended)
	}()
	s.change(func(s *state) { s.Series = append(s.Series, p.series) })
	return p, nil
}

// said waits for a line of the program and returns what its first group is.
func (p *program) said(ctx context.Context, pattern string) (string, error) {
	re := regexp.MustCompile(pattern)
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		for _, f := range []*feed{&p.out, &p.err} {
			f.mu.Lock()
			m := re.FindStringSubmatch(strings.Join(f.last, ""))
			f.mu.Unlock()
			if m != nil {
				return m[1], nil
			}
		}
		pause(ctx, 50*time.Millisecond)
	}
	return "", fmt.Errorf("%s did not say %s: %q", p.name, pattern, p.err.last)
}

// ask sets the program's clock off by so many seconds, or leaves it with "", and returns how
// many goroutines it has.
func (p *program) ask(shift string) (int, error) {
	c, err := net.DialTimeout("unix", p.socket, time.Minute)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return 0, err
	}
	if _, err := fmt.Fprintln(c, shift); err != nil {
		return 0, err
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(line))
}

var vmRSS = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

// measure adds a point to the program's series.
func (s *soak) measure(p *program) error {
	at := point{At: time.Since(p.began)}
	var err error
	if at.Goroutines, err = p.ask(""); err != nil {
		return fmt.Errorf("ask %s: %w", p.name, err)
	}
	proc := fmt.Sprintf("/proc/%d/", p.cmd.Process.Pid)
	status, err := os.ReadFile(proc + "status")
	if err != nil {
		return err
	}
	if m := vmRSS.FindSubmatch(status); m != nil {
		kB, _ := strconv.Atoi(string(m[1]))
		at.RSS = kB << 10
	}
	open, err := os.ReadDir(proc + "fd")
	if err != nil {
		return err
	}
	at.Descriptors = len(open)
	if n, _, _ := p.out.seen(); p.series.Fills && p.series.Warm == 0 && n > kept {
		s.change(func(*state) { p.series.Warm = at.At })
	}
	s.change(func(*state) { p.series.Points = append(p.series.Points, at) })
	return nil
}

// stop interrupts a program, and returns its exit code; -1 if it had to be killed.
func (p *program) stop() int {
	_ = p.cmd.Process.Signal(os.Interrupt)
	select {
	case <-p.ended:
	case <-time.After(40 * time.Second): // slowserver gives its responses 30 s
		_ = p.cmd.Process.Kill()
		<-p.ended
		return -1
	}
	return p.cmd.ProcessState.ExitCode()
}
