package tracepoint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/bits"
	"os"
	"slices"
	"syscall"

	"socketlab/internal/bpf"
)

// Listener collects the transitions from Open to Close. It is for one goroutine.
type Listener struct {
	ring *bpf.Ring
	lost bpf.Object
	gaps uint64      // transitions that are missing between two others
	open []io.Closer // what Close closes, in the order in which it was opened
}

// Open starts to collect transitions. The caller closes the Listener; if it does not,
// the kernel does when the process ends. The error Is [ErrNotAllowed] if the process
// lacks the privilege, and [errors.ErrUnsupported] if the kernel lacks a feature.
func Open(o Options) (*Listener, error) {
	if len(o.Ports) > maxPorts {
		return nil, fmt.Errorf("%d ports to listen for, and %d is the most", len(o.Ports), maxPorts)
	}
	if slices.Contains(o.Ports, 0) {
		return nil, errors.New("port 0 to listen for, which is no port")
	}
	if o.Buffer < 0 || o.Buffer > maxBuffer {
		return nil, fmt.Errorf("a buffer of %d bytes, and %d is the most", o.Buffer, maxBuffer)
	}
	if o.Buffer == 0 {
		o.Buffer = defaultBuffer
	}
	if o.NetNS == 0 {
		var err error
		if o.NetNS, err = ownNetNS(); err != nil {
			return nil, err
		}
	}
	l := &Listener{}
	if err := l.start(o); err != nil {
		return nil, errors.Join(explain(err), l.Close())
	}
	return l, nil
}

func (l *Listener) start(o Options) error {
	if bits.UintSize != 64 {
		return fmt.Errorf("a machine of %d bits: %w", bits.UintSize, errors.ErrUnsupported)
	}
	types, err := bpf.KernelTypes()
	if err != nil {
		return err
	}
	defer types.Close()
	at, err := readLayout(types)
	if err != nil {
		return err
	}
	if err := tryProgram(at); err != nil {
		return err
	}
	m, err := l.newMaps(o.Buffer)
	if err != nil {
		return err
	}
	if l.ring, err = bpf.NewRing(m.ring, int(ringSize(o.Buffer))); err != nil {
		return err
	}
	l.open = append(l.open, l.ring)
	l.lost = m.lost
	for _, copied := range []bool{false, true} {
		p, err := l.keep(bpf.NewTracing(program(at, o, m, copied), at.tracepoint))
		if err != nil {
			return err
		}
		if _, err := l.keep(p.AttachTracing()); err != nil {
			return err
		}
	}
	return nil
}

// tryProgram loads a program that does nothing, to see whether this process is
// allowed to: a map of a kind that the kernel lacks is refused before that is asked.
func tryProgram(at layout) error {
	p, err := bpf.NewTracing([]bpf.Instruction{bpf.Set(bpf.R0, 0), bpf.Exit()}, at.tracepoint)
	if errors.Is(err, syscall.EINVAL) {
		return fmt.Errorf("this kernel has no programs for tracepoints: %w (%w)", errors.ErrUnsupported, err)
	}
	if err != nil {
		return err
	}
	return p.Close()
}

// ownNetNS returns the inode of the process's network namespace.
func ownNetNS() (uint32, error) {
	info, err := os.Stat("/proc/self/ns/net")
	if err != nil {
		return 0, fmt.Errorf("network namespace: %w", err)
	}
	return uint32(info.Sys().(*syscall.Stat_t).Ino), nil
}

// explain wraps an error of the kernel by its kind. The verifier refuses a program
// with EACCES too, but that is not for lack of privilege.
func explain(err error) error {
	var refused *bpf.RefusedError
	switch {
	case errors.Is(err, fs.ErrPermission) && !errors.As(err, &refused):
		return fmt.Errorf("%w (%w)", ErrNotAllowed, err)
	default:
		return fmt.Errorf("tracepoint %s: %w", tracepointName, err)
	}
}

// Drain appends the transitions since the last call to into, and does not wait for
// more. Each socket's transitions are in the order in which they happened. Those of
// different sockets are in the order in which the kernel wrote them, in which At may
// go back by microseconds.
//
// lost is the number of transitions since Open that are known to be missing. Each one
// that found no room in the buffer is counted; StateDuration and PID of the others
// are right all the same. If the kernel did not run the program for a transition, the
// socket's next one shows it, because its From is not the last To. That counts as
// one, and StateDuration is 0. It should not happen, but the kernel of a virtual
// machine (6.18) hid about one timer interrupt in some hundred from all tracing
// programs, with the work of TCP's timers in it. If the last transition of a socket,
// to CLOSE, is missing, nothing shows it. So compare long counts with a listing.
//
// With an error, the transitions that could be read are appended. After Close the
// error is [os.ErrClosed].
func (l *Listener) Drain(into []Transition) (_ []Transition, lost uint64, err error) {
	if l.open == nil {
		return into, 0, os.ErrClosed
	}
	if err := l.ring.Drain(func(record []byte) error {
		t, gap, err := decode(record)
		if err != nil {
			return err
		}
		if gap {
			l.gaps++
		}
		into = append(into, t)
		return nil
	}); err != nil {
		return into, 0, fmt.Errorf("tracepoint: %w", err)
	}
	if lost, err = l.lost.Count(); err != nil {
		return into, 0, fmt.Errorf("tracepoint: count of what was lost: %w", err)
	}
	return into, lost + l.gaps, nil
}

// Close stops collecting, and drops what was not drained. It may be called again.
func (l *Listener) Close() error {
	var errs []error
	for i := len(l.open) - 1; i >= 0; i-- {
		errs = append(errs, l.open[i].Close())
	}
	l.open = nil
	return errors.Join(errs...)
}
