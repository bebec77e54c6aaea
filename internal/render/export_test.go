package render

import "socketlab/internal/metric"

// Headlines are the metrics that a headline may always be made of.
func Headlines() []string { return headlines }

// Difference is the cell that compares two values of a metric.
func Difference(m metric.Metric, faulty, fixed float64) string { return difference(m, faulty, fixed) }
