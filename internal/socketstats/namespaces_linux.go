package socketstats

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

func namespaceOf(pid int32) (uint32, error) {
	for dir := namespaceDir(pid); ; {
		info, err := os.Stat(dir + "/ns/net")
		if err == nil {
			return uint32(info.Sys().(*syscall.Stat_t).Ino), nil
		}
		// Of a process that is killed each thread loses its namespaces by itself: the first
		// may have none, or not be shown any more, while another one still has.
		again := namespaceDir(pid)
		if again == dir && ended(dir) { // the kernel passes over threads while others end
			again = namespaceDir(pid)
		}
		if again == dir || !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return 0, err
		}
		dir = again
	}
}

func namespaceDir(pid int32) string {
	if pid == 0 {
		return "/proc/self"
	}
	return procDir(pid)
}

// metMPTCP reads the counters of net/mptcp/mib.c that both ends of a connection have.
func metMPTCP(pid int32) bool {
	path := "/proc/self/net/netstat"
	if pid != 0 {
		path = procDir(pid) + "/net/netstat"
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return true
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		switch {
		case len(f) == 0 || f[0] != "MPTcpExt:":
		case names == nil:
			names = f
		default:
			for i, name := range names[:min(len(names), len(f))] {
				if (name == "MPCapableACKRX" || name == "MPCapableSYNACKRX") && f[i] != "0" {
					return true
				}
			}
			return false
		}
	}
	return names != nil // an older kernel has no such counters
}

func inNamespaceOf(pid int32, do func() error) error {
	there, err := os.Open(procDir(pid) + "/ns/net")
	if err != nil {
		return err
	}
	defer there.Close()
	result := make(chan error, 1)
	go func() {
		// A thread that does not come back is not unlocked, and so ends with the
		// goroutine.
		runtime.LockOSThread()
		result <- onThisThread(there, do, runtime.UnlockOSThread)
	}()
	return <-result
}

func onThisThread(there *os.File, do func() error, back func()) error {
	here, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		back()
		return err
	}
	defer here.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		back()
		return os.NewSyscallError("setns", err)
	}
	err = do()
	if returned := unix.Setns(int(here.Fd()), unix.CLONE_NEWNET); returned != nil {
		return errors.Join(err, os.NewSyscallError("setns", returned))
	}
	back()
	return err
}

func openNamespace(src Source, pid int32) (n Namespace, err error) {
	refused := fmt.Errorf("source %s: %w", src.Name(), errors.ErrUnsupported)
	if EntersNamespaces(src) {
		refused = inNamespaceOf(pid, func() error {
			n.Own, n.Ports = OwnAddresses(), ephemeralPorts()
			return nil
		})
	}
	if refused == nil {
		n.Source, err = Inside(src, func() (f *os.File, err error) {
			err = inNamespaceOf(pid, func() (err error) {
				f, err = SockdiagFile()
				return err
			})
			return f, err
		})
		return n, err
	}
	table, err := OpenProcfs(pid)
	if err != nil {
		return n, errors.Join(refused, err)
	}
	n.Source = table
	return n, nil
}
