package netnstest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// insideEnv is set in a process that is in a namespace of Enter's, and in those
// that it starts.
const insideEnv = "SOCKETLAB_TEST_NETNS"

// Enter begins this test binary again in a network namespace of its own, whose
// loopback device is up. Call it in TestMain before m.Run, and after what makes
// the process a helper of a test. It returns in the namespace; in a process that
// was started by one that is inside; and, with a line on standard error that says
// why, where the system allows no namespace. There the tests see their neighbours.
//
// With CAP_SYS_ADMIN the process keeps its id, user and privileges. Without, the
// tests run in a child, in a user namespace with the same user ids; this process
// waits and exits with the child's code.
func Enter() {
	switch os.Getenv(insideEnv) {
	case "":
	case enteredByParent:
		if err := LoopbackUp(); err != nil { // as where AppArmor takes all rights from user namespaces
			os.Exit(noLoopback)
		}
		_ = os.Setenv(insideEnv, entered)
		return
	default:
		return
	}
	self, err := os.Executable() // not /proc/self/exe: it would become the process's name
	if err == nil {
		err = execInside(self)
	}
	if errors.Is(err, unix.EPERM) {
		err = runInside(self)
	}
	fmt.Fprintln(os.Stderr, "these tests share their network namespace with whatever runs beside them:", err)
}

// Inside reports whether this process is in a namespace of Enter's. There a test
// with the privilege may change the namespace's settings.
func Inside() bool { return os.Getenv(insideEnv) != "" }

const (
	entered         = "entered"
	enteredByParent = "loopback is down"
	// noLoopback is the exit code of a child in which no test has run.
	noLoopback = 97
)

// execInside replaces this process. The namespace is the calling thread's, which
// execve makes the process's only one (man 2 execve). It returns only with an
// error.
func execInside(self string) error {
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("make a network namespace: %w", err)
	}
	// From here on an error ends the process: this thread is elsewhere already.
	if err := LoopbackUp(); err != nil {
		panic(err)
	}
	panic(syscall.Exec(self, os.Args, append(os.Environ(), insideEnv+"="+entered)))
}

// runInside runs the tests in a child and exits. It returns only with an error.
func runInside(self string) error {
	runtime.LockOSThread() // the child dies with its parent's thread
	defer runtime.UnlockOSThread()
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), insideEnv+"="+enteredByParent)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: os.Geteuid(), HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getegid(), HostID: os.Getegid(), Size: 1}},
		AmbientCaps: []uintptr{unix.CAP_NET_ADMIN}, // for the loopback device
		Pdeathsig:   syscall.SIGKILL,
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("make a user and a network namespace: %w", err)
	}
	err := cmd.Wait()
	if cmd.ProcessState.ExitCode() == noLoopback {
		return errors.New("this system allows a user namespace, but nothing in it")
	}
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, err)
	}
	code := cmd.ProcessState.ExitCode()
	if code < 0 {
		fmt.Fprintln(os.Stderr, "the tests ended by a signal:", cmd.ProcessState)
		code = 1
	}
	os.Exit(code)
	return nil
}

// LoopbackUp brings up the loopback device of the calling thread's network
// namespace.
func LoopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("bring up the loopback device: %w", err)
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err == nil {
		lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
		err = unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
	}
	if err != nil {
		return fmt.Errorf("bring up the loopback device: %w", err)
	}
	return nil
}
