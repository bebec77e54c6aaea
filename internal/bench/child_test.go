package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v3/process"
)

// child is a server in a process of its own.
type child struct {
	cmd    *exec.Cmd
	addr   string
	stderr *bytes.Buffer // to be read after stop
}

// self is this same program in another worker.
func self(worker string, args ...string) ([]string, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the bench's own file: %w", err)
	}
	return append([]string{path, worker}, args...), nil
}

// startServer starts a program that prints "listening on ADDRESS", and waits
// for that. The caller ends it with stop; the end of ctx ends it too.
func startServer(ctx context.Context, command []string) (*child, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.SysProcAttr = diesWithUs()
	c := &child{cmd: cmd, stderr: &bytes.Buffer{}}
	cmd.Stderr = c.stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a server: %w", err)
	}
	// It takes milliseconds; a program that never says it is ended, which
	// ends the reading.
	late := time.AfterFunc(15*time.Second, func() { _ = cmd.Process.Kill() })
	line, _ := bufio.NewReader(out).ReadString('\n') // what there is without its end is no address
	late.Stop()
	addr, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		c.stop()
		return nil, fmt.Errorf("start %s: it said %q %s", command[0], line, c.stderr)
	}
	c.addr = addr
	return c, nil
}

// stop ends the process, and returns its processor time once it is gone.
func (c *child) stop() time.Duration {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait() // that it was killed
	return count(c.cmd.ProcessState)
}

// count enters the processor time of a child that has ended, and returns it.
func count(s *os.ProcessState) time.Duration {
	if s == nil {
		return 0
	}
	used := s.UserTime() + s.SystemTime()
	endedCPU.Add(int64(used))
	return used
}

// rss is the process's resident memory in bytes.
func (c *child) rss() (uint64, error) {
	// Not process.NewProcess, which leaves a descriptor open until the
	// next garbage collection.
	p := process.Process{Pid: int32(c.cmd.Process.Pid)}
	info, err := p.MemoryInfo()
	if err != nil {
		return 0, fmt.Errorf("read the memory of process %d: %w", p.Pid, err)
	}
	return info.RSS, nil
}

// cpu is the processor time of the process so far, to 10 ms on Linux (USER_HZ).
func (c *child) cpu() (time.Duration, error) {
	p := process.Process{Pid: int32(c.cmd.Process.Pid)}
	times, err := p.Times()
	if err != nil {
		return 0, fmt.Errorf("read the processor time of process %d: %w", p.Pid, err)
	}
	return time.Duration((times.User + times.System) * float64(time.Second)), nil
}

// cpuOf runs a command to its end and returns the processor time that it
// took, in user and kernel mode (getrusage of the child).
func cpuOf(ctx context.Context, command []string) (time.Duration, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.SysProcAttr = diesWithUs()
	cmd.Stdout, cmd.Stderr = io.Discard, &stderr
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("run %s: %w %s", strings.Join(command[1:], " "), err, &stderr)
	}
	return count(cmd.ProcessState), nil
}
