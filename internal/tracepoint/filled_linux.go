package tracepoint

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"socketlab/internal/bpf"
)

// filled says when the buffer has so much in it that it is to be drained. The kernel
// wakes it then, and until then it costs nothing.
type filled struct {
	heard      chan struct{}
	file       *os.File // the buffer, for the runtime's poller
	stop, done chan struct{}
}

// waitFilled begins to wait for a buffer with at least so many bytes in it.
func waitFilled(ring *bpf.Ring, buffer bpf.Object, bytes uint64) (*filled, error) {
	fd, err := unix.FcntlInt(uintptr(buffer), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("wait for the buffer of the tracepoint: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, errors.Join(fmt.Errorf("wait for the buffer of the tracepoint: %w", err), unix.Close(fd))
	}
	f := &filled{make(chan struct{}), os.NewFile(uintptr(fd), "sockwatch_ring"), make(chan struct{}), make(chan struct{})}
	c, err := f.file.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, f.file.Close())
	}
	go func() {
		defer close(f.done)
		// The function runs before the first wait, so that nothing is missed between two.
		for c.Read(func(uintptr) bool { return ring.Waiting() >= bytes }) == nil {
			select {
			case f.heard <- struct{}{}:
			case <-f.stop:
				return
			}
		}
	}()
	return f, nil
}

// Close ends the wait, and returns when nothing looks at the buffer any more.
func (f *filled) Close() error {
	close(f.stop)
	err := f.file.Close()
	<-f.done
	return err
}

// Filled returns a channel that has a value when the buffer, which this listener may share
// with others, is filled to an eighth or more: Drain is due then. It is never closed.
func (l *Listener) Filled() (<-chan struct{}, error) {
	if l.open == nil {
		return nil, os.ErrClosed
	}
	if l.filled == nil {
		f, err := waitFilled(l.ring, l.buffer, 1<<l.wakeAt)
		if err != nil {
			return nil, err
		}
		l.filled = f
		l.open = append(l.open, f)
	}
	return l.filled.heard, nil
}
