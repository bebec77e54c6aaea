package recording

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"

	"socketlab/internal/series"
)

// maxText bounds a text in a recording, in bytes. The longest is a command line, which
// Linux bounds by a quarter of the stack's limit, by default 2 MiB.
const maxText = 4 << 20

// checker says what cannot be in a recording although its form is right: what a file
// holds that was put together or changed by hand.
type checker struct {
	begun bool
	last  time.Duration // of the moment before
}

func (c *checker) check(e series.Event) error {
	if err := plausible(reflect.ValueOf(e), ""); err != nil {
		return err
	}
	m := e.Moment
	if m == nil {
		return nil
	}
	if c.begun && m.At <= c.last {
		return fmt.Errorf("this sample is from %s, and the one before it from %s: samples are in the order of their time", m.At, c.last)
	}
	c.begun, c.last = true, m.At
	seen := make(map[string]bool, len(m.Subjects))
	for _, s := range m.Subjects {
		if seen[s.ID] {
			return fmt.Errorf("this sample has %.60q twice", s.ID)
		}
		seen[s.ID] = true
	}
	return nil
}

// plausible refuses counts and times below 0, figures that are no number, and texts
// that are too long, with the place: names of keys, joined by points.
func plausible(v reflect.Value, at string) error {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return plausible(v.Elem(), at)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return nil
		}
		for i := range v.NumField() {
			if err := plausible(v.Field(i), below(at, v.Type().Field(i))); err != nil {
				return err
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if err := plausible(v.Index(i), at); err != nil {
				return err
			}
		}
	case reflect.Map:
		for entries := v.MapRange(); entries.Next(); {
			if err := plausible(entries.Key(), at); err != nil {
				return err
			}
			if err := plausible(entries.Value(), fmt.Sprintf("%s.%.60s", at, fmt.Sprint(entries.Key()))); err != nil {
				return err
			}
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if v.Int() < 0 {
			return fmt.Errorf("%s is %d, below 0", at, v.Int())
		}
	case reflect.Float32, reflect.Float64:
		// What code of a pair says of itself may be below 0.
		if f := v.Float(); math.IsInf(f, 0) || math.IsNaN(f) || (f < 0 && !strings.Contains(at, ".values.")) {
			return fmt.Errorf("%s is %g", at, f)
		}
	case reflect.String:
		if v.Len() > maxText {
			return fmt.Errorf("%s has %d bytes: the limit is %d", at, v.Len(), maxText)
		}
	}
	return nil
}

// below is the place of a field: its key, or that of the struct for one that has none.
func below(at string, f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "" {
		if f.Anonymous || !f.IsExported() {
			return at
		}
		name = f.Name
	}
	return strings.TrimPrefix(at+"."+name, ".")
}
