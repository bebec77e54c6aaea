package verdict

import (
	"time"

	"socketlab/internal/metric"
)

// Fact is one thing that was seen, with its numbers. Every number is in the
// samples, or a sum, difference or share of numbers that are.
type Fact struct {
	// Name says which fact of its kind it is: the rule has a template for it.
	Name   string     `json:"name"`
	Values []Quantity `json:"values,omitempty"`
}

// Quantity is one number of a fact, or a name that it needs.
type Quantity struct {
	// Name ends with the unit, where that is not a count.
	Name  string      `json:"name"`
	Value float64     `json:"value"`
	Unit  metric.Unit `json:"unit"`
	// Text is a name, such as a server's, in place of a number: then Value is 0 and
	// Unit is [Text].
	Text string `json:"text,omitempty"`
}

// Text is the unit of a quantity that is a name.
const Text metric.Unit = "text"

// fact makes a fact. Quantities without a name are left out; see [some].
func fact(name string, values ...Quantity) Fact {
	f := Fact{Name: name}
	for _, q := range values {
		if q.Name != "" {
			f.Values = append(f.Values, q)
		}
	}
	return f
}

func count[N int | int64 | float64](name string, n N) Quantity {
	return Quantity{Name: name, Value: float64(n), Unit: metric.Count}
}

// some is count, and nothing of 0: the template's part for it is left out.
func some[N int | int64 | float64](name string, n N) Quantity {
	if n == 0 {
		return Quantity{}
	}
	return count(name, n)
}

func text(name, value string) Quantity { return Quantity{Name: name, Unit: Text, Text: value} }

// lasting is the quantity for_ms: how long something has lasted.
func lasting(d time.Duration) Quantity { return millis("for_ms", d) }

func millis(name string, d time.Duration) Quantity {
	return Quantity{Name: name, Value: float64(d) / float64(time.Millisecond), Unit: metric.Milliseconds}
}

func perSecond(n float64) Quantity {
	return Quantity{Name: "per_second", Value: n, Unit: metric.PerSecond}
}

func growing(perSecond float64) Quantity {
	return Quantity{Name: "growth_per_second", Value: perSecond, Unit: metric.PerSecond}
}

// quantity returns the quantity with a name, and false if there is none.
func (f Fact) quantity(name string) (Quantity, bool) {
	for _, q := range f.Values {
		if q.Name == name {
			return q, true
		}
	}
	return Quantity{}, false
}
