package observe_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/observe"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

func TestTheWorstIsTheSurestLeakOfAProcess(t *testing.T) {
	t.Parallel()
	verdicts := map[string]verdict.Verdict{}
	var order []*series.Subject // from the worst to the best
	add := func(name string, pid int32, v verdict.Verdict) {
		id := fmt.Sprint(len(order))
		order = append(order, &series.Subject{Identity: series.Identity{ID: id, Name: name, PID: pid}})
		verdicts[id] = v
	}
	add("a (1)", 1, verdict.Verdict{Severity: verdict.Leak, Confidence: verdict.High})
	add("b (2)", 2, verdict.Verdict{Severity: verdict.Leak, Confidence: verdict.High})
	add("all", 0, verdict.Verdict{Severity: verdict.Leak, Confidence: verdict.High})
	for _, v := range []verdict.Verdict{
		{Severity: verdict.Leak, Confidence: verdict.Medium},
		{Severity: verdict.Leak, Confidence: verdict.Low},
		{Severity: verdict.Fault, Confidence: verdict.High},
		{Severity: verdict.Note, Confidence: verdict.High},
		{Kind: verdict.NotEnoughData},
		{Kind: verdict.Healthy, Confidence: verdict.High},
	} {
		add("a (1)", 1, v)
		add("all", 0, v)
	}
	for i, a := range order {
		for _, b := range order[i:] {
			require.Equal(t, a, observe.Worst([]*series.Subject{a, b}, verdicts))
			require.Equal(t, a, observe.Worst([]*series.Subject{b, a}, verdicts), "%v and %v", verdicts[b.ID], verdicts[a.ID])
		}
	}
}

// What grows may be a start, unless its process has ended.
func TestThatItIsOverIsToldToTheVerdict(t *testing.T) {
	t.Parallel()
	subjects := windowOf(9, byName, func(i int) []series.SubjectSample {
		s := row(7, 3*i)
		s.Client.Activity, s.Server.Activity = &socketstats.Activity{}, &socketstats.Activity{}
		s.Client.Activity.Sent[5] = 3 * i
		return []series.SubjectSample{s}
	}).Subjects()
	for _, over := range []bool{false, true} {
		require.Equal(t, verdict.Judge(subjects[0], verdict.Conditions{Ended: over}), observe.Judge(subjects, over)["7"])
	}
	require.NotEqual(t, observe.Judge(subjects, false), observe.Judge(subjects, true))
}
