package series

import (
	"math"
	"slices"
	"time"
)

// Trend is how a figure changes over a series. The zero Trend is that of no value.
type Trend struct {
	// PerSecond is the slope of Theil and Sen; 0 where the lowest values do not rise.
	PerSecond float64
	// Grows says that the figure rises and is never given back; see [TrendOf].
	Grows bool
	// Floor is what is never given back from the first quarter on, and Rise how
	// much more that is in the last.
	Floor, Rise float64
	// Chance is the probability that values without a trend would look so (Mann
	// and Kendall).
	Chance float64
}

const (
	// Least is the fewest samples that can have a trend.
	Least = 8
	// Handful is the fewest sockets that are worth a word.
	Handful = 3
	// Unlikely is the chance below which a trend is believed.
	Unlikely = 0.001
)

// TrendOf finds the trend of values, taken at times. Three things must hold for
// it to grow, each against another look-alike:
//
//   - the test of Mann (1945) and Kendall (1975) finds a trend, against noise;
//   - the lowest value of each quarter of the series, and of all that follows,
//     rises from quarter to quarter: what is given back is no leak. That tells
//     sawtooth, wave and burst from growth;
//   - the slope of the second half is a good part of the whole's, against a ramp
//     that has come to its plateau.
func TrendOf(at []time.Duration, values []float64) Trend {
	at, values = thin(at), thin(values)
	if len(values) < Least {
		return Trend{Chance: 1}
	}
	floors := floorsOf(values)
	t := Trend{Floor: floors[0], Rise: floors[3] - floors[0], Chance: 1}
	if t.Rise < Handful || floors[1] >= floors[2] || floors[2] >= floors[3] {
		return t // the rest costs much and would not change it
	}
	t.PerSecond = Slope(at, values)
	rest := residuals(at, values, t.PerSecond)
	t.Chance = mannKendall(values, wandering(values, rest))
	half := len(values) / 2
	lasting := Slope(at[half:], values[half:]) >= 0.3*t.PerSecond
	t.Grows = t.PerSecond > 0 && t.Chance < Unlikely && lasting && t.Rise >= 2*noise(rest)
	return t
}

// floorsOf returns, for each quarter of the values, the lowest in it and in all
// that follow.
func floorsOf(values []float64) [4]float64 {
	var floors [4]float64
	low := math.Inf(1)
	for q := 3; q >= 0; q-- {
		for _, v := range values[q*len(values)/4 : (q+1)*len(values)/4] {
			low = math.Min(low, v)
		}
		floors[q] = low
	}
	return floors
}

// Slope is the estimator of Theil (1950) and Sen (1968): the median of the
// slopes between all pairs of values, per second. Outliers do not move it up to
// 29 % of the values. Pairs that have a gap between them are left out where
// others are left: a clock may have been set, or a machine asleep.
func Slope(at []time.Duration, values []float64) float64 {
	at, values = thin(at), thin(values)
	gaps := gapsBefore(at)
	slopes := make([]float64, 0, len(values)*len(values)/2)
	for _, across := range []bool{false, true} {
		for i := range values {
			for j := i + 1; j < len(values); j++ {
				if dt := at[j] - at[i]; dt > 0 && (across || gaps[i] == gaps[j]) {
					slopes = append(slopes, (values[j]-values[i])/dt.Seconds())
				}
			}
		}
		if len(slopes) > 0 {
			break
		}
	}
	return median(slopes)
}

// gapsBefore counts the gaps before each time: steps of ten times the usual.
func gapsBefore(at []time.Duration) []int {
	steps := make([]float64, 0, len(at))
	for i := 1; i < len(at); i++ {
		steps = append(steps, float64(at[i]-at[i-1]))
	}
	usual := median(steps)
	gaps := make([]int, len(at))
	for i := 1; i < len(at); i++ {
		gaps[i] = gaps[i-1]
		if float64(at[i]-at[i-1]) > 10*usual {
			gaps[i]++
		}
	}
	return gaps
}

// median sorts values and returns the middle one; 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	mid := len(values) / 2
	if len(values)%2 == 1 {
		return values[mid]
	}
	return (values[mid-1] + values[mid]) / 2
}

// residuals are how far values are from their line, a line of its own for each
// part between two gaps.
func residuals(at []time.Duration, values []float64, perSecond float64) []float64 {
	rest := make([]float64, len(values))
	for i, v := range values {
		rest[i] = v - perSecond*at[i].Seconds()
	}
	gaps := gapsBefore(at)
	for from := 0; from < len(rest); {
		to := from
		for to < len(rest) && gaps[to] == gaps[from] {
			to++
		}
		middle := median(slices.Clone(rest[from:to]))
		for i := from; i < to; i++ {
			rest[i] -= middle
		}
		from = to
	}
	return rest
}

// noise is how far values usually are from their line, as a standard deviation.
func noise(residuals []float64) float64 {
	far := make([]float64, len(residuals))
	for i, r := range residuals {
		far[i] = math.Abs(r)
	}
	return 1.4826 * median(far)
}

// wandering is the autocorrelation of noise that goes down nearly as much as up. What
// hardly ever goes down may be far from a line, as growth in steps is; that is
// no noise.
func wandering(values, residuals []float64) float64 {
	var up, down float64
	for i := 1; i < len(values); i++ {
		up += max(0, values[i]-values[i-1])
		down += max(0, values[i-1]-values[i])
	}
	if 2*down < up {
		return 0
	}
	return autocorrelation(residuals)
}

// autocorrelation is how much of a residual is left in the next one (at lag 1), from 0 to 0.95.
func autocorrelation(residuals []float64) float64 {
	var product, square float64
	for i, r := range residuals {
		square += r * r
		if i > 0 {
			product += r * residuals[i-1]
		}
	}
	if square == 0 {
		return 0
	}
	return min(0.95, max(0, product/square))
}

// mannKendall returns the probability that values in no order would rise as
// much, by the normal approximation with correction for ties (Kendall 1975,
// chapter 4). It does not depend on times, so missing samples do not matter.
// Noise that is correlated wanders, and counts for fewer values than it has: the
// variance is corrected for it (Yue and Wang 2004).
func mannKendall(values []float64, correlation float64) float64 {
	n := float64(len(values))
	score := 0
	for i, a := range values {
		for _, b := range values[i+1:] {
			switch {
			case b > a:
				score++
			case b < a:
				score--
			}
		}
	}
	ties := map[float64]float64{}
	for _, v := range values {
		ties[v]++
	}
	variance := n * (n - 1) * (2*n + 5)
	for _, t := range ties {
		variance -= t * (t - 1) * (2*t + 5)
	}
	if variance <= 0 || score <= 0 {
		return 1
	}
	variance *= (1 + correlation) / (1 - correlation)
	z := float64(score-1) / math.Sqrt(variance/18)
	return math.Erfc(z/math.Sqrt2) / 2
}

// thin keeps a long series at a size whose pairs can be counted.
func thin[T any](series []T) []T {
	const enough = 400
	if len(series) <= enough {
		return series
	}
	kept := make([]T, 0, enough)
	for i := range enough {
		kept = append(kept, series[i*(len(series)-1)/(enough-1)])
	}
	return kept
}
