package observe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// NoProcess is the id and the name of the subject that has the sockets whose
// process is not known: it is on another machine, has ended, or closed them between
// two samples. Its PID is 0.
const NoProcess = "no process"

// ErrGone is the error of a sample when every watched process has ended.
var ErrGone = errors.New("every watched process has ended")

// processes knows which processes are watched, and who they are.
type processes struct {
	target series.Target
	// details says that their limits and programs are asked for; waits and admits are
	// those of [Options].
	details, waits, ownOnly bool
	admits                  func(socketstats.Cgroup) bool
	// ours is our network namespace, ports the number of ephemeral ports in each.
	ours  uint32
	ports map[uint32]int
	// newest is the process that was started last when children were looked for.
	newest int32
	// round counts the samples.
	round int
	known map[int32]*process
	// lives are how many processes had each id of those that are not known any more, enough is
	// of how many the next are forgotten, and forgets the round before which none is.
	lives           map[int32]int
	enough, forgets int
	// living are the watched processes that have not ended, sorted.
	living []int32
	// groups are living by their roots; nil when they have changed.
	groups map[int32][]int32
	// unseen are processes of the target that this user may not see, and why.
	unseen map[int32]error
	// kernel says that threads of the kernel have the target's name.
	kernel bool
	// programs are known with details only.
	programs programs
	// lastSeen is when any of the target's was there.
	lastSeen time.Time
}

// process is what is known of one process.
type process struct {
	pid   int32
	info  socketstats.ProcessInfo
	round int // in which info was read
	gone  bool
	// lives is how many processes had this id so far.
	lives int
	// name is for people; id is the subject's.
	name, id string
	// root is the process whose subject this one is a part of: itself, or the
	// watched ancestor; 0 if it is not watched.
	root int32
	// main is the process of a subject that does its work, and likely the one that
	// seems to be since the newest sample; 0 until one was found. See findMain.
	main, likely int32
	namespace    uint32
	// program and cgroup are read when they are asked for; nil before.
	program *socketstats.Program
	cgroup  *socketstats.Cgroup
	limits  *socketstats.Limits
	// threads is how often each thread has gone to sleep, slept how often all have
	// since they were first seen, also those that have ended.
	threads map[int]int64
	slept   int64
	// unseen is how many samples came after children of it had ended that were in none,
	// as ChildFaults said; asked is the round in which it was asked for.
	unseen, asked int
	childFaults   int64
}

// findProcesses finds those of a target. That there is none is an error, and
// so is that there are only such as this user may not see.
func findProcesses(target series.Target, o Options) (*processes, error) {
	p := &processes{
		target: target, details: o.Details, waits: o.Waits, ownOnly: o.OwnNamespace, admits: o.Admits,
		ports: map[uint32]int{}, known: map[int32]*process{}, lives: map[int32]int{}, unseen: map[int32]error{}, programs: newPrograms(), lastSeen: time.Now(),
	}
	ours, err := socketstats.NamespaceOf(0)
	if err != nil {
		return nil, err
	}
	p.ours = ours
	for _, pid := range target.PIDs {
		if err := socketstats.CheckProcess(pid); err != nil {
			if !o.Waits {
				return nil, err
			}
			if p.look(pid) != nil {
				p.unseen[pid] = err
			}
			continue
		}
		if process := p.look(pid); process != nil {
			process.root = pid
			p.living = append(p.living, pid)
		}
	}
	slices.Sort(p.living)
	for _, pid := range p.living { // a child of another one of them is a part of that one
		p.known[pid].root = p.rootOf(p.known[pid])
	}
	if err := p.discover(); err != nil {
		return nil, err
	}
	if len(p.living) > 0 || target.Port != 0 || o.Waits {
		return p, nil
	}
	if len(p.unseen) > 0 {
		return nil, fmt.Errorf("%w: %s", socketstats.ErrNotAllowed, strings.Join(p.notSeen(), "; "))
	}
	if p.kernel {
		return nil, fmt.Errorf("%s: %w", describe(target), socketstats.ErrKernelThread)
	}
	return nil, fmt.Errorf("%s: %w", describe(target), socketstats.ErrNoProcess)
}

