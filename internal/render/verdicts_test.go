package render

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/observe"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// detailed returns snapshots with everything that a verdict needs.
func detailed(n int) []observe.Snapshot {
	snapshots := watching(n)
	for _, s := range snapshots {
		for i := range s.Processes {
			p := &s.Processes[i]
			p.ClientActivity, p.ServerActivity, p.Limits = &socketstats.Activity{}, &socketstats.Activity{}, &socketstats.Limits{}
			p.ClientActivity.Received[6] = p.Client.Of(socketstats.Established)
		}
	}
	return snapshots
}

func TestVerdictOnEachProcessIsThatOfADiagnosis(t *testing.T) {
	t.Parallel()
	var v Verdicts
	var h observe.History
	require.Nil(t, v.Found(false))
	for i, s := range detailed(40) {
		v.Add(s)
		h.Add(s)
		require.Equal(t, h.Judge(false), v.Found(true), "after %d", i)
	}
	w := OfWatch(h.Snapshots(), socketstats.Client, v.Found(false))
	require.Equal(t, verdict.CloseWaitLeak, w.Processes[0].Verdict.Kind)
	require.Equal(t, verdict.Healthy, w.Processes[1].Verdict.Kind)
	for _, j := range h.Judge(false) {
		for _, p := range w.Processes {
			if p.Label == j.Name {
				require.Equal(t, j.Verdict, p.Verdict)
			}
		}
	}
}

// Judging takes time, so it is not done for each count.
func TestVerdictsAreNotFoundTooOften(t *testing.T) {
	t.Parallel()
	var v Verdicts
	snapshots := detailed(40)
	for _, s := range snapshots {
		v.Add(s)
	}
	first := v.Found(false)
	require.True(t, observe.Worst(first).Verdict.Leak)
	last := snapshots[39]
	last.After++ // a nanosecond is no hundredfold of anything
	last.Processes = last.Processes[1:]
	v.Add(last)
	require.Equal(t, first, v.Found(false))
	last.After += time.Hour
	v.Add(last)
	require.NotEqual(t, first, v.Found(false))
	last.After++
	last.Processes = last.Processes[:0]
	v.Add(last)
	require.Len(t, v.Found(true), 1, "there are no more")
	for _, s := range detailed(judged) {
		v.Add(s)
	}
	require.Equal(t, judged, v.history.Len(), "and of a long watch only so many are judged")
}

func TestWatchOfTooShortATimeSaysSo(t *testing.T) {
	t.Parallel()
	var v Verdicts
	snapshots := detailed(3)
	for _, s := range snapshots {
		v.Add(s)
	}
	snapshots[2].Processes = append(snapshots[2].Processes, observe.Process{PID: 11, Name: "new"}, observe.Process{Name: "no process"})
	w := OfWatch(snapshots, socketstats.Client, v.Found(false))
	require.Equal(t, verdict.NotEnoughData, w.Processes[0].Verdict.Kind)
	require.Equal(t, []string{"3 samples of at least 8."}, w.Processes[0].Verdict.Evidence)
	require.Equal(t, verdict.NotEnoughData, w.Processes[2].Verdict.Kind, "not judged yet")
	require.Empty(t, w.Processes[3].Verdict.Kind, "nobody's sockets")
}

func TestWatchSentenceNamesTheLeakFirst(t *testing.T) {
	t.Parallel()
	snapshots := watching(31)
	leak := func(name string, pid int32, sure verdict.Confidence) observe.SubjectVerdict {
		return observe.SubjectVerdict{Subject: observe.Subject{Name: name, PID: pid}, Verdict: verdict.Verdict{
			Leak: true, Kind: verdict.IdleConnectionsNotReused, Confidence: sure, Evidence: []string{"They are idle.", "Very."},
		}}
	}
	faulty, fixed := leak("faulty (8)", 8, verdict.Medium), leak("fixed (9)", 9, verdict.High)
	gone, all := leak("gone (10)", 10, verdict.High), leak("all connections to port 8080", 0, verdict.Medium)
	healthy := observe.SubjectVerdict{Subject: observe.Subject{Name: "fixed (9)", PID: 9}, Verdict: verdict.Verdict{Kind: verdict.Healthy}}
	for want, found := range map[string][]observe.SubjectVerdict{
		"faulty (8): idle-connections-not-reused, holds 60 sockets; 2 processes hold 62.":                        {all, healthy, gone, faulty},
		"fixed (9): idle-connections-not-reused, holds 2 sockets; 1 other leaks; 2 processes hold 62.":           {fixed, faulty},
		"all connections to port 8080: idle-connections-not-reused; 2 processes hold 62 sockets. They are idle.": {all, healthy},
		"faulty (8): idle-connections-not-reused, holds 60 sockets; 1 other leaks; 2 processes hold 62.":         {leak("fixed (9)", 9, verdict.Low), leak("faulty (8)", 8, verdict.Low)},
		"2 processes hold 62 sockets; faulty (8) grows the fastest: +2.0/s.":                                     {healthy, gone},
	} {
		require.Equal(t, want, OfWatch(snapshots, socketstats.Client, found).Now)
	}
	small := snapshots[30]
	small.Processes = append(slices.Clone(small.Processes[:1]), observe.Process{PID: 12, Name: "a small one"})
	require.Equal(t, "faulty (8): idle-connections-not-reused, holds 60 sockets; 1 other leaks; 2 processes hold 60.",
		OfWatch([]observe.Snapshot{small}, socketstats.Client, []observe.SubjectVerdict{leak("a small one (12)", 12, verdict.Medium), faulty}).Now,
		"of leaks that are as sure it is the largest")
	for i := range snapshots {
		snapshots[i].Processes = snapshots[i].Processes[:1]
	}
	require.Equal(t, "faulty (8): idle-connections-not-reused, holds 60 sockets.",
		OfWatch(snapshots, socketstats.Server, []observe.SubjectVerdict{faulty}).Now, "at the end that has more")
}

func TestWhatIsDrawnKeepsTheCountsOnly(t *testing.T) {
	t.Parallel()
	s := detailed(1)[0]
	d := Drawn(s)
	require.Nil(t, d.Processes[0].ClientActivity)
	require.NotNil(t, s.Processes[0].ClientActivity, "it is a copy")
	require.Equal(t, OfWatch([]observe.Snapshot{s}, socketstats.Client, nil), OfWatch([]observe.Snapshot{d}, socketstats.Client, nil))
}
