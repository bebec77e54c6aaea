package report

import (
	"fmt"

	"socketlab/internal/verdict"
)

// leak begins the cell of a side that has one.
const leak = "LEAK: "

// Words says a verdict in sentences.
func Words(v verdict.Verdict) []string {
	first := string(v.Kind) + "."
	if v.Leak && v.Confidence != "" {
		first = fmt.Sprintf("%s (confidence: %s).", v.Kind, v.Confidence)
	}
	words := append([]string{first}, v.Evidence...)
	for _, a := range v.Alternatives {
		words = append(words, otherwise(a))
	}
	if v.Forecast != "" {
		words = append(words, v.Forecast)
	}
	if v.Fix != "" {
		words = append(words, "Fix: "+v.Fix)
	}
	return words
}

// otherwise says what else it may be.
func otherwise(a verdict.Alternative) string {
	return fmt.Sprintf("It could also be %s. To tell them apart, see %s.", a.Kind, a.RecognisedBy)
}