// describe says which processes a target names, other than by their ids.
func describe(t series.Target) string {
	switch {
	case t.Name != "":
		return fmt.Sprintf("process named %q", t.Name)
	case t.Container != "":
		return fmt.Sprintf("process in container %q", t.Container)
	case t.Cgroup != "":
		return fmt.Sprintf("process in control group %q", t.Cgroup)
	case t.Unit != "":
		return fmt.Sprintf("process of unit %q", t.Unit)
	}
	return "process that this user may see"
}

// any reports whether any process may be one of the target's.
func (p *processes) any() bool { return len(p.target.PIDs) == 0 && !p.byTraits() }

// byTraits reports whether the target names processes by what they are, so that
// others may join later.
func (p *processes) byTraits() bool {
	t := &p.target
	return t.Name != "" || t.Container != "" || t.Cgroup != "" || t.Unit != "" || t.All
}

// comesBack is how long a name may be without a process: a service is restarted.
const comesBack = 5 * time.Second

// current lists the watched processes that are there now; nil where any process
// may be one. The error is [ErrGone] if there is none left.
func (p *processes) current(ctx context.Context) ([]int32, error) {
	p.round++
	p.groups = nil
	if p.any() {
		p.forget()
		return nil, nil
	}
	p.living = slices.DeleteFunc(p.living, func(pid int32) bool {
		process := p.look(pid)
		return process == nil || process.root == 0
	})
	if err := p.discover(); err != nil {
		return nil, err
	}
	p.forget()
	switch now := time.Now(); {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case len(p.living) > 0:
		p.lastSeen = now
	case p.waits, p.byTraits() && p.target.Port != 0:
	case !p.byTraits(), now.Sub(p.lastSeen) > comesBack:
		return nil, ErrGone
	}
	return p.living, nil
}

// endSome takes out the watched processes that have ended since the sample began, or are about
// to, and lists them: what was listed of them may be the half that they had not closed yet.
func (p *processes) endSome() (ended []int32) {
	for _, pid := range p.living {
		it := p.known[pid]
		info, err := socketstats.ReadProcess(pid)
		if errors.Is(err, socketstats.ErrNoProcess) || err == nil && !it.info.Started.Equal(info.Started) {
			it.gone = true
			ended = append(ended, pid)
		}
	}
	if len(ended) > 0 {
		p.living, p.groups = slices.DeleteFunc(p.living, func(pid int32) bool { return p.known[pid].gone }), nil
	}
	return ended
}

// look reads who a process is, once in a round; nil if it has ended.
func (p *processes) look(pid int32) *process {
	it := p.known[pid]
	if it != nil && it.round == p.round {
		if it.gone {
			return nil
		}
		return it
	}
	info, err := socketstats.ReadProcess(pid)
	if err != nil {
		if it != nil {
			it.gone, it.round = true, p.round
		}
		return nil
	}
	if it == nil {
		it = &process{pid: pid, lives: p.lives[pid]}
		p.known[pid] = it
	}
	if it.name == "" || it.gone || !it.info.Started.Equal(info.Started) { // the id was given to another
		*it = process{pid: pid, lives: it.lives + 1, id: fmt.Sprint(pid)}
		if it.lives > 1 {
			it.id = fmt.Sprintf("%d.%d", pid, it.lives)
		}
	}
	if it.name == "" || it.info.Name != info.Name { // it is new, or runs another program
		it.name = cmp.Or(printable(strings.TrimSuffix(info.Name, ".exe")), "process")
		it.program, it.cgroup = nil, nil
		delete(p.programs.of, pid)
	}
	it.info, it.round = info, p.round
	return it
}

