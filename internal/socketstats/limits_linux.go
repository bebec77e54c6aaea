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
	l.Ports = ephemeralPorts()
	return l
}

// ephemeralPorts is the number of them in this thread's network namespace; 0 if it is
// not known.
func ephemeralPorts() int {
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return 0
	}
	var first, last int
	if n, _ := fmt.Sscan(string(text), &first, &last); n != 2 {
		return 0
	}
	return last - first + 1
}
