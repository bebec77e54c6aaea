package orphans

import (
	"bytes"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Adopts says that [Adopt] can be had.
const Adopts = true

// Adopt makes orphans among our descendants our children, and not those of init, so that
// not even a daemon is lost from sight.
func Adopt() error {
	return os.NewSyscallError("prctl", unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
}

// Signal sends a signal to all processes below pid.
func Signal(pid int, sig syscall.Signal) {
	for _, below := range Below(pid) {
		_ = syscall.Kill(below, sig)
	}
}

// Below lists the processes below one, its children first.
func Below(pid int) []int {
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
	for next := []int{pid}; len(next) > 0; next = next[1:] {
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
// which may hold anything. 0 is no process.
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
