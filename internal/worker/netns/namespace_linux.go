package netns

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"socketlab/internal/worker/orphans"
)

// Namespace is a user and network namespace whose loopback device is up. Its
// processes are root inside and the caller's own user outside. It is safe for
// use by several goroutines. Create one with [New]; Close ends it.
type Namespace struct {
	supervisor *exec.Cmd
	control    *net.UnixConn
	thread     int        // the supervisor's thread that is inside
	asking     sync.Mutex // one request at a time
	answers    chan reply
	ended      chan struct{} // closed when the supervisor is gone
	timeout    time.Duration // for each answer
}

type reply struct {
	answer
	process *Process // of an answer with a PID
	files   []*os.File
}

// New makes a namespace. supervisor is the command of a program that calls [Supervise]
// and is not started yet; New adds what makes the namespace.
func New(supervisor *exec.Cmd) (*Namespace, error) {
	if err := otherProc(); err != nil {
		return nil, err
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("connect to a namespace's supervisor: %w", err)
	}
	theirs := os.NewFile(uintptr(pair[1]), "control")
	ours, err := unixConn(os.NewFile(uintptr(pair[0]), "control"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("connect to a namespace's supervisor: %w", err), theirs.Close())
	}
	supervisor.ExtraFiles = []*os.File{theirs} // becomes descriptor controlFD
	supervisor.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:     true, // Ctrl-C is for us
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
	var said bytes.Buffer
	if supervisor.Stderr == nil {
		supervisor.Stderr = &said
	}
	err = supervisor.Start()
	_ = theirs.Close() // so that ours ends with the supervisor
	if err != nil {
		return nil, errors.Join(forbidden(err), ours.Close())
	}
	n := &Namespace{
		supervisor: supervisor, control: ours,
		answers: make(chan reply, 1), ended: make(chan struct{}), timeout: answerTimeout,
	}
	go n.listen()
	first, err := n.answer()
	switch {
	case err == nil:
		n.thread = first.Ready
		return n, nil
	case errors.Is(err, errSupervisorGone):
		return nil, fmt.Errorf("start a namespace's supervisor: %w (%s) %s", err, supervisor.ProcessState, said.String())
	case first.Refused: // by a limit that this process sees, and the supervisor does not
		err = limitReached("net")
	case first.Error != "":
		err = fmt.Errorf("%w: %w; some systems take all rights from user namespaces (AppArmor's kernel.apparmor_restrict_unprivileged_userns)", ErrForbidden, err)
	}
	return nil, errors.Join(err, n.Close())
}

// otherProc is the error of a /proc that is of another PID namespace. There the file that maps
// the supervisor's users is another process's, or none, and the error of that would mislead.
func otherProc() error {
	self, err := os.Readlink("/proc/self")
	if err != nil || self == strconv.Itoa(os.Getpid()) {
		return nil
	}
	return fmt.Errorf("start a namespace's supervisor: /proc is of another PID namespace: there this process is %s, and here %d: mount one of its own (unshare --mount-proc does)", self, os.Getpid())
}

// limitReached is the error of one more namespace than a user may have. The limits are
// those of this process's user namespace, and of all above it, which it does not see.
func limitReached(kind string) error {
	name := map[string]string{"user": "user", "net": "network"}[kind]
	limit, _ := os.ReadFile("/proc/sys/user/max_" + kind + "_namespaces")
	return fmt.Errorf("%w: the limit of %s namespaces is reached (user.max_%s_namespaces is %s)", ErrForbidden, name, kind, strings.TrimSpace(string(limit)))
}

// userNamespaces reports whether one more can be made, by a process that ends in it.
func userNamespaces() bool {
	const missing = "/proc/self/no such program" // the namespace is made before it is looked for
	_, err := syscall.ForkExec(missing, []string{missing}, &syscall.ProcAttr{Sys: &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER}})
	return errors.Is(err, unix.ENOENT)
}

// forbidden says why a process could not be started in namespaces.
func forbidden(err error) error {
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EUSERS):
		if userNamespaces() {
			return limitReached("net")
		}
		return limitReached("user")
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES), errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS):
		return fmt.Errorf("%w: this system forbids user namespaces to this user: %w", ErrForbidden, err)
	}
	return fmt.Errorf("start a namespace's supervisor: %w", err)
}

// listen passes on what the supervisor says until it is gone.
func (n *Namespace) listen() {
	running := map[int]*Process{}
	for {
		var a answer
		files, err := receive(n.control, &a)
		if err != nil {
			break
		}
		n.hear(a, files, running)
	}
	_ = n.control.Close() // a supervisor that still lived would end now
	_ = n.supervisor.Wait()
	for _, p := range running {
		p.end("killed with its namespace's supervisor")
	}
	close(n.ended)
}

