package scenario

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Sweep is a client setting that the fixed code is played with, value after
// value, to find out which of them does.
type Sweep struct {
	// Setting is the client's key: one that takes a whole number, such as
	// pool_size.
	Setting string `yaml:"setting"`
	// Values are what it is set to, the smallest first.
	Values []int `yaml:"values"`
}

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
		if t.Field(i).Type.Kind() == reflect.Int {
			names = append(names, key)
		}
	}
	return names
}

// With returns the settings with one of [Settings] at another value.
func (c Client) With(setting string, value int) Client {
	i := slices.Index(keysOf(reflect.TypeFor[Client]()), setting)
	reflect.ValueOf(&c).Elem().Field(i).SetInt(int64(value))
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
	}
	for i, value := range w.Values {
		path := fmt.Sprintf("$.sweep.values[%d]", i)
		if value < 1 {
			return found(path, "value %d is below 1", value)
		}
		if i > 0 && value <= w.Values[i-1] {
			return found(path, "value %d does not come after %d: the smallest is first, and each is there once", value, w.Values[i-1])
		}
		if f := (Client{}).With(w.Setting, value).check(); f != nil {
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
