package recording

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// maxText bounds a text in a recording, in bytes. The longest is a command line, which
// Linux bounds by a quarter of the stack's limit, by default 2 MiB.
const maxText = 4 << 20

// longest bounds a time, so that sums of two, and steps beyond one, are times, too.
const longest = 100 * 365 * 24 * time.Hour

// checker says what cannot be in a recording although its form is right: what a file
// holds that was put together or changed by hand.
type checker struct {
	begun bool
	last  time.Duration // of the moment before
}

func (c *checker) check(e *series.Event) error {
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

// plausible refuses counts and times below 0, times beyond a life, figures that are no number, and texts
// that are too long, with the place: names of keys, joined by points.
func plausible(e *series.Event) error {
	if bad := implausible(reflect.ValueOf(e), false); bad != nil {
		slices.Reverse(bad.at)
		return fmt.Errorf("%s %s", strings.Join(bad.at, "."), bad.why)
	}
	return nil
}

// refusal says what is not plausible, and where: the innermost name first.
type refusal struct {
	at  []string
	why string
}

func refuse(format string, args ...any) *refusal { return &refusal{why: fmt.Sprintf(format, args...)} }

// in adds the name of what something is in; "" is none.
func (r *refusal) in(name string) *refusal {
	if name != "" {
		r.at = append(r.at, name)
	}
	return r
}

// implausible is nil for what is plausible. own says that it is what code of a pair
// says of itself, which may be below 0.
func implausible(v reflect.Value, own bool) *refusal {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return implausible(v.Elem(), own)
		}
	case reflect.Struct:
		for _, f := range fieldsOf(v.Type()) {
			if bad := implausible(v.Field(f.index), own || f.name == "values"); bad != nil {
				return bad.in(f.name)
			}
		}
		if c, ok := v.Interface().(socketstats.Counts); ok && c.Open() < 0 {
			return refuse("has %d sockets in total, fewer than in TIME_WAIT, in LISTEN and unowned", c.Total())
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if bad := implausible(v.Index(i), own); bad != nil {
				return bad
			}
		}
	case reflect.Map:
		for entries := v.MapRange(); entries.Next(); {
			if bad := implausible(entries.Key(), own); bad != nil {
				return bad
			}
			if bad := implausible(entries.Value(), own); bad != nil {
				return bad.in(fmt.Sprintf("%.60s", fmt.Sprint(entries.Key())))
			}
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if v.Int() < 0 {
			return refuse("is %d, below 0", v.Int())
		}
		if v.Type() == reflect.TypeFor[time.Duration]() && v.Int() > int64(longest) {
			return refuse("is %s: the limit is 100 years", time.Duration(v.Int()))
		}
	case reflect.Float32, reflect.Float64:
		if f := v.Float(); math.IsInf(f, 0) || math.IsNaN(f) || (f < 0 && !own) {
			return refuse("is %g", f)
		}
	case reflect.String:
		if v.Len() > maxText {
			return refuse("has %d bytes: the limit is %d", v.Len(), maxText)
		}
	}
	return nil
}

// field is one of a struct, with its key; "" for one that has none.
type field struct {
	index int
	name  string
}

var fields sync.Map // of []field, by reflect.Type

func fieldsOf(t reflect.Type) []field {
	if known, ok := fields.Load(t); ok {
		return known.([]field)
	}
	var list []field
	for i := range t.NumField() {
		if t == reflect.TypeFor[time.Time]() {
			break
		}
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" && !f.Anonymous && f.IsExported() {
			name = f.Name
		}
		list = append(list, field{i, name})
	}
	fields.Store(t, list)
	return list
}
