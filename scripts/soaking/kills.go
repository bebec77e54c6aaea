//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// runs are what is played while one of its processes is killed.
var runs = [][]string{
	{"run", "body-not-closed", "--isolate", "always"},
	{"run", "transport-per-request", "--isolate", "never"},
	{"run", "transport-per-request", "--isolate", "always"},
	{"run", "body-not-closed", "--isolate", "never"},
	{"ab", "--faulty", "while curl -s {url}; do :; done", "--fixed", "setsid curl -s {url}{url}{url}; sleep 9", "--for", "8s"},
}

// killSome kills processes of runs, one after the other, until enough are killed or ctx ends.
func (s *soak) killSome(ctx context.Context) {
	for s.Kills < s.kills && ctx.Err() == nil {
		if err := s.killOne(ctx, runs[s.Kills%len(runs)]); err != nil && ctx.Err() == nil {
			s.wrong("kill -9 of %v: %v", runs[s.Kills%len(runs)], err)
		}
		s.change(func(s *state) { s.Kills++ })
	}
}

// killOne plays a run and kills one of its processes at some moment, whichever.
func (s *soak) killOne(ctx context.Context, args []string) error {
	folder, err := os.MkdirTemp(s.bin, "kill")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	file, mark := filepath.Join(folder, "run.jsonl"), "SOAK_RUN="+folder
	temp := filepath.Join(folder, "tmp")
	if err := os.Mkdir(temp, 0o700); err != nil {
		return err
	}
	var said bytes.Buffer
	cmd := exec.Command(filepath.Join(s.bin, "sockwatch"), append(args, "--record", file)...)
	cmd.Env = append(os.Environ(), mark, "TMPDIR="+temp)
	cmd.Stderr = &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // its exit code is looked at
		close(ended)
	}()
	defer func() {
		for _, pid := range marked(mark) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}()
	pause(ctx, rand.N(4*time.Second))
	seen := samples(file)
	processes := marked(mark)
	victim := 0
	if len(processes) > 0 {
		victim = processes[rand.N(len(processes))]
	}
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", victim))
	what := fmt.Sprintf("%s, of %d processes", bytes.ReplaceAll(name, []byte{0}, []byte{' '}), len(processes))
	if victim > 0 {
		_ = syscall.Kill(victim, syscall.SIGKILL)
	}
	select {
	case <-ended:
	case <-time.After(time.Minute):
		return fmt.Errorf("killed %s: the run goes on a minute later", what)
	}
	code := cmd.ProcessState.ExitCode()
	var left []int
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); pause(ctx, 50*time.Millisecond) {
		if left = marked(mark); len(left) == 0 {
			break
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("killed %s: the processes %v are left", what, left)
	}
	if files, _ := os.ReadDir(temp); len(files) > 0 {
		return fmt.Errorf("killed %s: %v is left in the folder of temporary files", what, files)
	}
	if now := samples(file); now < seen {
		return fmt.Errorf("killed %s: %d samples are recorded, %d were before", what, now, seen)
	}
	if seen > 0 {
		within, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		replay := exec.CommandContext(within, filepath.Join(s.bin, "sockwatch"), "replay", file, "-q", "-o", "json")
		out, err := replay.CombinedOutput()
		if code := replay.ProcessState.ExitCode(); code != 0 && code != 3 { // 3: it was cut short, and is not what is expected of it
			return fmt.Errorf("killed %s: replay: %w: %.300s", what, err, out)
		}
	}
	switch {
	case code == -1 || code == 1 || code == 130: // it was killed itself, or failed
	case victim != 0 && !finished(file):
		return fmt.Errorf("killed %s: exit code %d, and the run did not come to its end: %.300s", what, code, said.String())
	}
	return nil
}

// marked are the processes whose environment has a word.
func marked(mark string) []int {
	all, _ := filepath.Glob("/proc/[0-9]*/environ")
	var pids []int
	for _, file := range all {
		environment, err := os.ReadFile(file) // it is empty for one that is over
		if err == nil && bytes.Contains(environment, []byte(mark)) {
			if pid, err := strconv.Atoi(strings.Split(file, "/")[2]); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// samples is how many whole samples a recording has.
func samples(file string) int {
	text, _ := os.ReadFile(file)
	n := 0
	for line := range bytes.Lines(text) {
		if bytes.HasPrefix(line, []byte(`{"moment"`)) && json.Valid(line) {
			n++
		}
	}
	return n
}

// finished reports whether a recording says that its run came to its end.
func finished(file string) bool {
	text, _ := os.ReadFile(file)
	for line := range bytes.Lines(text) {
		var e struct{ End *struct{ Stopped string } }
		if json.Unmarshal(line, &e) == nil && e.End != nil {
			return e.End.Stopped == ""
		}
	}
	return false
}
