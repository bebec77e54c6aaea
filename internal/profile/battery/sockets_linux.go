package battery

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// options are those of a socket that keep a connection alive or give it up.
type options struct {
	keepalive      bool
	idle, interval time.Duration
	probes         int
	userTimeout    time.Duration
}

// cork keeps what is sent until the connection's half is closed, so that both are one segment.
func cork(c *net.TCPConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	err = raw.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_CORK, 1) })
	return errors.Join(err, set)
}

// optionsOf reads the options of the socket with a local address in a process group.
func optionsOf(group int, local net.Addr) (options, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return options{}, err
	}
	var denied error
	for _, file := range stats {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// After the name, which is in brackets: state, parent, process group.
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if len(fields) < 3 || fields[2] != strconv.Itoa(group) {
			continue
		}
		dir := filepath.Dir(file)
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		o, found, err := optionsIn(pid, dir, local.String())
		if found {
			return o, nil
		}
		if err != nil {
			denied = err
		}
	}
	return options{}, errors.Join(errors.New("the client's socket was not found among its descriptors"), denied)
}

// optionsIn looks for the socket among the descriptors of a process.
func optionsIn(pid int, dir, local string) (o options, found bool, err error) {
	fds, err := os.ReadDir(filepath.Join(dir, "fd"))
	if err != nil {
		return o, false, err
	}
	process, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return o, false, fmt.Errorf("pidfd_open: %w", err)
	}
	defer unix.Close(process)
	for _, fd := range fds {
		link, err := os.Readlink(filepath.Join(dir, "fd", fd.Name()))
		if err != nil || !strings.HasPrefix(link, "socket:") {
			continue
		}
		n, err := strconv.Atoi(fd.Name())
		if err != nil {
			continue
		}
		own, err := unix.PidfdGetfd(process, n, 0)
		if err != nil {
			return o, false, fmt.Errorf("pidfd_getfd: %w", err)
		}
		is := addressOf(own) == local
		if is {
			o = readOptions(own)
		}
		_ = unix.Close(own)
		if is {
			return o, true, nil
		}
	}
	return o, false, nil
}

// addressOf is the local address of a TCP socket; "" of others.
func addressOf(fd int) string {
	name, err := unix.Getsockname(fd)
	if err != nil {
		return ""
	}
	switch a := name.(type) {
	case *unix.SockaddrInet4:
		return (&net.TCPAddr{IP: a.Addr[:], Port: a.Port}).String()
	case *unix.SockaddrInet6: // one that speaks IPv4 as well
		return (&net.TCPAddr{IP: a.Addr[:], Port: a.Port}).String()
	}
	return ""
}

func readOptions(fd int) options {
	get := func(level, name int) int {
		n, err := unix.GetsockoptInt(fd, level, name)
		if err != nil {
			return 0
		}
		return n
	}
	return options{
		keepalive:   get(unix.SOL_SOCKET, unix.SO_KEEPALIVE) != 0,
		idle:        time.Duration(get(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE)) * time.Second,
		interval:    time.Duration(get(unix.IPPROTO_TCP, unix.TCP_KEEPINTVL)) * time.Second,
		probes:      get(unix.IPPROTO_TCP, unix.TCP_KEEPCNT),
		userTimeout: time.Duration(get(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)) * time.Millisecond,
	}
}

// stopListening ends a listener so that its port stays bound: connections are refused, and
// no other socket gets the port.
func stopListening(l net.Listener) error {
	raw, err := l.(*net.TCPListener).SyscallConn()
	if err != nil {
		return err
	}
	if controlErr := raw.Control(func(fd uintptr) { err = unix.Shutdown(int(fd), unix.SHUT_RDWR) }); controlErr != nil {
		return controlErr
	}
	return err
}

// connectStalled gives the program an address whose SYNs the kernel drops: that of a
// listener whose queue is full.
func (t *trial) connectStalled() error {
	if err := t.warm(); err != nil {
		return err
	}
	// The same port, as the program may keep its first URL: the queue of the listener is
	// made short, and filled by connections that are never accepted.
	raw, err := t.server.listener.(*net.TCPListener).SyscallConn()
	if err != nil {
		return err
	}
	addr := t.server.addr()
	if controlErr := raw.Control(func(fd uintptr) { err = unix.Listen(int(fd), 0) }); err == nil {
		err = controlErr
	}
	if err != nil {
		return err
	}
	if err := t.server.stopAccepting(); err != nil {
		return err
	}
	var fill []net.Conn
	defer func() {
		for _, c := range fill {
			_ = c.Close()
		}
	}()
	for late := 0; late < 2; { // one may be late on a busy machine
		c, err := net.DialTimeout("tcp", addr, 500*time.Millisecond)
		if err != nil {
			late++
			continue
		}
		late = 0
		fill = append(fill, c)
	}
	return t.fails("connect_stalled", func() int { return 0 }, "")
}