// A process that is not watched is looked at again in every sample while it is young,
// because most programs are started by a process that has another name first; later
// in one of olderRounds.
const (
	young       = 10 * time.Second
	olderRounds = 10
)

// discover finds processes that join: those that the target names by their traits,
// and the children of watched ones.
func (p *processes) discover() error {
	children := p.follows() && len(p.living) > 0
	if !p.byTraits() && !children {
		return nil
	}
	// A child is a new process, but for one whose parent has ended.
	newest := socketstats.NewestProcess()
	if !p.byTraits() && newest != 0 && newest == p.newest && p.round%olderRounds != 0 {
		return nil
	}
	p.newest = newest
	pids, ok := p.descendants()
	if !ok {
		var err error
		if pids, err = socketstats.ProcessIDs(); err != nil {
			return fmt.Errorf("list processes: %w", err)
		}
	}
	slices.Sort(pids) // parents first, mostly
	var candidates []*process
	for _, pid := range pids {
		it := p.known[pid]
		if it != nil && it.root == 0 && it.round < p.round && it.info.Age() > young && (p.round+int(pid))%olderRounds != 0 {
			continue
		}
		if it = p.look(pid); it != nil && it.root == 0 {
			candidates = append(candidates, it)
		}
	}
	for joined := true; joined; { // a child may have a lower id than its parent
		joined = false
		candidates = slices.DeleteFunc(candidates, func(it *process) bool {
			if !p.belongs(it) {
				return false
			}
			joined = p.join(it) || joined
			return true
		})
	}
	return nil
}

// fewWatched is how many processes are asked for their children. Of more, all processes
// that there are cost less.
const fewWatched = 4

// descendants lists the processes below the watched ones, where only these can join; false
// in one of olderRounds, and where it costs more than to look at all.
func (p *processes) descendants() (list []int32, ok bool) {
	if p.byTraits() || len(p.living) > fewWatched || p.round%olderRounds == 0 {
		return nil, false
	}
	seen := map[int32]bool{}
	for ask := slices.Clone(p.living); len(ask) > 0; ask = ask[1:] {
		children, ok := socketstats.Children(ask[0])
		if !ok && p.look(ask[0]) != nil {
			return nil, false
		}
		for _, pid := range children {
			if !seen[pid] {
				seen[pid] = true
				list, ask = append(list, pid), append(ask, pid)
			}
		}
	}
	return list, true
}

// follows reports whether the children of watched processes are watched.
func (p *processes) follows() bool { return !p.target.NoChildren && !p.target.All && followsChildren }

// belongs reports whether a process is one of the target's.
func (p *processes) belongs(it *process) bool {
	t := &p.target
	switch {
	case it.info.Kernel: // it has no sockets, and what they have in common is no process
		p.kernel = p.kernel || t.Name != "" && it.name == t.Name
		return false
	case p.follows() && p.watchedNow(it.info.Parent):
		return it.pid != int32(os.Getpid())
	case p.ownOnly && !p.inOurs(it.pid):
		return false
	case p.admits != nil && !p.admits(p.cgroupOf(it)):
		return false
	case t.Name != "" && it.name == t.Name:
		return true
	case t.All:
		return it.pid != int32(os.Getpid())
	case t.Container != "":
		return p.inContainer(it)
	case t.Cgroup != "":
		return p.cgroupOf(it).Within(t.Cgroup)
	case t.Unit != "":
		unit := p.cgroupOf(it).Unit
		return unit != "" && (unit == t.Unit || unit == t.Unit+".service")
	}
	return false
}

// inOurs reports whether a process is in our network namespace.
func (p *processes) inOurs(pid int32) bool {
	ns, err := socketstats.NamespaceOf(pid)
	return err == nil && ns == p.ours
}

func (p *processes) watchedNow(pid int32) bool {
	_, found := slices.BinarySearch(p.living, pid)
	return found
}