// hear takes what the supervisor said: the end of a process, or an answer.
func (n *Namespace) hear(a answer, files []*os.File, running map[int]*Process) {
	if a.Exited != nil {
		if p := running[a.Exited.PID]; p != nil {
			p.end(a.Exited.Status)
			delete(running, a.Exited.PID)
		}
		return
	}
	r := reply{answer: a, files: files}
	if a.PID != 0 {
		r.process = &Process{PID: a.PID, space: n, ended: make(chan struct{})}
		running[a.PID] = r.process
	}
	n.answers <- r
}

var errSupervisorGone = errors.New("the namespace's supervisor has ended")

// answer waits for the supervisor's answer to the request under way. One that gives none
// in time, because it was stopped, is ended with all that it started.
func (n *Namespace) answer() (reply, error) {
	silent := time.AfterFunc(n.timeout, n.kill)
	defer silent.Stop()
	select {
	case r := <-n.answers:
		if r.Error != "" {
			return r, errors.New(r.Error)
		}
		return r, nil
	case <-n.ended:
		if !silent.Stop() {
			return reply{}, fmt.Errorf("the namespace's supervisor (process %d) did not answer within %s", n.PID(), n.timeout)
		}
		return reply{}, errSupervisorGone
	}
}

// Process is a process in a namespace.
type Process struct {
	PID int // as this process sees it

	space *Namespace
	ended chan struct{}
	err   error
}

func (p *Process) end(status string) {
	if status != "" {
		p.err = errors.New(status)
	}
	close(p.ended)
}

// Wait waits for the process's end. Its error is one of another exit code than
// 0, or of a signal.
func (p *Process) Wait() error {
	<-p.ended
	return p.err
}

// Kill ends the process at once, if it has not ended. It does not wait. A supervisor that
// does not follow, because it was stopped, is ended with all that it started.
func (p *Process) Kill() error {
	time.AfterFunc(patience, func() {
		select {
		case <-p.ended:
		default:
			p.space.kill()
		}
	})
	return send(p.space.control, request{Kill: p.PID})
}

// patience is how long a supervisor may take to end what it is asked to, and answerTimeout
// how long to answer: it takes milliseconds, but a small machine may be busy.
const (
	patience      = 2 * time.Second
	answerTimeout = 15 * time.Second
)

// kill ends the supervisor and all below it.
func (n *Namespace) kill() {
	orphans.Signal(n.PID(), unix.SIGKILL)
	_ = n.supervisor.Process.Kill()
}

// Start starts a program inside, with these arguments, this process's
// environment and these standard streams, which stay open here.
func (n *Namespace) Start(command []string, stdin, stdout, stderr *os.File) (*Process, error) {
	n.asking.Lock()
	defer n.asking.Unlock()
	r, err := n.ask(request{Start: command, Env: os.Environ()}, stdin, stdout, stderr)
	if err != nil {
		return nil, fmt.Errorf("start %s in a namespace: %w", command[0], err)
	}
	if r.process == nil {
		return nil, fmt.Errorf("start %s in a namespace: the supervisor did not say its process id", command[0])
	}
	return r.process, nil
}

// Sockdiag opens a sock_diag socket inside, for use here. The caller closes it.
func (n *Namespace) Sockdiag() (*os.File, error) {
	n.asking.Lock()
	defer n.asking.Unlock()
	r, err := n.ask(request{Sockdiag: true})
	if err == nil && len(r.files) != 1 {
		err = errors.New("the supervisor sent none")
	}
	if err != nil {
		return nil, fmt.Errorf("open sock_diag in a namespace: %w", err)
	}
	return r.files[0], nil
}

func (n *Namespace) ask(r request, files ...*os.File) (reply, error) {
	// A supervisor that was stopped reads nothing.
	if err := errors.Join(n.control.SetWriteDeadline(time.Now().Add(n.timeout)), send(n.control, r, files...)); err != nil {
		return reply{}, fmt.Errorf("ask the namespace's supervisor: %w", err)
	}
	return n.answer()
}

// PID is the supervisor's process id.
func (n *Namespace) PID() int { return n.supervisor.Process.Pid }

// Proc is the folder of /proc that shows the namespace, as in Proc()+"/net/snmp".
func (n *Namespace) Proc() string {
	return "/proc/" + strconv.Itoa(n.PID()) + "/task/" + strconv.Itoa(n.thread)
}

// Close ends the processes inside, and the namespace. It returns once they are
// gone.
func (n *Namespace) Close() error {
	_ = n.control.CloseWrite() // the supervisor's sign to end; it kills what runs
	select {
	case <-n.ended:
	case <-time.After(patience):
		n.kill()
		<-n.ended
	}
	return nil
}

// ReadOnlySysctl reports whether /proc/sys cannot be written, also for a namespace of
// one's own, as in many containers.
func ReadOnlySysctl() bool {
	var at unix.Statfs_t
	return unix.Statfs("/proc/sys/net", &at) != nil || at.Flags&unix.ST_RDONLY != 0
}
