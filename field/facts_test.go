//go:build linux

package field_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// counts are what a process holds: sockets by the kernel's state names, and its
// descriptors, by what /proc says alone. Nothing of the product is used here.
type counts map[string]int

var tcpStates = []string{"", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING"}

// countAll counts what the given processes hold together. A socket that two of them
// hold counts once; a descriptor counts for each.
func countAll(pids []int) counts {
	c := counts{}
	held := map[string]bool{}
	for _, pid := range pids {
		fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		if err != nil {
			continue
		}
		for _, fd := range fds {
			target, err := os.Readlink(fd)
			if err != nil {
				continue
			}
			c["descriptors"]++
			kind, inode, _ := strings.Cut(target, ":[")
			switch kind {
			case "socket":
				c["sockets"]++
				held[strings.TrimSuffix(inode, "]")] = true
			case "pipe":
				c["pipes"]++
			default:
				if strings.HasPrefix(target, "/") {
					c["files"]++
				}
			}
		}
	}
	if len(pids) == 0 {
		return c
	}
	rows := func(table string, use func(fields []string)) {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pids[0], table))
		if err != nil {
			return
		}
		for _, line := range strings.Split(string(data), "\n")[1:] {
			if fields := strings.Fields(line); len(fields) > 6 {
				use(fields)
			}
		}
	}
	for _, table := range []string{"tcp", "tcp6"} {
		rows(table, func(fields []string) {
			state, err := strconv.ParseUint(fields[3], 16, 8)
			if err != nil || int(state) >= len(tcpStates) || len(fields) < 10 {
				return
			}
			name := tcpStates[state]
			if held[fields[9]] {
				// The kernel writes the table in pieces, and a row may come again in
				// the next one while others come and go.
				held[fields[9]] = false
				c[name]++
			}
			if name == "TIME_WAIT" || name == "SYN_RECV" {
				c["all_"+name]++ // of the namespace: these have no owner
			}
		})
	}
	for _, table := range []string{"udp", "udp6"} {
		rows(table, func(fields []string) {
			if len(fields) > 9 && held[fields[9]] {
				c["udp"]++
			}
		})
	}
	rows("unix", func(fields []string) {
		if held[fields[6]] {
			c["unix"]++
		}
	})
	return c
}

// below is the process and all that it and its children started.
func below(pid int) []int {
	pids := []int{pid}
	for i := 0; i < len(pids); i++ {
		files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pids[i]))
		if err != nil {
			continue
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				continue
			}
			for _, s := range strings.Fields(string(data)) {
				if n, err := strconv.Atoi(s); err == nil && !slices.Contains(pids, n) {
					pids = append(pids, n)
				}
			}
		}
	}
	return pids
}

// roleCounts counts for each role, and for each with its children ("role*").
func (p *player) roleCounts() map[string]counts {
	all := map[string]counts{}
	for role, pid := range p.pids {
		all[role] = countAll([]int{pid})
		all[role+"*"] = countAll(below(pid))
	}
	return all
}

// disagrees says how a fact is not what was counted first and later, or "".
func (f fact) disagrees(first, later map[string]counts) string {
	m := factPattern.FindStringSubmatch(string(f))
	a, b := first[m[1]][m[2]], later[m[1]][m[2]]
	if _, ok := later[m[1]]; !ok {
		return fmt.Sprintf("%s: there is no such role", f)
	}
	n, _ := strconv.Atoi(m[5])
	ok := false
	switch {
	case m[3] == "grows":
		ok = b >= a+3
	case m[3] == "flat":
		ok = b <= a+4 && b >= a-4
	case m[4] == ">=":
		ok = b >= n
	default:
		ok = b <= n
	}
	if ok {
		return ""
	}
	return fmt.Sprintf("%s: it was %d, then %d", f, a, b)
}
