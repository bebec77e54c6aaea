package worker

import (
	"bytes"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// ownGroup makes a command leader of a group, that is ended as a whole. The
// command itself also ends with us should we be killed.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

const adoptsOrphans = true

// adoptOrphans makes orphans among our descendants our children, and not those
// of init, so that not even a daemon is lost from sight.
func adoptOrphans() error {
	return os.NewSyscallError("prctl", unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
}

// descendants lists the processes below this one.
func descendants() []int {
	children := map[int][]int{}
	proc, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer proc.Close()
	names, _ := proc.Readdirnames(-1)
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			above := parent(name)
			children[above] = append(children[above], pid)
		}
	}
	var all []int
	// Processes come and go while they are listed, so that the list need not be
	// a tree; each is met once all the same.
	met := map[int]bool{}
	for next := []int{os.Getpid()}; len(next) > 0; next = next[1:] {
		for _, pid := range children[next[0]] {
			if !met[pid] {
				met[pid] = true
				all, next = append(all, pid), append(next, pid)
			}
		}
	}
	return all
}

// parent is the fourth field of /proc/PID/stat, the second after the name,
// which may hold anything. 0 is nobody.
func parent(pid string) int {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return 0
	}
	ppid, _ := strconv.Atoi(string(fields[1]))
	return ppid
}
