//go:build linux

package field_test

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
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// startsWithin is how long a form may take until it says READY. It is longer than
// what a form needs alone, for others may start beside it.
const startsWithin = 2 * time.Minute

// player is a form that runs.
type player struct {
	cmd   *exec.Cmd
	stdin io.Closer
	errs  *messages
	pids  map[string]int // by role, as seen from here
	ports map[string]int
	// started is when it said READY.
	started time.Time
}

// wrap is the command that runs argv in the given places: a network namespace with
// loopback up, a pid namespace, or as the user nobody.
func wrap(inside, argv []string) []string {
	if slices.Contains(inside, "nobody") {
		argv = append([]string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"}, argv...)
	}
	if slices.Contains(inside, "pid") {
		argv = append([]string{"unshare", "--pid", "--fork", "--kill-child", "--mount-proc"}, argv...)
	}
	if slices.Contains(inside, "network") {
		argv = append([]string{"unshare", "--net", "sh", "-c", `ip link set lo up && exec "$@"`, "sh"}, argv...)
	}
	return argv
}

// start starts one side of a form, and returns when it is ready. bin has the Go
// programs of forms, built.
func start(f *form, mode, bin string, seconds time.Duration) (*player, error) {
	dir, err := filepath.Abs(filepath.Join("forms", strings.Split(f.Name, "/")[0]))
	if err != nil {
		return nil, err
	}
	lib, err := filepath.Abs("lib")
	if err != nil {
		return nil, err
	}
	argv := strings.Fields(strings.ReplaceAll(f.Start, "{go}", filepath.Join(bin, filepath.Base(dir))))
	argv = append(argv, mode, strconv.Itoa(int(seconds.Seconds())))
	argv = wrap(f.Inside, argv)
	p := &player{cmd: exec.Command(argv[0], argv[1:]...), errs: &messages{}, pids: map[string]int{}, ports: map[string]int{}}
	p.cmd.Dir = dir
	p.cmd.Env = append(os.Environ(), "PYTHONPATH="+lib, "PYTHONDONTWRITEBYTECODE=1", "FORM_LIB="+lib,
		"NODE_PATH="+lib+":"+os.Getenv("NODE_PATH"))
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Stderr = p.errs
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	late := time.AfterFunc(startsWithin, func() { p.signal(syscall.SIGKILL) })
	defer late.Stop()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var what, role string
		var n int
		if lines.Text() == "READY" {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			p.started = time.Now()
			return p, p.outside(f.Inside)
		}
		if _, err := fmt.Sscan(lines.Text(), &what, &role, &n); err != nil {
			continue // what a program of the form says
		}
		switch what {
		case "PID":
			p.pids[role] = n
		case "PORT":
			p.ports[role] = n
		}
	}
	p.stop()
	return nil, fmt.Errorf("it never said READY: %s", last(p.errs.String(), 400))
}

// outside finds the pids by which this namespace knows the roles.
func (p *player) outside(inside []string) error {
	if !slices.Contains(inside, "pid") {
		return nil
	}
	outer := map[string]int{}
	for _, pid := range below(p.cmd.Process.Pid) {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			continue
		}
		for _, line := range strings.Split(string(status), "\n") {
			if fields := strings.Fields(line); len(fields) > 2 && fields[0] == "NSpid:" {
				for role, inner := range p.pids {
					if fields[len(fields)-1] == strconv.Itoa(inner) {
						outer[role] = pid
					}
				}
			}
		}
	}
	if len(outer) != len(p.pids) {
		p.stop()
		return fmt.Errorf("roles %v are not all found from outside: %v", p.pids, outer)
	}
	p.pids = outer
	return nil
}

func (p *player) signal(s syscall.Signal) {
	_ = syscall.Kill(-p.cmd.Process.Pid, s)
}

// stop ends the form as its caller's end would, and takes what is left.
func (p *player) stop() {
	_ = p.stdin.Close()
	ended := make(chan struct{})
	go func() { _ = p.cmd.Wait(); close(ended) }()
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			p.signal(s)
		}
	}
	<-ended
	p.signal(syscall.SIGKILL)
}

// alive are the roles whose processes still run a minute after the form has ended: the
// kernel takes a moment for those that were killed.
func (p *player) alive() []string {
	var roles []string
	for try := 0; try < 1200; try++ {
		if roles = p.running(); len(roles) == 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	return roles
}

func (p *player) running() []string {
	var roles []string
	for role, pid := range p.pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		_, state, _ := strings.Cut(string(stat), ") ")
		if err == nil && !strings.HasPrefix(state, "Z") {
			roles = append(roles, role)
		}
	}
	return roles
}

// said is what one call of sockwatch diagnose said.
type said struct {
	Kind     string `json:"kind"`
	Severity string `json:"severity"`
	Subjects []struct {
		ID      string `json:"id"`
		Name    string `json:"name"`
		PID     int    `json:"pid"`
		Verdict struct {
			Kind       string `json:"kind"`
			Severity   string `json:"severity"`
			Confidence string `json:"confidence"`
		} `json:"verdict"`
	} `json:"subjects"`
	exit     int
	stopped  bool // it had not answered by itself
	took     time.Duration
	messages string
}

// diagnose calls sockwatch for the look. An answer that has not come within the look's
// time is asked for by an interrupt.
func (p *player) diagnose(sockwatch string, l query) (said, error) {
	argv := []string{sockwatch, "diagnose", "-o", "json"}
	switch l.By {
	case "pid":
		argv = append(argv, "--pid", strconv.Itoa(p.pids[l.Role]))
	case "port":
		argv = append(argv, "--port", strconv.Itoa(p.ports[l.Role]))
	case "name":
		comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", p.pids[l.Role]))
		if err != nil {
			return said{}, err
		}
		argv = append(argv, "--name", strings.TrimSpace(string(comm)))
	}
	if l.For > 0 {
		argv = append(argv, "--for", l.For.String())
	}
	if l.As != "" {
		argv = append([]string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"}, argv...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), l.Within)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	began := time.Now()
	err := cmd.Run()
	s := said{exit: cmd.ProcessState.ExitCode(), stopped: ctx.Err() != nil, took: time.Since(began), messages: last(errs.String(), 300)}
	if out.Len() == 0 {
		var failed *exec.ExitError
		if err != nil && !errors.As(err, &failed) && ctx.Err() == nil {
			return s, err
		}
		return s, nil
	}
	exit, stopped, took, messages := s.exit, s.stopped, s.took, s.messages
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		return s, fmt.Errorf("not JSON: %w", err)
	}
	s.exit, s.stopped, s.took, s.messages = exit, stopped, took, messages
	return s, nil
}

func last(s string, n int) string {
	return strings.TrimSpace(s[max(0, len(s)-n):])
}

// messages keeps what a form's programs say while they run.
type messages struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (m *messages) Write(b []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.text.Write(b)
}

func (m *messages) String() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.text.String()
}
