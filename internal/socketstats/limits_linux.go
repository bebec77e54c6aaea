package socketstats

import (
	"bytes"
	"fmt"
	"os"
)

func limitsOf(pid int32) Limits {
	var l Limits
	if text, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid)); err == nil {
		const name = "Max open files"
		if i := bytes.Index(text, []byte(name)); i >= 0 {
			_, _ = fmt.Sscan(string(text[i+len(name):]), &l.Descriptors) // "unlimited" leaves it unknown
		}
	}
	if text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		var first, last int
		if n, _ := fmt.Sscan(string(text), &first, &last); n == 2 {
			l.Ports = last - first + 1
		}
	}
	return l
}

// descriptors reads the size of the folder /proc/PID/fd. It is the number of
// descriptors since Linux 6.2 (commit f1f1f2569901), and 0 before.
func descriptors(pid int32) int {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	if info, err := os.Stat(dir); err == nil && info.Size() > 0 {
		return int(info.Size())
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return 0
	}
	return len(list)
}
