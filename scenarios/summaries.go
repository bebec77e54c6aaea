package scenarios

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	"socketlab/internal/scenario"
	"socketlab/internal/verdict/kind"
)

//go:embed summaries.json
var summaries string

// summary is what lists show of a script.
type summary struct {
	ID       string            `json:"id"`
	Title    string            `json:"title"`
	Sort     string            `json:"sort"`
	Requires string            `json:"requires"`
	Speed    float64           `json:"speed"`
	Fault    *scenario.Fault   `json:"fault,omitempty"`
	Symptoms []string          `json:"symptoms,omitempty"`
	Length   scenario.Duration `json:"length"` // of the load, at speed 1
	Faulty   []expectedSummary `json:"faulty"`
	Fixed    []expectedSummary `json:"fixed"`
}

type expectedSummary struct {
	Metric string           `json:"metric"`
	Other  string           `json:"other,omitempty"`
	Kind   kind.Kind        `json:"kind,omitempty"`
	Go     scenario.GoRange `json:"go,omitempty"`
}

// Summaries returns what a list shows of all scripts, in the order in which they are
// best taught: names, symptoms, fault and speed, a load of the same length, and of the
// expectations their metrics, kinds and versions of Go. Everything else is left out.
// That takes a fortieth of the time in which [Script] reads them.
func Summaries() ([]scenario.Script, error) {
	decoder := json.NewDecoder(strings.NewReader(summaries))
	var all []scenario.Script
	for decoder.More() {
		var s summary
		if err := decoder.Decode(&s); err != nil {
			return nil, fmt.Errorf("scenarios/summaries.json: %w", err)
		}
		all = append(all, scenario.Script{
			ID: s.ID, Title: s.Title, Sort: s.Sort, Requires: s.Requires, Speed: s.Speed,
			Fault: s.Fault, Symptoms: s.Symptoms, Load: []scenario.Phase{{Pause: s.Length}},
			Expect: scenario.Expect{Faulty: expectations(s.Faulty), Fixed: expectations(s.Fixed)},
		})
	}
	return all, nil
}

func expectations(summaries []expectedSummary) []scenario.Expectation {
	var all []scenario.Expectation
	for _, e := range summaries {
		all = append(all, scenario.Expectation{Metric: e.Metric, Other: e.Other, Kind: e.Kind, Go: e.Go})
	}
	return all
}
