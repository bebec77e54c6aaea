package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"socketlab/internal/verdict"
	"socketlab/internal/words"
)

// cluster says where a run on Kubernetes was played; "" of any other observation.
func (o *Observed) cluster() string {
	s := o.Observation.Scenario
	if s == nil || s.Cluster == nil {
		return ""
	}
	c := s.Cluster
	text := words.Plural(c.Clients, "client") + " a side, each in a pod of its own"
	if c.Namespace != "" {
		text += ", in namespace " + c.Namespace
	}
	if len(c.Nodes) > 0 {
		text += ", on " + words.Plural(len(c.Nodes), "node") + " (" + strings.Join(c.Nodes, ", ") + ")"
	}
	return text
}

// clients says what each client of a run on Kubernetes is by itself, most of them first; nil
// of any other observation, and with one client a side.
func (o *Observed) clients() (list []string) {
	if o.Observation.Scenario.Clients() < 2 {
		return nil
	}
	for _, s := range o.Observation.Subjects {
		parts, counts := o.Observation.PartsOf(s.ID), map[verdict.Kind]int{}
		for _, p := range parts {
			counts[o.Result.Verdicts[p.ID].Kind]++
		}
		var kinds []verdict.Kind
		for k := range counts {
			kinds = append(kinds, k)
		}
		slices.SortFunc(kinds, func(a, b verdict.Kind) int { return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b)) })
		var texts []string
		for _, k := range kinds {
			texts = append(texts, fmt.Sprintf("%d %s", counts[k], k))
		}
		if len(texts) > 0 {
			list = append(list, fmt.Sprintf("%s, each of %d clients by itself: %s", s.Name, len(parts), strings.Join(texts, ", ")))
		}
	}
	return list
}
