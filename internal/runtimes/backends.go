package runtimes

import (
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Backends reads what PostgreSQL's processes on this machine say of their connections:
// each serves one, and has its state as its title (update_process_title in PostgreSQL's
// documentation). Any user may read titles, unless /proc is mounted with hidepid. The
// zero Backends is ready to use. It is for one goroutine.
type Backends struct {
	proc   string // "" is /proc
	rounds int
	// others are processes that are no backends.
	others map[string]bool
}

// title is that of a backend: its client's address and port, and its state. Before it
// are cluster, user and database.
var title = regexp.MustCompile(`^postgres: .* (\S+)\((\d+)\) (.+)$`)

// otherFor is for how many rounds a process is taken for no backend: its id may be
// given to another, and a new backend has its parent's title at first.
const otherFor = 10

// IdleInTransaction are the clients' addresses of the connections on which a transaction
// was begun that waits for its next statement, also after one has failed.
func (b *Backends) IdleInTransaction() map[netip.AddrPort]bool {
	if b.rounds++; b.rounds%otherFor == 1 {
		b.others = map[string]bool{}
	}
	if b.proc == "" {
		b.proc = "/proc"
	}
	idle := map[netip.AddrPort]bool{}
	dir, err := os.Open(b.proc)
	if err != nil {
		return idle
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, pid := range names {
		if pid[0] < '0' || pid[0] > '9' || b.others[pid] {
			continue
		}
		line, _ := os.ReadFile(filepath.Join(b.proc, pid, "cmdline"))
		m := title.FindStringSubmatch(strings.TrimRight(string(line), " \x00"))
		if m == nil {
			b.others[pid] = true
			continue
		}
		addr, bad := netip.ParseAddr(m[1])
		port, bad2 := strconv.ParseUint(m[2], 10, 16)
		if bad == nil && bad2 == nil && strings.HasPrefix(m[3], "idle in transaction") {
			idle[netip.AddrPortFrom(addr, uint16(port))] = true
		}
	}
	return idle
}
