package observe

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// row is who a row is about: a subject, by its root, or one process of it. With a port
// it may be the server, which is a subject by itself.
type row struct {
	pid          int32
	part, serves bool
	// namespace is where the sockets are whose process is not known, with a port: there may
	// be another service in each. 0 is ours, and of what has a process.
	namespace uint32
}

// identity says who a row is about.
func (p *processes) identity(of row) (id series.Identity) {
	id = series.Identity{ID: NoProcess, Name: NoProcess, PID: of.pid, Paired: p.target.Port != 0}
	it := p.known[of.pid]
	if of.namespace != 0 {
		id.Namespace = namespaceName(of.namespace)
		id.ID, id.Name = NoProcess+", "+id.Namespace, NoProcess+", "+id.Namespace
	}
	if of.pid == 0 || it == nil {
		return id
	}
	id.ID, id.Name, id.Started = it.id, fmt.Sprintf("%s (%d)", it.name, it.pid), it.info.Started.UTC()
	main := it
	if !of.part {
		if main = p.mainOf(it); main != it {
			id.Name = fmt.Sprintf("%s (%d), in %s", main.name, main.pid, id.Name)
		}
	}
	if of.serves {
		id.ID, id.Serves, id.Paired = serverID(it), true, false
		defer func() { id.Name += ", the server" }()
	}
	if of.part {
		if root := p.known[it.root]; root != nil {
			id.ID, id.Parent = root.id+"/"+it.id, root.id
		}
	}
	if it.namespace != 0 && it.namespace != p.ours {
		id.Namespace = namespaceName(it.namespace)
	}
	if !p.details {
		id.Name = labelled(id, "")
		return id
	}
	if main.program == nil {
		program := socketstats.ReadProgram(main.pid)
		main.program = &program
	}
	id.Exe, id.Command = printable(main.program.Exe), bounded(printable(main.program.Command))
	cgroup := p.cgroupOf(it)
	id.Container = cgroup.String()
	id.Limits = p.limitsOf(main)
	if cgroup.ID == "" && cgroup.Pod == "" {
		id.Name = labelled(id, "")
	} else {
		id.Name = labelled(id, id.Container)
	}
	p.programs.describe(&id, main.pid)
	return id
}

// IsNoProcess reports whether a subject is the sockets whose process is not known: [NoProcess],
// or those in another network namespace.
func IsNoProcess(id string) bool { return strings.HasPrefix(id, NoProcess) }

func namespaceName(ns uint32) string { return fmt.Sprintf("net:[%d]", ns) }

// serverID is the id of the watched port's server as a subject.
func serverID(it *process) string { return "server " + it.id }

// labelled is a process's name with the container that it is in, or else its network
// namespace if that is not ours.
func labelled(id series.Identity, container string) string {
	where := cmp.Or(container, id.Namespace)
	if where == "" {
		return id.Name
	}
	return strings.TrimSuffix(id.Name, ")") + ", " + where + ")"
}

func (p *processes) cgroupOf(it *process) socketstats.Cgroup {
	if it.cgroup == nil || (it.root == 0 && it.info.Age() < young) { // it is moved before it runs its program
		cgroup := socketstats.ParseCgroup(socketstats.ReadProgram(it.pid).Cgroup)
		it.cgroup = &cgroup
	}
	return *it.cgroup
}

// limitsOf are read once: a process's limits hardly ever change.
func (p *processes) limitsOf(it *process) socketstats.Limits {
	if it.limits == nil {
		l := socketstats.LimitsOf(it.pid)
		if it.namespace != 0 && it.namespace != p.ours {
			l.Ports = p.ports[it.namespace]
		}
		it.limits = &l
	}
	return *it.limits
}

// maxThreads bounds the threads of a process whose context switches are read, at
// about 10 us each.
const maxThreads = 64

// usage is what a process uses beside descriptors.
func (p *processes) usage(pid int32) series.Process {
	it := p.known[pid]
	if it == nil || it.gone {
		return series.Process{}
	}
	now := socketstats.Wakeups(pid, maxThreads)
	for tid, n := range now {
		it.slept += max(0, n-it.threads[tid])
	}
	it.threads = now
	use := series.Process{Threads: it.info.Threads, CPU: it.info.CPU}
	if now != nil {
		use.Wakeups = it.slept
	}
	return use
}

// printable keeps a process from drawing on terminals with its name.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return '?'
		}
		return r
	}, name)
}

// bounded cuts a long command line.
func bounded(command string) string {
	const most = 120
	if len(command) <= most {
		return command
	}
	return strings.ToValidUTF8(command[:most], "") + "…"
}