// join makes a process a watched one, and returns false if this user may not see
// its sockets, or it has ended.
func (p *processes) join(it *process) bool {
	err := socketstats.CheckProcess(it.pid)
	switch {
	case errors.Is(err, socketstats.ErrNoProcess):
		return false
	case err != nil:
		p.unseen[it.pid] = err
		return false
	}
	delete(p.unseen, it.pid)
	it.root = it.pid
	i, _ := slices.BinarySearch(p.living, it.pid)
	p.living = slices.Insert(p.living, i, it.pid)
	it.root, p.groups = p.rootOf(it), nil
	return true
}

// leave makes a process an unwatched one that cannot be seen.
func (p *processes) leave(pid int32, why error) {
	if i, found := slices.BinarySearch(p.living, pid); found {
		p.living, p.groups = slices.Delete(p.living, i, i+1), nil
	}
	p.known[pid].root, p.unseen[pid] = 0, why
}

// watched reports whether a process is, or was, one of the target's. Where any may
// be, 0 is one, too.
func (p *processes) watched(pid int32) bool {
	if p.any() {
		return true
	}
	if pid == 0 {
		return false
	}
	if it := p.known[pid]; it != nil && it.root != 0 {
		return true
	}
	if p.target.Port == 0 || !p.byTraits() {
		return false
	}
	it := p.look(pid) // it may have been started since the sample began
	return it != nil && p.belongs(it) && p.join(it)
}

// nameOf is a process's name.
func (p *processes) nameOf(pid int32) string {
	if pid == 0 {
		return NoProcess
	}
	if it := p.look(pid); it != nil {
		return fmt.Sprintf("%s (%d)", it.name, pid)
	}
	return fmt.Sprintf("process (%d)", pid)
}

// notSeen lists the target's processes that this user may not see, and why.
func (p *processes) notSeen() []string {
	const most = 20
	var list []string
	pids := slices.Sorted(maps.Keys(p.unseen))
	for i, pid := range pids {
		if i == most {
			return append(list, fmt.Sprintf("and %d more", len(pids)-most))
		}
		name := "process"
		if it := p.known[pid]; it != nil {
			name = it.name
		}
		list = append(list, fmt.Sprintf("%s (%d): %v", name, pid, reason(p.unseen[pid])))
	}
	return list
}

// reason is an error without the process's id in front.
func reason(err error) error {
	if errors.Is(err, socketstats.ErrNotAllowed) {
		return socketstats.ErrNotAllowed
	}
	return err
}

// What is known of processes that have ended takes memory for each, and is of use for a few
// samples: their sockets close, and their children look for their parent.
const (
	// mostKnown is how many processes are known before those that have ended are forgotten.
	mostKnown = 200
	// lingers is for how many samples a process is known after its end at least.
	lingers = 10
	// mostLives bounds for how many ids it is kept how many processes had them.
	mostLives = 10_000
)

// forget forgets processes that have ended, once they are many, but for one that was the first
// of a subject of which others are left.
func (p *processes) forget() {
	maps.DeleteFunc(p.unseen, func(pid int32, _ error) bool { return p.look(pid) == nil })
	maps.DeleteFunc(p.programs.of, func(pid int32, _ *program) bool { return p.known[pid] == nil || p.known[pid].gone })
	if len(p.known) < max(mostKnown, p.enough) || p.round < p.forgets {
		return
	}
	roots := map[int32]bool{}
	for _, pid := range slices.Concat(p.living, p.adopted()) {
		roots[p.known[pid].root] = true
	}
	for pid, it := range p.known {
		switch {
		case roots[pid]:
		case !it.gone:
			p.look(pid) // marks it if it has ended
		case p.round-it.round >= lingers:
			if len(p.lives) >= mostLives {
				clear(p.lives)
			}
			p.lives[pid] = it.lives
			delete(p.known, pid)
		}
	}
	p.enough, p.forgets = 2*len(p.known), p.round+lingers
}
