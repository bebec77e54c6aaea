package worker

import (
	"fmt"
	"os/exec"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// shell passes the line on as it is: cmd has its own rules for quotes.
func shell(line string) *exec.Cmd {
	cmd := exec.Command("cmd")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		CmdLine:       "cmd /S /C \"" + line + "\"",
		CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP,
	}
	return cmd
}

// tree is a command and all that it started: a job that this process is in,
// and that ends with the last handle to it, which is ours.
type tree struct {
	cmd  *exec.Cmd
	gone chan struct{}
}

func (t *tree) start(cmd *exec.Cmd) error {
	if err := enterJob(); err != nil {
		return fmt.Errorf("make a job that ends the command with this process: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	t.cmd, t.gone = cmd, make(chan struct{})
	return nil
}

func enterJob() error {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return err
	}
	var limits windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	limits.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	if _, err := windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits))); err != nil {
		return err
	}
	return windows.AssignProcessToJobObject(job, windows.CurrentProcess())
}

func (t *tree) wait(cmd *exec.Cmd, ended chan<- End) {
	defer close(t.gone)
	err := cmd.Wait()
	end := End{Code: cmd.ProcessState.ExitCode(), How: cmd.ProcessState.String()}
	if end.Code == 0 && err != nil {
		end = End{Code: -1, How: err.Error()}
	}
	ended <- end
}

// signal knows force alone: there is no asking here.
func (t *tree) signal(syscall.Signal) {
	if t.alive() {
		_ = t.cmd.Process.Kill()
	}
}

func (t *tree) alive() bool {
	select {
	case <-t.gone:
		return false
	default:
		return true
	}
}
