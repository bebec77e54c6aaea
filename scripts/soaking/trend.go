//go:build linux

package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// series is what was measured of one process.
type series struct {
	Name   string
	Points []point
	// Fills says that the process keeps its newest samples, and Warm is when it had as many
	// as it keeps; 0 is not yet.
	Fills bool
	Warm  time.Duration
}

// kept is how many samples watch keeps.
const kept = 600

// settled is from when on the measurements are looked at: see warmUp.
func (s *series) settled() time.Duration {
	if len(s.Points) == 0 {
		return 0
	}
	life := s.Points[len(s.Points)-1].At
	from := min(warmUp, life/2)
	if s.Fills && s.Warm == 0 {
		return life + 1
	}
	return max(from, s.Warm)
}

// point is one measurement, At since the start of the process.
type point struct {
	At                           time.Duration
	RSS, Descriptors, Goroutines int
}

// measure is one of the figures of a point.
type measure struct {
	name, unit string
	of         func(point) float64
	// least is the growth, over the whole time, below which it is not called one, and share
	// the same as a share of the median. A collector of garbage moves RSS by more than the
	// numbers of descriptors and goroutines, which are exact.
	least, share float64
}

var measures = []measure{
	{"RSS", "MB", func(p point) float64 { return float64(p.RSS) / (1 << 20) }, 4, 0.10},
	{"descriptors", "", func(p point) float64 { return float64(p.Descriptors) }, 3, 0.05},
	{"goroutines", "", func(p point) float64 { return float64(p.Goroutines) }, 3, 0.05},
}

// warmUp is how much of a process's life is not looked at, as caches fill. Of a shorter life
// it is the first half; of one that keeps samples it lasts until it has kept all that it can.
const warmUp = 11 * time.Minute

// trend is what the points of one measure say.
type trend struct {
	median, low, high float64
	// perHour is the slope of Theil and Sen: the median of those of all pairs of points.
	perHour float64
	// grows says that the slope is above 0 beyond chance, by the test of Mann and Kendall at
	// 1 %, and that what it comes to over the time is more than the noise that is allowed for.
	grows bool
	over  time.Duration
}

// windows and perWindow bound how many pairs there are: the time is cut into windows of
// perWindow measurements or more, and the least of each counts. Load makes peaks, of memory
// and of goroutines at work; only what is never given back raises what lies between them.
const (
	windows   = 120
	perWindow = 6
)

func (m measure) trend(of *series) trend {
	points := slices.DeleteFunc(slices.Clone(of.Points), func(p point) bool { return p.At < of.settled() })
	if len(points) == 0 {
		return trend{}
	}
	t := trend{over: points[len(points)-1].At - points[0].At, low: math.Inf(1), high: math.Inf(-1)}
	var all, values []float64
	var at []time.Duration
	for i, step := 0, max(perWindow, (len(points)+windows-1)/windows); i < len(points); i++ {
		v := m.of(points[i])
		all, t.low, t.high = append(all, v), min(t.low, v), max(t.high, v)
		if i%step == 0 {
			values, at = append(values, v), append(at, points[i].At)
		}
		values[len(values)-1] = min(values[len(values)-1], v)
	}
	t.median = median(all)
	var slopes []float64
	ties := map[float64]int{}
	s := 0
	for i, v := range values {
		ties[v]++
		for j := range i {
			slopes = append(slopes, (v-values[j])/(at[i]-at[j]).Hours())
			s += cmp.Compare(v, values[j])
		}
	}
	if len(values) < 10 {
		return t
	}
	t.perHour = median(slopes)
	n := float64(len(values))
	variance := n * (n - 1) * (2*n + 5)
	for _, k := range ties {
		variance -= float64(k) * float64(k-1) * float64(2*k+5)
	}
	const oneInHundred = 2.326 // the normal distribution's, of one side
	beyondChance := variance > 0 && float64(s-1)/math.Sqrt(variance/18) > oneInHundred
	t.grows = beyondChance && t.perHour*t.over.Hours() > max(m.least, m.share*t.median)
	return t
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// grows reports whether a figure of a process grows.
func (s *soak) grows() bool {
	for _, of := range s.Series {
		for _, m := range measures {
			if m.trend(of).grows {
				return true
			}
		}
	}
	return false
}

// report is what was held, in Markdown.
func (s *soak) report() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "Held %s of %s, with %d clients and %d viewers at a time: %d viewers came (%d found the page full); of the connections %d were killed with their process, %d reset, %d closed.\n",
		s.Held.Round(time.Second), s.time, s.clients, s.viewers, s.Viewers, s.TurnedAway, s.Killed, s.Reset, s.Closed)
	fmt.Fprintf(&b, "%d counts compared with ss. The clock set %d times. %d processes of runs killed.\n\n", s.Compared, s.ClockSet, s.Kills)
	fmt.Fprintf(&b, "| process | held | measure | median | least to most | slope an hour | |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, of := range s.Series {
		for _, m := range measures {
			t, word := m.trend(of), "flat"
			switch {
			case t.over == 0:
				fmt.Fprintf(&b, "| %s | | %s | | | | not judged: it has not run long enough |\n", of.Name, m.name)
				continue
			case t.grows:
				word = "**grows**"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %.4g %s | %.4g to %.4g | %+.3g | %s |\n", of.Name, t.over.Round(time.Second), m.name, t.median, m.unit, t.low, t.high, t.perHour, word)
		}
	}
	fmt.Fprintf(&b, "\n%d things were not as promised.\n", len(s.Wrong))
	for _, w := range s.Wrong {
		fmt.Fprintf(&b, "- %s\n", w)
	}
	return b.String()
}
