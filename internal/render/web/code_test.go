package web

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/render"
	"socketlab/internal/render/rendertest"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/scenarios"
)

// What is marked are the lines that the difference takes away and adds.
func TestMarksAreTheDifferenceOfEveryPair(t *testing.T) {
	t.Parallel()
	for _, id := range scenarios.IDs() {
		script, err := scenarios.Script(id)
		require.NoError(t, err)
		header := &series.Header{
			Title: script.Title, Length: time.Minute, Scenario: &series.Scenario{ID: id, Script: script.Text, Speed: 1},
			Subjects: []series.Identity{{ID: "faulty"}, {ID: "fixed"}},
		}
		var live render.Live
		live.Add(series.Event{Header: header})
		b := beginOf(&live)
		want := map[scenario.Side][]string{}
		diff := scenarios.Difference(live.Code())
		for i, l := range strings.Split(diff, "\n") {
			if i < 2 || l == "" { // the names of the two files
				continue
			}
			text := strings.ReplaceAll(l[1:], "\t", "  ")
			switch l[0] {
			case '-':
				want[scenario.Faulty] = append(want[scenario.Faulty], text)
			case '+':
				want[scenario.Fixed] = append(want[scenario.Fixed], text)
			}
		}
		for _, side := range scenario.Sides() {
			var got []string
			for _, l := range b.Code[string(side)] {
				if l.Differs {
					got = append(got, l.Text)
				}
			}
			require.Equal(t, want[side], got, "%s, %s", id, side)
			require.NotEmpty(t, b.Code[string(side)])
		}
		require.Equal(t, render.Question(live.Script(), time.Minute), b.Question)

		header.Scenario.Swapped = true
		swapped := beginOf(&live).Code
		require.Equal(t, b.Code["fixed"], swapped["faulty"], "each side shows what it plays")
		require.Equal(t, b.Code["faulty"], swapped["fixed"])
	}
}

func TestCommandsOfTheUsersHaveNoCodeToShow(t *testing.T) {
	t.Parallel()
	for _, h := range []series.Header{
		{Title: "old against new", Commands: &series.Commands{}},
		{Scenario: &series.Scenario{ID: "of-my-own", Speed: 1, Script: strings.Replace(rendertest.Script, "transport-per-request", "of-my-own", 1)}},
	} {
		var live render.Live
		live.Add(series.Event{Header: &h})
		require.NotNil(t, live.Script())
		require.Empty(t, beginOf(&live).Code)
		require.Empty(t, beginOf(&live).Question, "there is no side that has to be guessed")
	}
}
