package socketstats

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ticks is the unit of times in /proc/PID/stat: USER_HZ, which is 100 on every
// architecture that Go runs on.
const ticks = time.Second / 100

// booted is when the machine was started, by a clock that also counts while it is
// asleep.
var booted = sync.OnceValue(func() time.Time {
	var up unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &up) != nil {
		return time.Time{}
	}
	return time.Now().Round(0).Add(-time.Duration(up.Nano()))
})

// age is that at a moment of [Uptime].
func (p ProcessInfo) age(uptime time.Duration) time.Duration { return uptime - p.sinceBoot }

func uptime() time.Duration {
	var up unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &up) != nil { // before Linux 2.6.39
		return time.Since(booted())
	}
	return time.Duration(up.Nano())
}

// kernelThread and exiting are PF_KTHREAD and PF_EXITING of a task's flags
// (include/linux/sched.h).
const (
	kernelThread = 0x00200000
	exiting      = 0x00000004
)

// What /proc/PID/stat has, counted after the name (man 5 proc_pid_stat).
const state, parent, flags, childFaults, user, system, threads, started = 0, 1, 6, 8, 11, 12, 17, 19

// readProcess reads /proc/PID/stat.
func readProcess(pid int32) (ProcessInfo, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(int(pid)) + "/stat")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		err = ErrNoProcess
	}
	if err != nil {
		return ProcessInfo{}, fmt.Errorf("process %d: %w", pid, err)
	}
	name, f, err := parseStat(text)
	if err != nil {
		return ProcessInfo{}, fmt.Errorf("process %d: %w", pid, err)
	}
	number := func(i int) int64 {
		n, _ := strconv.ParseInt(f[i], 10, 64)
		return n
	}
	// One that exits is a zombie only when it has closed all that it had: some thousand sockets
	// take long.
	ends := f[state] == "Z" || f[state] == "X" || number(flags)&exiting != 0
	if ends && number(threads) > 1 && procDir(pid) != "/proc/"+strconv.Itoa(int(pid)) { // other threads go on
		ends = false
	}
	if ends {
		return ProcessInfo{}, fmt.Errorf("process %d: %w", pid, ErrNoProcess)
	}
	sinceBoot := time.Duration(number(started)) * ticks
	return ProcessInfo{
		Name: fullName(pid, name), Kernel: number(flags)&kernelThread != 0, Parent: int32(number(parent)), Started: booted().Add(sinceBoot),
		sinceBoot: sinceBoot, ChildFaults: number(childFaults), Threads: int(number(threads)), CPU: time.Duration(number(user)+number(system)) * ticks,
	}, nil
}

// parseStat takes the text of /proc/PID/stat apart: a name, which may hold anything, and what
// follows it.
func parseStat(text []byte) (name string, fields []string, err error) {
	begin, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if begin < 0 || end < begin {
		return "", nil, fmt.Errorf("%q is not in the kernel's form", text)
	}
	fields = strings.Fields(string(text[end+1:]))
	if len(fields) <= started {
		return "", nil, fmt.Errorf("%q is cut short", text)
	}
	return string(text[begin+1 : end]), fields, nil
}

// fullName completes a name that the kernel has cut (TASK_COMM_LEN).
func fullName(pid int32, name string) string {
	const cut = 15
	if len(name) < cut {
		return name
	}
	line, err := os.ReadFile(procDir(pid) + "/cmdline")
	if err != nil {
		return name
	}
	first, _, _ := bytes.Cut(line, []byte{0})
	if whole := filepath.Base(string(first)); strings.HasPrefix(whole, name) {
		return whole
	}
	return name
}

func processIDs() ([]int32, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	pids := make([]int32, 0, len(names))
	for _, name := range names {
		if pid, err := strconv.ParseInt(name, 10, 32); err == nil {
			pids = append(pids, int32(pid))
		}
	}
	return pids, nil
}

// newestProcess reads the last field of /proc/loadavg (man 5 proc_loadavg).
func newestProcess() int32 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	text = bytes.TrimSpace(text)
	pid, err := strconv.ParseInt(string(text[bytes.LastIndexByte(text, ' ')+1:]), 10, 32)
	if err != nil {
		return 0
	}
	return int32(pid)
}

// children reads the children of each thread, which kernels without CONFIG_PROC_CHILDREN
// do not list.
func children(pid int32) ([]int32, bool) {
	path := "/proc/" + strconv.Itoa(int(pid)) + "/task"
	dir, err := os.Open(path)
	if err != nil {
		return nil, false
	}
	defer dir.Close()
	threads, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, false
	}
	var list []int32
	for _, thread := range threads {
		text, err := os.ReadFile(path + "/" + thread + "/children")
		if err != nil {
			if _, there := os.Stat(path + "/" + thread); there != nil {
				continue // it has ended
			}
			return nil, false
		}
		for field := range bytes.FieldsSeq(text) {
			if child, err := strconv.ParseInt(string(field), 10, 32); err == nil {
				list = append(list, int32(child))
			}
		}
	}
	return list, true
}

func readProgram(pid int32) Program {
	var p Program
	dir := procDir(pid)
	if exe, err := os.Readlink(dir + "/exe"); err == nil {
		p.Exe = filepath.Base(strings.TrimSuffix(exe, " (deleted)"))
	}
	if line, err := os.ReadFile(dir + "/cmdline"); err == nil {
		p.Command = strings.TrimRight(strings.ReplaceAll(string(line), "\x00", " "), " ")
	}
	if text, err := os.ReadFile(dir + "/cgroup"); err == nil {
		p.Cgroup = string(text)
	}
	return p
}

// readInto appends a file of /proc to a buffer. It takes four system calls, of which
// os.ReadFile takes ten: here there are some hundred files a sample.
func readInto(buffer []byte, path string) ([]byte, error) {
	fd, err := ignoringEINTR(func() (int, error) { return unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return buffer, err
	}
	defer unix.Close(fd)
	for {
		buffer = slices.Grow(buffer, 512)
		n, err := ignoringEINTR(func() (int, error) { return unix.Read(fd, buffer[len(buffer):cap(buffer)]) })
		if err != nil || n == 0 {
			return buffer, err
		}
		buffer = buffer[:len(buffer)+n]
	}
}

func ignoringEINTR(call func() (int, error)) (int, error) {
	for {
		if n, err := call(); !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

func wakeups(pid int32, most int) map[int]int64 {
	path := "/proc/" + strconv.Itoa(int(pid)) + "/task"
	dir, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, err := dir.Readdirnames(most + 1)
	if err != nil || len(names) > most {
		return nil
	}
	by := make(map[int]int64, len(names))
	status := make([]byte, 0, 4096) // of which one takes a third
	for _, name := range names {
		if status, err = readInto(status[:0], path+"/"+name+"/status"); err != nil {
			continue // it has ended
		}
		const field = "\nvoluntary_ctxt_switches:\t"
		_, rest, ok := bytes.Cut(status, []byte(field))
		if !ok {
			return nil
		}
		count, _, _ := bytes.Cut(rest, []byte("\n"))
		n, err := strconv.ParseInt(string(count), 10, 64)
		tid, err2 := strconv.Atoi(name)
		if errors.Join(err, err2) != nil {
			return nil
		}
		by[tid] = n
	}
	return by
}
