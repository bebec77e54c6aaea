package render

import (
	"time"

	"socketlab/internal/metric"
)

// JudgeSeldom lets a watch rest for so long after each judgement.
func (l *Live) JudgeSeldom(rest time.Duration) { l.throttle.Least, l.throttle.Most = rest, rest }

// Headlines are the metrics that a headline may always be made of.
func Headlines() []string { return headlines }

// Difference is the cell that compares two values of a metric.
func Difference(m metric.Metric, faulty, fixed float64) string { return difference(m, faulty, fixed) }
