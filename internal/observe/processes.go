package observe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/shirou/gopsutil/v3/process"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// NoProcess is the id and the name of the subject that has the sockets whose
// process is not known: it is on another machine, or closed them between two
// samples. Its PID is 0.
const NoProcess = "no process"

// ErrGone is the error of a sample when every watched process has ended.
var ErrGone = errors.New("every watched process has ended")

// processes knows which processes are watched, and who they are.
type processes struct {
	target series.Target
	// details says that their limits are asked for.
	details bool
	// living are those of target.PIDs that have not ended.
	living []int32
	names  map[int32]string
	limits map[int32]socketstats.Limits
	// programs are known with details only.
	programs programs
}

// findProcesses finds those of a target. That there is none is an error, and
// so is one that this user may not see.
func findProcesses(ctx context.Context, target series.Target, details bool) (*processes, error) {
	p := &processes{
		target: target, details: details, living: slices.Clone(target.PIDs), names: map[int32]string{}, limits: map[int32]socketstats.Limits{}, programs: programs{},
	}
	for _, pid := range target.PIDs {
		if err := socketstats.CheckProcess(pid); err != nil {
			return nil, err
		}
	}
	if target.Name == "" || target.Port != 0 {
		return p, nil
	}
	pids, err := p.named(ctx)
	if err == nil && len(pids) == 0 {
		err = fmt.Errorf("process named %q: %w", target.Name, socketstats.ErrNoProcess)
	}
	return p, err
}

// current lists the watched processes that are there now; nil where any process
// may be one. The error is [ErrGone] if there is none left.
func (p *processes) current(ctx context.Context) ([]int32, error) {
	if len(p.target.PIDs) == 0 && (p.target.Name == "" || p.target.Port != 0) {
		return nil, nil
	}
	p.living = slices.DeleteFunc(p.living, func(pid int32) bool { return socketstats.CheckProcess(pid) != nil })
	pids := p.living
	if p.target.Name != "" {
		named, err := p.named(ctx)
		if err != nil {
			return nil, err
		}
		pids = slices.Concat(pids, named)
	}
	if len(pids) == 0 {
		return nil, ErrGone
	}
	return pids, nil
}

// named lists the processes that have the target's name.
func (p *processes) named(ctx context.Context) ([]int32, error) {
	pids, err := process.PidsWithContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	return slices.DeleteFunc(pids, func(pid int32) bool { return p.name(pid) != p.target.Name }), nil
}

// watched reports whether a process is one of the target's. Where any may be, 0 is
// one, too.
func (p *processes) watched(pid int32) bool {
	if len(p.target.PIDs) == 0 && p.target.Name == "" {
		return true
	}
	return slices.Contains(p.target.PIDs, pid) || (pid != 0 && p.target.Name != "" && p.name(pid) == p.target.Name)
}

// identity says who a process is, as a subject.
func (p *processes) identity(pid int32) series.Identity {
	id := series.Identity{ID: NoProcess, Name: NoProcess, PID: pid, Paired: p.target.Port != 0}
	if pid == 0 {
		return id
	}
	id.ID, id.Name = strconv.Itoa(int(pid)), fmt.Sprintf("%s (%d)", p.name(pid), pid)
	if p.details {
		id.Limits = p.limitsOf(pid)
		p.programs.describe(&id)
	}
	return id
}

// name returns a process's name. It is kept, so that a process that has
// ended still has one.
func (p *processes) name(pid int32) string {
	if name, ok := p.names[pid]; ok {
		return name
	}
	name := "process"
	// Not process.NewProcess: it leaves a pidfd open for each call.
	if n, err := (&process.Process{Pid: pid}).Name(); err == nil {
		name = printable(strings.TrimSuffix(n, ".exe"))
	}
	p.names[pid] = name
	return name
}

// printable keeps a process from drawing on terminals with its name.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, name)
}

// limitsOf are read once: a process's limits hardly ever change.
func (p *processes) limitsOf(pid int32) socketstats.Limits {
	l, ok := p.limits[pid]
	if !ok {
		l = socketstats.LimitsOf(pid)
		p.limits[pid] = l
	}
	return l
}

// ended reports whether a process has ended, and forgets it if so: the kernel may
// give its id to another.
func (p *processes) ended(pid int32) bool {
	if !errors.Is(socketstats.CheckProcess(pid), socketstats.ErrNoProcess) {
		return false
	}
	delete(p.names, pid)
	delete(p.limits, pid)
	delete(p.programs, pid)
	return true
}
