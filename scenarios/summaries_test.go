package scenarios

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
)

// summaries.json is made from the scripts by: go test ./scenarios -run Summaries -update
func TestSummariesAreThoseOfTheScripts(t *testing.T) {
	var want bytes.Buffer
	encoder := json.NewEncoder(&want)
	encoder.SetEscapeHTML(false)
	for _, id := range IDs() {
		s, err := Script(id)
		require.NoError(t, err)
		require.NoError(t, encoder.Encode(summary{
			ID: s.ID, Title: s.Title, Sort: s.Sort, Requires: s.Requires, Speed: s.Speed,
			Fault: s.Fault, Symptoms: s.Symptoms, Length: scenario.Duration(s.Length()),
			Faulty: expected(s.Expect.Faulty), Fixed: expected(s.Expect.Fixed),
		}))
	}
	if *update {
		require.NoError(t, os.WriteFile("summaries.json", want.Bytes(), 0o644))
		summaries = want.String()
	}
	require.Equal(t, want.String(), summaries, "run: go test ./scenarios -run Summaries -update")
	all, err := Summaries()
	require.NoError(t, err)
	require.Len(t, all, len(IDs()))
	for i, id := range IDs() {
		s, err := Script(id)
		require.NoError(t, err)
		require.Equal(t, id, all[i].ID)
		// Each phase is rounded for itself.
		require.InDelta(t, s.AtSpeed(s.Speed).Length(), all[i].AtSpeed(s.Speed).Length(), float64(time.Microsecond))
	}
}

func expected(all []scenario.Expectation) []expectedSummary {
	var summaries []expectedSummary
	for _, e := range all {
		summaries = append(summaries, expectedSummary{e.Metric, e.Other, e.Kind, e.Go})
	}
	return summaries
}
