package tui

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"socketlab/internal/render"
	"socketlab/internal/socketstats"
)

// drawn is a chart of samples, one a second, of ESTABLISHED and TIME_WAIT.
func drawn(scale, width, height int, samples ...[2]int) string {
	c := chart{
		states: []render.State{{Name: socketstats.Established.String()}, {Name: socketstats.TimeWait.String()}},
		to:     time.Duration(len(samples)) * time.Second, scale: scale,
	}
	for i, s := range samples {
		c.points = append(c.points, render.Point{At: time.Duration(i+1) * time.Second, Counts: s[:]})
	}
	return "\n" + ansi.Strip(strings.Join(c.draw(width, height), "\n"))
}

func TestChartStacksStates(t *testing.T) {
	t.Parallel()
	require.Equal(t, `
 10 │     ░░
    │   ░░░█
  5 │  ░████
    │▄██████
  0 │███████
     00:00  `, drawn(10, 12, 6, [2]int{3, 0}, [2]int{4, 0}, [2]int{4, 2}, [2]int{5, 2}, [2]int{6, 1}, [2]int{6, 4}, [2]int{8, 2}))
}

// There are three labels wherever there is room for one between the others.
func TestChartHasThreeLabels(t *testing.T) {
	t.Parallel()
	for rows := 3; rows < 30; rows++ {
		for _, scale := range []int{2, 3, 7, 14, 75, 1000} {
			labels := regexp.MustCompile(`(?m)^ *(\d+) │`).FindAllStringSubmatch(drawn(scale, 20, rows+1, [2]int{1, 0}), -1)
			require.Len(t, labels, 3, "%d rows to %d", rows, scale)
			require.Equal(t, fmt.Sprint(scale/2), labels[1][1])
		}
	}
}

// No state is drawn by a letter or a digit, and each has a fill of its own.
func TestFillsAreNoLetters(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, state := range render.Stacking() {
		fill := fillOf(state.String())
		require.NotRegexp(t, `[\p{L}\p{N}]`, fill, state)
		require.Equal(t, 1, ansi.StringWidth(fill), state)
		require.False(t, seen[fill], state)
		seen[fill] = true
	}
}

// One socket of many is seen, whatever state it is in, and the least of a state
// above does not hide what is below it.
func TestChartShowsTheLeast(t *testing.T) {
	t.Parallel()
	require.Contains(t, drawn(1000, 20, 5, [2]int{1, 0}), "▁")
	require.Contains(t, drawn(1000, 20, 5, [2]int{0, 1}), "░")
	require.Contains(t, drawn(40, 20, 5, [2]int{12, 1}), "▂")
	require.NotRegexp(t, "[▁░]", drawn(1000, 20, 5, [2]int{0, 0}))
}

func TestChartEndsWithItsSamples(t *testing.T) {
	t.Parallel()
	c := chart{
		states: []render.State{{Name: socketstats.Established.String()}}, scale: 10, to: 10 * time.Second,
		points: []render.Point{{At: time.Second, Counts: []int{10}}, {At: 5 * time.Second, Counts: []int{10}}},
	}
	line := ansi.Strip(c.draw(15, 3)[0])
	require.Equal(t, " 10 │█████     ", line, "no sample says that it was so later")
	require.Nil(t, c.draw(4, 9))
	require.Nil(t, c.draw(40, 1))
}

func TestBarShowsTheLeast(t *testing.T) {
	t.Parallel()
	of := func(now, scale int) string {
		return ansi.Strip(bar(render.State{Name: "CLOSE_WAIT", Now: now}, scale, 10))
	}
	require.Equal(t, "▓         ", of(1, 1000))
	require.Equal(t, "          ", of(0, 1000))
	require.Equal(t, "▓▓▓▓▓     ", of(50, 100))
	require.Equal(t, "▓▓▓▓▓▓▓▓▓▓", of(200, 100))
}

func TestDigitsAreThreeRows(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"▀█  █▀█", " █  █ █", "▀▀▀ ▀▀▀"}, big("10", 1))
	twice := big("1", 2)
	require.Equal(t, []string{"████  ", "  ██  ", "  ██  ", "  ██  ", "██████", "      "}, twice)
	require.Equal(t, []string{"▀█    █▀▀", " █    ▀▀█", "▀▀▀ ▄ ▀▀▀"}, big("1.5", 1))
	require.Equal(t, []string{"   ", "▀▀▀", "   "}, big("–", 1))
	for _, rows := range glyphs {
		for _, row := range rows {
			require.Equal(t, 3, ansi.StringWidth(row))
		}
	}
}

func TestTextIsCutWhereThereIsNoRoom(t *testing.T) {
	t.Parallel()
	require.Equal(t, "ab ", pad("ab", 3))
	require.Equal(t, "ab…", pad("abcd", 3))
	require.Empty(t, pad("ab", 0))
	require.Equal(t, "left right", spread("left", "right", 10))
	require.Equal(t, "le… right", spread("left", "right", 9))
	require.Equal(t, "lef…", spread("left it", "right", 4))
	require.Equal(t, []string{"a b …"}, first([]string{"a b.", "c"}, 1))
	require.Equal(t, []string{"a b …"}, first([]string{"a b …", "c"}, 1), "it was cut before")
	require.Equal(t, "02:05", clock(125*time.Second))
}
