package tracepoint

import (
	"encoding/binary"
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

// Listener collects the transitions in one network namespace from Open to Close. It and
// all that share its buffer are for one goroutine.
type Listener struct {
	*shared
	netNS uint32
	heard []Transition // what was drained beside another listener's
	gaps  uint64       // transitions that are missing between two others
	// before is how many were lost when the listener began.
	before uint64
}

// shared is what the listeners of several namespaces have in common: each transition runs
// one program and not one for each of them, and the buffer, which counts as memory of this
// process, is there once.
type shared struct {
	ring *bpf.Ring
	maps
	filled    *filled              // nil until somebody waits for it
	listeners map[uint32]*Listener // by namespace
	open      []io.Closer          // what the last Close closes, in the order in which it was opened
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
	s := &shared{listeners: map[uint32]*Listener{}}
	err := s.start(o)
	if err == nil {
		var l *Listener
		if l, err = s.listen(o.NetNS); err == nil {
			return l, nil
		}
	}
	return nil, errors.Join(explain(err), s.close())
}

// Beside starts to collect the transitions in another network namespace, with the options,
// the buffer and the program of this listener. The caller closes the Listener.
func (l *Listener) Beside(netNS uint32) (*Listener, error) {
	if l.open == nil {
		return nil, os.ErrClosed
	}
	if l.listeners[netNS] != nil {
		return nil, fmt.Errorf("network namespace %d has a listener", netNS)
	}
	if err := l.drain(); err != nil { // what an earlier listener of that namespace left
		return nil, err
	}
	beside, err := l.listen(netNS)
	if err != nil {
		return nil, explain(err)
	}
	return beside, nil
}

func (s *shared) listen(netNS uint32) (*Listener, error) {
	before, err := s.lost.Count()
	if err != nil {
		return nil, err
	}
	l := &Listener{shared: s, netNS: netNS, before: before}
	if err := s.namespaces.Set(uint64(netNS), make([]byte, 8)); err != nil {
		return nil, err
	}
	s.listeners[netNS] = l
	return l, nil
}

func (s *shared) start(o Options) error {
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
	m, err := s.newMaps(o.Buffer)
	if err != nil {
		return err
	}
	if s.ring, err = bpf.NewRing(m.buffer, int(ringSize(o.Buffer))); err != nil {
		return err
	}
	s.open = append(s.open, s.ring)
	s.maps = m
	for _, copied := range []bool{false, true} {
		p, err := s.keep(bpf.NewTracing(program(at, o.Ports, m, copied), at.tracepoint))
		if err != nil {
			return err
		}
		if _, err := s.keep(p.AttachTracing()); err != nil {
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
// that found no room in the buffer is counted, of whichever namespace that shares it; StateDuration and PID of the others
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
	if l.open == nil || l.listeners[l.netNS] != l {
		return into, 0, os.ErrClosed
	}
	err = l.drain()
	into = append(into, l.heard...)
	l.heard = l.heard[:0]
	if err != nil {
		return into, 0, err
	}
	if lost, err = l.lost.Count(); err != nil {
		return into, 0, fmt.Errorf("tracepoint: count of what was lost: %w", err)
	}
	return into, lost - l.before + l.gaps, nil
}

// drain hands each transition to the listener of its namespace.
func (s *shared) drain() error {
	if err := s.ring.Drain(func(record []byte) error {
		t, gap, err := decode(record)
		if err != nil {
			return err
		}
		l := s.listeners[binary.NativeEndian.Uint32(record[recordNetNS:])]
		if l == nil {
			return nil // it was closed
		}
		if gap {
			l.gaps++
		}
		l.heard = append(l.heard, t)
		return nil
	}); err != nil {
		return fmt.Errorf("tracepoint: %w", err)
	}
	return nil
}

// Close stops collecting, and drops what was not drained. It may be called again.
func (l *Listener) Close() error {
	if l.open == nil || l.listeners[l.netNS] != l {
		return nil
	}
	delete(l.listeners, l.netNS)
	if len(l.listeners) > 0 {
		return l.namespaces.Delete(uint64(l.netNS))
	}
	return l.close()
}

func (s *shared) close() error {
	var errs []error
	for i := len(s.open) - 1; i >= 0; i-- {
		errs = append(errs, s.open[i].Close())
	}
	s.open = nil
	return errors.Join(errs...)
}
