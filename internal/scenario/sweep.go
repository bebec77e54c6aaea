package scenario

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"socketlab/internal/metric"
)

// Sweep is a client setting that the fixed code is played with, value after
// value, to find out which of them does.
type Sweep struct {
	// Setting is the client's key: one that takes a whole number or a duration, such
	// as pool_size.
	Setting string `yaml:"setting"`
	// Values are what it is set to, the smallest first.
	Values []SweepValue `yaml:"values"`
	// Show are two metrics to compare, where latency against connections is not the
	// question: the first one gets better as the second gets worse.
	Show []string `yaml:"show,omitempty"`
}

// SweepValue is a whole number, or a duration where that is 0.
type SweepValue struct {
	Number int
	// Time is as the script has it, also in a script at another speed.
	Time Duration
}

// WholeNumber returns n as a value.
func WholeNumber(n int) SweepValue { return SweepValue{Number: n} }

// ParseSweepValue reads a value as a script has it, such as 10 or 500ms.
func ParseSweepValue(text string) (SweepValue, error) {
	if n, err := strconv.Atoi(text); err == nil {
		return WholeNumber(n), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > maxDuration {
		return SweepValue{}, fmt.Errorf("value %q is not %s", short(text), SweepValue{}.form())
	}
	return SweepValue{Time: Duration(d)}, nil
}

func (SweepValue) form() string { return "a whole number, or a duration such as 500ms" }

// UnmarshalYAML implements yaml.NodeUnmarshaler, to keep the place of a fault.
func (v *SweepValue) UnmarshalYAML(node ast.Node) error {
	text, ok := scalar(node)
	if !ok {
		return fault(node, "this is not %s", v.form())
	}
	parsed, err := ParseSweepValue(text)
	if err != nil {
		return fault(node, "%s", err)
	}
	*v = parsed
	return nil
}

// String returns the value as it is written in a script.
func (v SweepValue) String() string {
	if v.Time != 0 {
		return v.Time.String()
	}
	return strconv.Itoa(v.Number)
}

// less reports whether v is smaller than w, of the same sort.
func (v SweepValue) less(w SweepValue) bool { return v.Number < w.Number || v.Time < w.Time }

// Bounds of a sweep: each value is a run.
const (
	minSweep = 2
	maxSweep = 32
)

// Settings lists the client settings that a sweep can go over.
func Settings() []string {
	var names []string
	t := reflect.TypeFor[Client]()
	for i, key := range keysOf(t) {
		if t.Field(i).Type.Kind() == reflect.Int || isDuration(t.Field(i).Type) {
			names = append(names, key)
		}
	}
	return names
}

func isDuration(t reflect.Type) bool { return t == reflect.TypeFor[Duration]() }

// field is one of [Settings] of these settings.
func (c *Client) field(setting string) reflect.Value {
	return reflect.ValueOf(c).Elem().Field(slices.Index(keysOf(reflect.TypeFor[Client]()), setting))
}

// With returns the settings with one of [Settings] at another value; a duration is
// divided by the speed.
func (c Client) With(setting string, value SweepValue, speed float64) Client {
	if field := c.field(setting); isDuration(field.Type()) {
		field.Set(reflect.ValueOf(Duration(math.Round(float64(value.Time) / speed))))
	} else {
		field.SetInt(int64(value.Number))
	}
	return c
}

// Check says what is wrong with a sweep, or returns nil.
func (w Sweep) Check() error {
	if f := w.check(); f != nil {
		return fmt.Errorf("%s", f.message)
	}
	return nil
}

func (w Sweep) check() *finding {
	switch {
	case w.Setting == "":
		return found("$.sweep", "a sweep has a setting: one of %s", strings.Join(Settings(), ", "))
	case !slices.Contains(Settings(), w.Setting):
		return found("$.sweep.setting", "setting %q: use one of %s", short(w.Setting), strings.Join(Settings(), ", "))
	case len(w.Values) < minSweep || len(w.Values) > maxSweep:
		return found("$.sweep", "a sweep has %d to %d values, not %d", minSweep, maxSweep, len(w.Values))
	case len(w.Show) != 0 && len(w.Show) != 2:
		return found("$.sweep.show", "show has two metrics, not %d", len(w.Show))
	}
	for i, name := range w.Show {
		if _, err := metric.Lookup(name); err != nil {
			return found(fmt.Sprintf("$.sweep.show[%d]", i), "%s", err)
		}
	}
	wantsDuration := isDuration(new(Client).field(w.Setting).Type())
	for i, value := range w.Values {
		path := fmt.Sprintf("$.sweep.values[%d]", i)
		switch {
		case wantsDuration && value.Time == 0:
			return found(path, "value %s: %s is a duration, such as 500ms", value, w.Setting)
		case !wantsDuration && value.Time != 0:
			return found(path, "value %s: %s is a whole number", value, w.Setting)
		case value.Time == 0 && value.Number < 1:
			return found(path, "value %s is below 1", value)
		case i > 0 && !w.Values[i-1].less(value):
			return found(path, "value %s does not come after %s: the smallest is first, and each is there once", value, w.Values[i-1])
		}
		if f := (Client{}).With(w.Setting, value, 1).check(); f != nil {
			return found(path, "%s", f.message)
		}
	}
	return nil
}

// Busiest is the highest rate of the load, in requests a second: those that come
// together with each other counted, and bursts, which have no rate, left out.
func (s Script) Busiest() float64 {
	most := 0.0
	for _, p := range s.Load {
		most = max(most, float64(p.Rate)*(1+float64(p.JitterRequests)/2))
	}
	return most
}

// UnderWay is how many requests are under way on average at the busiest time, by
// Little's law: their rate times latency, the time that the server takes for one.
// It is 0 for a load of bursts.
func (s Script) UnderWay(latency time.Duration) float64 { return s.Busiest() * latency.Seconds() }

func (s Script) checkSweep() *finding {
	if s.Sweep == nil {
		return nil
	}
	return s.Sweep.check()
}
