package play

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"socketlab/internal/life"
	"socketlab/internal/socketstats"
	"socketlab/internal/worker/netfault"
)

const (
	serverPort = 8080
	// patience is the longest wait for one segment. A SYN is sent again after 1 s.
	patience = 5 * time.Second
	// quiet is the time at the end in which no segment may follow.
	quiet = 50 * time.Millisecond
)

// player plays one variant. It is for one goroutine at a time.
type player struct {
	record   *life.Record
	queue    *netfault.Queue
	diag     *socketstats.Sockdiag
	began    time.Time
	listener int    // descriptor; 0 for none
	fd       [2]int // of the connection, by end; 0 for none
	others   []int  // descriptors that are no part of the connection
	// known says that the server's kernel has had a socket for the connection.
	known   bool
	numbers [2]numbering // by the end that sends
	watch   func(*life.Record) error
}

// Play plays a variant in the namespace of the process. wait says whether it waits
// for the end of TIME_WAIT, which takes a minute.
//
// Its error Is [ErrDisturbed] if a segment came that is no part of the variant, as
// where the process had no processor for longer than the kernel's timers run: then it
// may be played again, in another namespace.
func Play(ctx context.Context, variant string, wait bool) (*life.Record, error) {
	return playWatched(ctx, variant, wait, func(*life.Record) error { return nil })
}

// playWatched calls watch after each row, before anything else happens.
func playWatched(ctx context.Context, variant string, wait bool, watch func(*life.Record) error) (_ *life.Record, err error) {
	network, err := netfault.Open()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, network.Close()) }()
	p := &player{watch: watch, record: &life.Record{Schema: life.Schema, Variant: variant, ServerPort: serverPort, Rows: []life.Row{}}}
	for _, v := range life.Variants() {
		if v.Name == variant {
			p.record.Title = v.Title
		}
	}
	if p.queue, err = network.Hold(serverPort); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.queue.Close()) }()
	if p.diag, err = socketstats.OpenSockdiag(); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.diag.Close()) }()
	defer p.closeAll()
	p.began = time.Now()
	play, ok := plays[variant]
	if !ok {
		return nil, fmt.Errorf("no variant %q", variant)
	}
	if err := catch(func() { play(p); p.end(ctx, wait) }); err != nil {
		return nil, fmt.Errorf("%s, step %d: %w", variant, len(p.record.Rows)+1, err)
	}
	return p.record, nil
}

// failure is an error that ends a play from anywhere in it.
type failure struct{ error }

// must ends the play with an error.
func must(err error) {
	if err != nil {
		panic(failure{err})
	}
}

func catch(f func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			failed, ok := r.(failure)
			if !ok {
				panic(r)
			}
			err = failed.error
		}
	}()
	f()
	return nil
}

// closeAll closes what a variant leaves open, without another segment.
func (p *player) closeAll() {
	for _, fd := range append([]int{p.listener, p.fd[0], p.fd[1]}, p.others...) {
		if fd != 0 {
			_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_REPAIR, 1) // close() sends nothing then
			_ = unix.Close(fd)
		}
	}
}

// call records a call of an end, or an event. f makes it and says what it returned.
func (p *player) call(who, call, text string, f func() (result string, err error)) {
	row := life.Row{AtMS: life.Millis(time.Since(p.began)), Who: who, Call: call, Text: text}
	var err error
	if f != nil {
		row.Result, err = f()
	}
	if err != nil {
		must(fmt.Errorf("%s: %s: %w", who, call, err))
	}
	p.add(row)
}

// add completes a row with what the kernel says now.
func (p *player) add(row life.Row) {
	must(p.sample(&row))
	p.record.Rows = append(p.record.Rows, row)
	must(p.watch(p.record))
}

// next waits for the connection's next segment, and lets those of others pass.
func (p *player) next(wait time.Duration) (netfault.Held, segment, error) {
	for {
		held, err := p.queue.Next(wait)
		if err != nil {
			return held, segment{}, err
		}
		s, err := parse(held.Packet)
		if err != nil {
			return held, s, err
		}
		if p.record.ClientPort == 0 || s.from == p.record.ClientPort || s.to == p.record.ClientPort {
			return held, s, nil
		}
		if err := p.queue.Accept(held); err != nil {
			return held, s, err
		}
	}
}

// segment waits for a segment of an end with these flags, lets it through, and
// records it.
func (p *player) segment(from socketstats.End, flags, text string) { p.take(from, flags, text, false) }

// lose waits for a segment and drops it.
func (p *player) lose(from socketstats.End, flags, text string) { p.take(from, flags, text, true) }

