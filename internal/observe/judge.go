package observe

import (
	"cmp"
	"slices"
	"strings"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// Judge judges subjects, by their ids. over says that their processes have ended.
func Judge(subjects []*series.Subject, over bool) map[string]verdict.Verdict {
	verdicts := map[string]verdict.Verdict{}
	for _, s := range subjects {
		v := verdict.Judge(s, verdict.Conditions{Ended: over})
		if said := measured(v.Kind, &s.Identity); said != "" {
			v.Fix += " " + said
		}
		verdicts[s.ID] = v
	}
	return verdicts
}

// Worst is the subject whose verdict matters most; of the same verdict a process
// before all together, and of processes the one that holds most. There must be one.
func Worst(subjects []*series.Subject, verdicts map[string]verdict.Verdict) *series.Subject {
	return slices.MinFunc(subjects, func(a, b *series.Subject) int {
		d := verdict.Compare(verdicts[a.ID], verdicts[b.ID])
		switch {
		case d != 0:
			return d
		case (a.PID == 0) != (b.PID == 0):
			return cmp.Compare(b.PID, a.PID)
		}
		if d = cmp.Compare(held(b), held(a)); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
}

// held is how many sockets a subject holds at the end that has more.
func held(s *series.Subject) int {
	return max(s.Now(socketstats.Client).Open(), s.Now(socketstats.Server).Open())
}
