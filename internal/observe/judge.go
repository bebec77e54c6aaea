package observe

import (
	"cmp"
	"slices"
	"strings"

	"socketlab/internal/series"
	"socketlab/internal/verdict"
)

// Judge judges subjects, by their ids. over says that their processes have ended.
func Judge(subjects []*series.Subject, over bool) map[string]verdict.Verdict {
	verdicts := map[string]verdict.Verdict{}
	for _, s := range subjects {
		verdicts[s.ID] = verdict.Judge(s, verdict.Conditions{Over: over})
	}
	return verdicts
}

// Worst is the subject whose verdict matters most; of the same verdict a process
// before all together. There must be one.
func Worst(subjects []*series.Subject, verdicts map[string]verdict.Verdict) *series.Subject {
	return slices.MinFunc(subjects, func(a, b *series.Subject) int {
		d := verdict.Compare(verdicts[a.ID], verdicts[b.ID])
		switch {
		case d != 0:
			return d
		case (a.PID == 0) != (b.PID == 0):
			return cmp.Compare(b.PID, a.PID)
		}
		return strings.Compare(a.Name, b.Name)
	})
}
