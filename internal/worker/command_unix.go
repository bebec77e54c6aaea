//go:build unix

package worker

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"socketlab/internal/worker/orphans"
)

func shell(line string) *exec.Cmd { return exec.Command("sh", "-c", line) }

// tree is a command and all that it started: its process group, and on Linux
// also what left the group.
type tree struct {
	group int
	// gone is closed once no child of ours is left. Where the orphans of our
	// children become ours, that is once nothing of the command is left.
	gone chan struct{}
}

func (t *tree) start(cmd *exec.Cmd) error {
	if err := orphans.Adopt(); err != nil {
		return fmt.Errorf("take care of what the command leaves behind: %w", err)
	}
	cmd.SysProcAttr = ownGroup()
	if err := cmd.Start(); err != nil {
		return err
	}
	t.group, t.gone = cmd.Process.Pid, make(chan struct{})
	return nil
}

// wait waits for the command, and for orphans that became ours, until there is
// none. It takes the place of cmd.Wait, which knows the command alone.
func (t *tree) wait(cmd *exec.Cmd, ended chan<- End) {
	defer close(t.gone)
	pid := cmd.Process.Pid
	for {
		var status syscall.WaitStatus
		got, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil: // ECHILD
			return
		case got == pid:
			ended <- endOf(status)
		}
	}
}

func endOf(status syscall.WaitStatus) End {
	if status.Signaled() {
		return End{Code: -1, How: "signal: " + status.Signal().String()}
	}
	return End{Code: status.ExitStatus(), How: fmt.Sprintf("exit status %d", status.ExitStatus())}
}

func (t *tree) signal(sig syscall.Signal) {
	if !t.alive() {
		return
	}
	_ = syscall.Kill(-t.group, sig)
	orphans.Signal(os.Getpid(), sig)
}

// alive reports whether something of the command is left.
func (t *tree) alive() bool {
	select {
	case <-t.gone:
		return !orphans.Adopts && syscall.Kill(-t.group, 0) == nil
	default:
		return true
	}
}
