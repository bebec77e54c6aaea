package observe

import (
	"slices"

	"socketlab/internal/series"
)

// epochs counts how often all processes were replaced by others.
type epochs struct {
	now    int
	before []string
	// often is in how few samples, on average, they may be replaced for it to be a
	// restart.
	often int
}

func (e *epochs) next(ids []string) int {
	ids = slices.DeleteFunc(ids, IsNoProcess)
	if len(ids) == 0 {
		return e.now
	}
	if len(e.before) > 0 && !slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(e.before, id) }) {
		e.now++
	}
	e.before = ids
	return e.now
}

// grewUntilReplaced reports whether the connections of the processes that were replaced by
// others became more all their lives. Clients of a port come and go; but where they grow until
// they end, their end has closed what is a leak.
func grewUntilReplaced(samples []series.Sample) bool {
	const few = 3
	open := func(i int) int { return samples[i].Client.Counts.Open() }
	anyGrew := false
	for from, to := 0, 0; from < len(samples); from = to {
		for to = from; to < len(samples) && samples[to].Epoch == samples[from].Epoch; {
			to++
		}
		last := to - 1
		for last > from && open(last) == 0 { // it is gone, and the next is not there yet
			last--
		}
		middle := (from + last) / 2
		grew := last-from+1 >= series.Least && open(middle)-open(from) >= few && open(last)-open(middle) >= few
		if !grew && from > 0 && to < len(samples) {
			return false // of the first the end was seen only, and of the newest the start
		}
		anyGrew = anyGrew || grew
	}
	return anyGrew
}

// common reports whether processes are replaced so often that it is their way
// of life, and no restart.
func (e *epochs) common(samples int) bool { return e.often*e.now > samples }
