package socketstats

import "time"

// ProcessInfo is who a process is now, and what it used. What is not known is zero.
type ProcessInfo struct {
	// Name is that of the program: on Linux the process's own name, which is cut
	// after 15 bytes and then completed from its command line.
	Name string
	// Kernel says that it is a thread of the kernel, on Linux.
	Kernel bool
	// Parent is the process's parent.
	Parent int32
	// Started is when the process was started. A process id with another time is
	// another process.
	Started time.Time
	// Threads is the number of its threads, and CPU the processor time that it used.
	Threads int
	CPU     time.Duration
	// ChildFaults are the page faults of its children that have ended and that it has
	// waited for: each has some, so that a rise says that one has ended. It is of Linux.
	ChildFaults int64

	// sinceBoot is when it was started, by a clock that is never set. Linux only.
	sinceBoot time.Duration
}

// Age is for how long the process has been there. On Linux it is right also after the clock
// was set: Started is by the clock as it was when this process read it first.
func (p ProcessInfo) Age() time.Duration { return p.age(Uptime()) }

// StartedBefore reports whether the process was there at a moment of [Uptime].
func (p ProcessInfo) StartedBefore(uptime time.Duration) bool { return p.age(uptime) > 0 }

// Uptime is a time that only grows, and is the same for all processes: on Linux since the
// machine was started.
func Uptime() time.Duration { return uptime() }

// ReadProcess reads who a process is. The error Is [ErrNoProcess] for a process that
// has ended, is about to, or is a zombie. It needs no privilege.
func ReadProcess(pid int32) (ProcessInfo, error) { return readProcess(pid) }

// ProcessIDs lists the processes that there are.
func ProcessIDs() ([]int32, error) { return processIDs() }

// NewestProcess is the id of the process or thread that was started last, as this process
// sees it; 0 where the system does not say it. While it is the same, none was started.
func NewestProcess() int32 { return newestProcess() }

// Children lists the children of a process; false where the system does not say it. One
// that was started while another one ended may be missing (man 5 proc_tid_children).
func Children(pid int32) ([]int32, bool) { return children(pid) }

// Program is what a process runs. What is not known is "".
type Program struct {
	// Exe is the base name of its file, and Command its command line, with a blank
	// between two arguments.
	Exe, Command string
	// Cgroup is the text of its /proc/PID/cgroup.
	Cgroup string
}

// ReadProgram reads what a process runs. It works on Linux only.
func ReadProgram(pid int32) Program { return readProgram(pid) }

// Wakeups are how often each thread of a process went to sleep of its own accord, by
// the thread's id; nil where it is not known or the process has more threads than
// most. It works on Linux only.
func Wakeups(pid int32, most int) map[int]int64 { return wakeups(pid, most) }
