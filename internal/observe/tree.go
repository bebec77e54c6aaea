package observe

import (
	"cmp"
	"slices"
	"time"
)

// rootOf is the subject that a watched process is a part of: that of its parent, if
// that is watched.
func (p *processes) rootOf(it *process) int32 {
	for at, steps := it, 0; p.follows() && steps < 1000; steps++ {
		parent := p.known[at.info.Parent]
		if parent == nil || parent.root == 0 || parent.gone {
			return at.root
		}
		if parent.root != parent.pid {
			return parent.root
		}
		at = parent
	}
	return it.root
}

// root is the process whose subject a process is a part of; 0 for none, and where
// no process of the subject is there any more.
func (p *processes) root(pid int32) int32 {
	if pid == 0 {
		return 0
	}
	it := p.known[pid]
	if p.any() && (it == nil || it.root == 0) {
		if p.look(pid) == nil {
			return 0
		}
		return pid
	}
	if it == nil || it.root == 0 || len(p.members(it.root)) == 0 {
		return 0
	}
	return it.root
}

// members are the processes of a subject that are there now.
func (p *processes) members(root int32) []int32 {
	if it := p.known[root]; !p.follows() || (p.any() && (it == nil || it.root == 0)) {
		if it == nil || it.gone {
			return nil
		}
		return []int32{root}
	}
	if p.groups == nil {
		p.groups = map[int32][]int32{}
		living := p.living
		if p.any() {
			living = p.adopted()
		}
		for _, pid := range living {
			p.groups[p.known[pid].root] = append(p.groups[p.known[pid].root], pid)
		}
	}
	return p.groups[root]
}

// adopt makes a process a part of the subject of its ancestor, where any process may be
// watched.
func (p *processes) adopt(pid, ancestor int32) {
	of := p.known[ancestor]
	if of == nil || p.known[pid].root != 0 && p.known[pid].root != pid {
		return
	}
	of.root = cmp.Or(of.root, ancestor)
	p.known[pid].root, p.groups = of.root, nil
	for _, it := range p.known {
		if it.root == pid {
			it.root = of.root
		}
	}
}

// adopted are the processes of the subjects that have several, where any process may be
// watched; sorted.
func (p *processes) adopted() []int32 {
	var list []int32
	for pid, it := range p.known {
		if it.root != 0 && !it.gone && p.look(pid) != nil {
			list = append(list, pid)
		}
	}
	slices.Sort(list)
	return list
}

// there reports whether a watched process is there now.
func (p *processes) there(pid int32) bool {
	if p.any() {
		return p.look(pid) != nil
	}
	return p.watchedNow(pid)
}

// trees reports whether any subject has several processes.
func (p *processes) trees() bool {
	living := p.living
	if p.any() {
		living = p.adopted()
	}
	return slices.ContainsFunc(living, func(pid int32) bool { return p.known[pid].root != pid })
}

// descends reports whether a process is a descendant of another.
func (p *processes) descends(pid, of int32) bool {
	for steps := 0; steps < 1000; steps++ {
		p.look(pid)
		it := p.known[pid] // also one that has ended
		if it == nil || it.info.Parent == pid {
			return false
		}
		if pid = it.info.Parent; pid == of {
			return true
		}
	}
	return false
}

// startedBefore is the nearest of a process and its ancestors that was there at a moment of
// [socketstats.Uptime]: what was open then and has been silent since, those that started
// later did not open. Of a watched tree it is the root if none was, or if the ancestor has
// ended.
func (p *processes) startedBefore(pid int32, at time.Duration) int32 {
	const init = 1 // the parent of all whose parent has ended
	for from := pid; ; {
		it := p.look(from)
		switch {
		case !p.any() && (it == nil || it.root == 0):
			return p.known[pid].root
		case it == nil, it.info.Started.IsZero(), from == init:
			return pid
		case it.info.StartedBefore(at), !p.any() && it.root == from:
			return from
		}
		from = it.info.Parent
	}
}

// findMain finds the process that does the work of each subject that has several: from
// the root down, as long as one child with its own children has more than half of it.
// A shell, npm or unshare starts the program that is meant; a master with workers that
// share the work stays. has is what each process has of it. A process is taken for it
// once it is in two samples in a row: others come and go.
func (p *processes) findMain(roots map[int32]bool, has func(pid int32) int) {
	for root := range roots {
		members := p.members(root)
		it := p.known[root]
		if len(members) < 2 || it == nil || it.gone {
			continue
		}
		with := map[int32]int{} // its children's, too
		for _, pid := range members {
			n := has(pid)
			for at := pid; ; at = p.known[at].info.Parent {
				with[at] += n
				if at == root || p.known[at] == nil || !slices.Contains(members, p.known[at].info.Parent) {
					break
				}
			}
		}
		if with[root] == 0 {
			continue // it has nothing now
		}
		main := root
		for {
			i := slices.IndexFunc(members, func(pid int32) bool {
				return pid != main && p.known[pid].info.Parent == main && 2*with[pid] > with[root]
			})
			if i < 0 {
				break
			}
			main = members[i]
		}
		if main == it.likely {
			it.main = main
		}
		it.likely = main
	}
}

// mainOf is the process that does the work of a subject: itself, where none was found or
// that has ended.
func (p *processes) mainOf(it *process) *process {
	if main := p.known[it.main]; main != nil && main.root == it.pid && !main.gone {
		return main
	}
	return it
}

// unseenChildren is how often children of a process have come and gone between two
// samples, and were in none.
func (p *processes) unseenChildren(it *process) int {
	if it.asked == p.round {
		return it.unseen
	}
	if it.asked > 0 && it.info.ChildFaults > it.childFaults && !p.lostChild(it.pid) {
		it.unseen++
	}
	it.asked, it.childFaults = p.round, it.info.ChildFaults
	return it.unseen
}

// lostChild reports whether a child of a process has ended since the last sample that was
// in it.
func (p *processes) lostChild(pid int32) bool {
	for _, it := range p.known {
		if it.gone && it.round == p.round && it.info.Parent == pid {
			return true
		}
	}
	return false
}
