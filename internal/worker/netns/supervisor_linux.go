package netns

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"socketlab/internal/worker/orphans"
)

// controlFD is the supervisor's end of the connection to its [Namespace].
const controlFD = 3

// Supervise is the whole work of a namespace supervisor: the program that [New] was given calls it,
// and exits with the code that it returns.
func Supervise() int {
	// What Ctrl-C means to a run is the lab's affair.
	signal.Ignore(os.Interrupt)
	control, err := unixConn(os.NewFile(controlFD, "control"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "a supervisor is started by its lab only:", err)
		return 2
	}
	// The namespace is this thread's alone, and its children inherit it.
	runtime.LockOSThread()
	if err := errors.Join(orphans.Adopt(), enter()); err != nil {
		_ = send(control, answer{Error: err.Error(), Refused: errors.Is(err, unix.ENOSPC)})
		return 1
	}
	s := &supervisor{control: control, running: map[int]*os.Process{}}
	if err := s.say(answer{Ready: unix.Gettid()}); err != nil {
		return 1
	}
	for {
		var r request
		files, err := receive(control, &r)
		if err != nil { // the lab is gone, or done
			s.killAll()
			return 0
		}
		err = s.obey(r, files)
		closeAll(files)
		if err != nil {
			s.killAll()
			return 1
		}
	}
}

// childBuckets is the size of the namespace's own table of connections. The
// kernel walks through all of a table for each listing; the machine's, which a
// namespace shares by default, has hundreds of thousands of buckets and
// everybody's sockets in it.
const childBuckets = "8192"

// enter leaves the namespace that the supervisor was started in for a second one
// with a table of its own, which takes its size from the first
// (inet_pernet_hashinfo_alloc in net/ipv4/inet_hashtables.c, Linux 6.1), and
// brings up the loopback device. Where /proc/sys cannot be written, as in many
// containers, the table is shared; that costs time and no truth.
func enter() error {
	_ = os.WriteFile("/proc/sys/net/ipv4/tcp_child_ehash_entries", []byte(childBuckets), 0)
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("make a network namespace: %w", err)
	}
	return loopbackUp()
}

func loopbackUp() error {
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

// supervisor starts processes and reports their ends.
type supervisor struct {
	control *net.UnixConn
	mu      sync.Mutex // guards running, and lets one message out at a time
	running map[int]*os.Process
	awaits  sync.WaitGroup
}

func (s *supervisor) say(a answer, files ...*os.File) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return send(s.control, a, files...)
}

// obey does what is asked and answers. An error is one of the connection.
func (s *supervisor) obey(r request, files []*os.File) error {
	switch {
	case r.Kill != 0:
		s.mu.Lock()
		defer s.mu.Unlock()
		if p := s.running[r.Kill]; p != nil {
			_ = p.Kill()
		}
		return nil
	case r.Sockdiag:
		fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
		if err != nil {
			return s.say(answer{Error: os.NewSyscallError("socket", err).Error()})
		}
		f := os.NewFile(uintptr(fd), "sock_diag")
		defer f.Close()
		return s.say(answer{Sockdiag: true}, f)
	case len(r.Start) > 0 && len(files) == maxFiles:
		return s.start(r, files)
	default:
		return s.say(answer{Error: "the supervisor does not understand the request"})
	}
}

func (s *supervisor) start(r request, files []*os.File) error {
	cmd := exec.Command(r.Start[0], r.Start[1:]...)
	cmd.Env = r.Env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = files[0], files[1], files[2]
	// A supervisor that is killed takes its processes with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s.mu.Lock() // its end is reported after its begin
	err := cmd.Start()
	if err != nil {
		s.mu.Unlock()
		return s.say(answer{Error: err.Error()})
	}
	s.running[cmd.Process.Pid] = cmd.Process
	err = send(s.control, answer{PID: cmd.Process.Pid})
	s.mu.Unlock()
	s.awaits.Go(func() { s.await(cmd) })
	return err
}

func (s *supervisor) await(cmd *exec.Cmd) {
	status := ""
	if err := cmd.Wait(); err != nil {
		status = err.Error()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, cmd.Process.Pid)
	_ = send(s.control, answer{Exited: &exit{PID: cmd.Process.Pid, Status: status}})
}

// killAll ends what still runs, also what those processes started and left behind, and
// waits until it is gone.
func (s *supervisor) killAll() {
	orphans.Signal(os.Getpid(), unix.SIGKILL)
	s.awaits.Wait()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		switch pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); {
		case err != nil && !errors.Is(err, unix.EINTR): // ECHILD: nothing is left
			return
		case pid == 0: // what was started meanwhile, or became ours
			orphans.Signal(os.Getpid(), unix.SIGKILL)
			<-again.C
		}
	}
}