func (p *player) take(from socketstats.End, flags, text string, lost bool) {
	held, s, err := p.next(patience)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = fmt.Errorf("no %s of the %s came in %s", flags, from, patience)
	}
	must(err)
	end := socketstats.Client
	if s.from == serverPort {
		end = socketstats.Server
	}
	row := life.Row{AtMS: life.Millis(time.Since(p.began)), Who: end.String(), Text: text}
	row.Segment = take(s, &p.numbers[end], &p.numbers[1-end])
	row.Segment.Lost = lost
	if end != from || row.Segment.Flags != flags {
		must(fmt.Errorf("%w: a %s of the %s came, not the %s of the %s", ErrDisturbed, row.Segment.Flags, end, flags, from))
	}
	if lost {
		must(p.queue.Drop(held))
	} else {
		must(p.queue.Accept(held))
	}
	p.add(row)
}

// end makes sure that every segment was recorded, and waits for the end of TIME_WAIT
// if it is asked to.
func (p *player) end(ctx context.Context, wait bool) {
	_, s, err := p.next(quiet)
	if err == nil {
		must(fmt.Errorf("%w: a %s from port %d", ErrDisturbed, s.names(), s.from))
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		must(err)
	}
	last := p.record.Rows[len(p.record.Rows)-1]
	if !wait || last.Client.State != socketstats.TimeWait.String() {
		return
	}
	const minute = 60 * time.Second // TCP_TIMEWAIT_LEN in include/net/tcp.h
	deadline, tick := time.After(minute+patience), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for row := last; row.Client.State != life.None || row.Server.State != life.None; must(p.sample(&row)) {
		select {
		case <-ctx.Done():
			must(ctx.Err())
		case <-deadline:
			must(fmt.Errorf("the client's socket is still in %s", row.Client.State))
		case <-tick.C:
		}
	}
	p.call(life.Kernel, "time-wait timer", "Nothing of the connection can still be on its way: it is gone.", nil)
}

// sample reads what both ends are and hold.
func (p *player) sample(row *life.Row) error {
	sockets, err := p.diag.Sockets(context.Background(), socketstats.Query{Ports: []uint16{serverPort}, Held: true})
	if err != nil {
		return err
	}
	row.Client, row.Server, row.Listener = life.End{State: life.None}, life.End{State: life.None}, nil
	for _, s := range sockets {
		switch {
		case s.State == socketstats.Listen:
			row.Listener = &life.Listener{Waiting: s.RecvQ, Backlog: s.SendQ}
		case s.Remote.Port() == serverPort && s.Local.Port() == p.record.ClientPort:
			row.Client = endOf(s)
		case s.Local.Port() == serverPort && s.Remote.Port() == p.record.ClientPort:
			row.Server, p.known = endOf(s), true
		}
	}
	for end, of := range []*life.End{&row.Client, &row.Server} {
		if of.Descriptor = p.fd[end]; of.Descriptor != 0 && of.State == life.None {
			*of, err = unlisted(p.fd[end])
		}
		if err != nil {
			return err
		}
	}
	if p.listener != 0 && !p.known {
		row.Server, err = unlisted(p.listener)
	}
	return err
}

// unlisted reads the end of a descriptor whose socket is in no connection: no table of
// the kernel lists it.
func unlisted(fd int) (life.End, error) {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return life.End{}, fmt.Errorf("read the state of a descriptor: %w", os.NewSyscallError("getsockopt", err))
	}
	var memory [9]uint32 // enum SK_MEMINFO in include/uapi/linux/sock_diag.h
	size := uint32(unsafe.Sizeof(memory))
	if _, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&memory)), uintptr(unsafe.Pointer(&size)), 0); errno != 0 {
		return life.End{}, fmt.Errorf("read the memory of a descriptor: %w", os.NewSyscallError("getsockopt", errno))
	}
	unread := 0
	if socketstats.State(info.State) != socketstats.Listen {
		if unread, err = unix.IoctlGetInt(fd, unix.TIOCINQ); err != nil {
			return life.End{}, fmt.Errorf("read what a descriptor has not read: %w", os.NewSyscallError("ioctl", err))
		}
	}
	return life.End{
		State: socketstats.State(info.State).String(), Descriptor: fd, Unread: uint32(unread),
		RecvMemory: memory[0], RecvBuffer: memory[1], SendMemory: memory[2], SendBuffer: memory[3],
	}, nil
}

func endOf(s socketstats.Socket) life.End {
	h := s.Held
	return life.End{
		State: s.State.String(), Unread: s.RecvQ, Unacknowledged: s.SendQ,
		RecvMemory: h.RecvMemory, RecvBuffer: h.RecvBuffer, SendMemory: h.SendMemory, SendBuffer: h.SendBuffer,
		Timer: h.Timer.String(), ExpiresMS: life.Millis(h.Expires), Unanswered: h.Unanswered,
	}
}
