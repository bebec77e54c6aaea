//go:build linux

// Soaking holds sockwatch and slowserver for hours under load and compares what they count
// with what ss says. See scripts/soak.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	time                    time.Duration
	folder                  string
	clients, viewers, kills int
}

// state is what a later start needs to go on: what was done before.
type state struct {
	// Held is the time under load, of all starts together.
	Held time.Duration
	// Kills is how many processes were killed, Compared how many counts were compared with
	// those of ss, and ClockSet how often the clock of the programs was set.
	Kills, Compared, ClockSet int
	// Viewers is how many came, and TurnedAway how many of them found the page full.
	Viewers, TurnedAway int
	// Killed, Reset and Closed are how many connections ended so.
	Killed, Reset, Closed int
	// Wrong has a line for each thing that was not as promised.
	Wrong []string
	// Series has the measurements of each process, by its name and its start.
	Series []*series
}

// soak is a soak under way.
type soak struct {
	options
	bin string // folder of the programs
	mu  sync.Mutex
	state
}

func (s *soak) file(name string) string { return filepath.Join(s.folder, name) }

// wrong notes that something was not as promised.
func (s *soak) wrong(format string, args ...any) {
	line := time.Now().Format(time.DateTime) + " " + fmt.Sprintf(format, args...)
	fmt.Fprintln(os.Stderr, "soak: WRONG:", line)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Wrong = append(s.Wrong, line)
}

// change changes the state.
func (s *soak) change(f func(*state)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.state)
}

// save writes the state, so that it is either the old one or the new one.
func (s *soak) save() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, err := json.Marshal(s.state)
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.file("state.new"), text, 0o600); err != nil {
		return err
	}
	return os.Rename(s.file("state.new"), s.file("state.json"))
}

func main() {
	runtime.LockOSThread() // the kernel ends what this thread started with it
	if len(os.Args) == 4 && os.Args[1] == "clients" {
		n, _ := strconv.Atoi(os.Args[3])
		clients(os.Args[2], n)
		return
	}
	var s soak
	flag.DurationVar(&s.time, "time", 4*time.Hour, "how long to hold, of all starts together")
	flag.StringVar(&s.folder, "folder", filepath.Join(os.TempDir(), "sockwatch-soak"), "folder of what was measured; the same folder goes on from there")
	flag.IntVar(&s.clients, "clients", 10_000, "connections that the clients hold")
	flag.IntVar(&s.viewers, "viewers", 200, "viewers of the page at a time")
	flag.IntVar(&s.kills, "kills", 200, "processes of runs to kill")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	err := s.run(ctx)
	switch {
	case ctx.Err() != nil:
		os.Exit(130)
	case err != nil:
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	case len(s.Wrong) > 0 || s.grows():
		os.Exit(3)
	}
}

func (s *soak) run(ctx context.Context) (err error) {
	if s.folder, err = filepath.Abs(s.folder); err != nil {
		return err
	}
	if err := os.MkdirAll(s.folder, 0o750); err != nil {
		return err
	}
	text, err := os.ReadFile(s.file("state.json"))
	if err == nil {
		err = json.Unmarshal(text, &s.state)
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("read what was held before: %w", err)
	}
	if s.Held >= s.time {
		fmt.Print(s.report())
		return nil
	}
	if s.bin, err = os.MkdirTemp("", "soak-bin"); err != nil {
		return err
	}
	defer os.RemoveAll(s.bin)
	fmt.Fprintf(os.Stderr, "soak: %s of %s are held; building\n", s.Held.Round(time.Second), s.time)
	if err := s.build(ctx); err != nil {
		return err
	}
	// What hangs ends, too.
	ctx, cancel := context.WithTimeout(ctx, s.time-s.Held+10*time.Minute)
	defer cancel()
	err = s.hold(ctx)
	report := s.report()
	fmt.Print(report)
	return errors.Join(err, s.save(), os.WriteFile(s.file("report.md"), []byte(report), 0o600))
}
