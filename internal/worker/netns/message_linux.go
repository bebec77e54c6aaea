package netns

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// request is what a supervisor is asked. With it come the descriptors for a
// program's standard streams.
type request struct {
	Start    []string `json:",omitempty"` // a program and its arguments
	Env      []string `json:",omitempty"`
	Kill     int      `json:",omitempty"` // the id of a process that Start started
	Sockdiag bool     `json:",omitempty"` // open a sock_diag socket inside
}

// answer is what a supervisor says. Exited comes unasked; everything else answers
// the one request under way.
type answer struct {
	Ready    int    `json:",omitempty"` // the supervisor's thread that is inside
	PID      int    `json:",omitempty"`
	Sockdiag bool   `json:",omitempty"` // its descriptor comes with it
	Exited   *exit  `json:",omitempty"`
	Error    string `json:",omitempty"`
	Refused  bool   `json:",omitempty"` // the Error is a limit of network namespaces
}

// exit is the end of a process.
type exit struct {
	PID    int
	Status string // "" for exit code 0
}

// A message is one packet. No request or answer comes near this size, but for
// a command line as long as the kernel allows.
const maxMessage = 256 << 10

// maxFiles is the most descriptors that come with a message.
const maxFiles = 3

// send writes one message, and with it descriptors, which stay open here.
func send(c *net.UnixConn, message any, files ...*os.File) error {
	b, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if len(b) > maxMessage {
		return fmt.Errorf("message of %d bytes: at most %d", len(b), maxMessage)
	}
	var rights []byte
	if len(files) > 0 {
		fds := make([]int, len(files))
		for i, f := range files {
			fds[i] = int(f.Fd())
		}
		rights = unix.UnixRights(fds...)
	}
	_, _, err = c.WriteMsgUnix(b, rights, nil)
	return err
}

// receive reads one message, and the descriptors that came with it.
func receive(c *net.UnixConn, message any) ([]*os.File, error) {
	b, rights := make([]byte, maxMessage), make([]byte, unix.CmsgSpace(maxFiles*4))
	n, m, _, _, err := c.ReadMsgUnix(b, rights)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, net.ErrClosed // a packet socket's end of file
	}
	files, err := openFiles(rights[:m])
	if err == nil {
		err = json.Unmarshal(b[:n], message)
	}
	if err != nil {
		closeAll(files)
		return nil, err
	}
	return files, nil
}

func openFiles(rights []byte) ([]*os.File, error) {
	if len(rights) == 0 {
		return nil, nil
	}
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil {
		return nil, err
	}
	var files []*os.File
	var errs []error
	for _, m := range messages {
		fds, err := unix.ParseUnixRights(&m)
		errs = append(errs, err)
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "received"))
		}
	}
	return files, errors.Join(errs...)
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

// unixConn makes a connection of a descriptor, which it takes over.
func unixConn(f *os.File) (*net.UnixConn, error) {
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("%s is no Unix socket", f.Name()), c.Close())
	}
	return u, nil
}
