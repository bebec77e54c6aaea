package socketstats

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

func checkProcess(pid int32) error {
	dir := procDir(pid)
	err := alive(dir, pid)
	if info, ours := readProcess(pid); ours == nil && info.Kernel {
		return ErrKernelThread
	}
	if err == nil {
		err = readable(dir + "/fd")
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		// A process that ends loses its memory first. From then on its descriptors are
		// root's to read (task_dump_owner in fs/proc/base.c).
		if _, err := readProcess(pid); errors.Is(err, ErrNoProcess) {
			return ErrNoProcess
		}
		return ErrNotAllowed
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ESRCH):
		return ErrNoProcess
	default:
		return err
	}
}

// alive returns ErrNoProcess for two kinds of id that have a folder in /proc and
// are no process: a zombie, whose list of descriptors is empty or, for other
// users, not readable; and a thread, whose folder /proc opens but does not list.
func alive(dir string, pid int32) error {
	status, err := os.ReadFile(dir + "/status")
	if err != nil {
		return err
	}
	_, rest, _ := bytes.Cut(status, []byte("\nTgid:\t"))
	process, _, _ := bytes.Cut(rest, []byte("\n"))
	switch {
	case string(process) != strconv.Itoa(int(pid)):
		return fmt.Errorf("%w: it is a thread of process %s", ErrNoProcess, process)
	case bytes.Contains(status, []byte("\nState:\tZ")):
		return ErrNoProcess
	}
	return nil
}

func procDir(pid int32) string {
	dir := "/proc/" + strconv.Itoa(int(pid))
	tasks := dir + "/task"
	var info unix.Stat_t
	// Each thread is a link of the folder (proc_task_getattr in fs/proc/base.c).
	if unix.Stat(tasks, &info) != nil || info.Nlink <= 3 || !ended(dir) {
		return dir
	}
	threads, _ := os.ReadDir(tasks)
	for _, thread := range threads {
		if task := tasks + "/" + thread.Name(); !ended(task) {
			return task
		}
	}
	return dir
}

// ended reports whether the thread with this folder has ended, though it is listed, or is
// about to: its process's memory and descriptors are not shown any more.
func ended(task string) bool {
	stat, err := os.ReadFile(task + "/stat")
	f := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]) // a name may have brackets, too
	if err != nil || len(f) <= flags {
		return true
	}
	bits, _ := strconv.ParseInt(string(f[flags]), 10, 64)
	return bytes.ContainsAny(f[state], "ZX") || bits&exiting != 0
}

// readable returns nil if the descriptors' links can be read. Listing them is not
// enough: root without CAP_SYS_PTRACE, as in most containers, may list another
// user's descriptors but not read the links (proc_pid_readlink in fs/proc/base.c).
// One link stands for all.
func readable(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	for {
		names, err := f.Readdirnames(1)
		if errors.Is(err, io.EOF) {
			return nil // a process without descriptors
		}
		if err != nil {
			return err
		}
		_, err = os.Readlink(dir + "/" + names[0])
		if !errors.Is(err, fs.ErrNotExist) { // closed since
			return err
		}
	}
}
