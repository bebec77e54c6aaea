package scenario

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// full returns a script with a value in every field, also in those that are
// added one day.
func full(t testing.TB) Script {
	var s Script
	fill(t, reflect.ValueOf(&s).Elem())
	return s
}

func fill(t testing.TB, v reflect.Value) {
	switch v.Interface().(type) {
	case Duration:
		v.Set(reflect.ValueOf(Duration(time.Second)))
		return
	case Rate:
		v.Set(reflect.ValueOf(Rate(10)))
		return
	case Expectation:
		e, err := ParseExpectation("latency_ms.p99 <= 1s")
		require.NoError(t, err)
		v.Set(reflect.ValueOf(e))
		return
	case Server:
		s := Server{Name: "text", Protocol: "text", StopAfter: Duration(time.Second)}
		for _, k := range Keys() {
			value := reflect.New(k.kind).Elem()
			fill(t, value)
			s = s.With(Setting{k, value.Interface()})
		}
		v.Set(reflect.ValueOf(s))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(t, v.Index(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.String:
		v.SetString("text")
	case reflect.Int:
		v.SetInt(3)
	case reflect.Float64:
		v.SetFloat(2)
	case reflect.Bool:
		v.SetBool(true)
	default:
		t.Fatalf("AtSpeed does not look into a %s: teach it, and this test", v.Type())
	}
}

// timesOf collects the values of v that have to do with time, by path.
func timesOf(v reflect.Value, path string, out map[string]float64) {
	switch x := v.Interface().(type) {
	case Duration:
		out[path+" duration"] = float64(x)
		return
	case Rate:
		out[path+" rate"] = float64(x)
		return
	case Expectation:
		out[path+" duration"] = x.Value
		return
	case SweepValue: // Client.With divides it
		return
	case Server:
		out[path+".StopAfter duration"] = float64(x.StopAfter)
		for key, value := range x.values {
			timesOf(reflect.ValueOf(value), path+"."+key, out)
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			timesOf(v.Field(i), path+"."+v.Type().Field(i).Name, out)
		}
	case reflect.Slice:
		for i := range v.Len() {
			timesOf(v.Index(i), path+"[]", out)
		}
	case reflect.Pointer:
		timesOf(v.Elem(), path, out)
	}
}

func TestSpeedScalesEveryTimeAndRateOfAScript(t *testing.T) {
	before, after := map[string]float64{}, map[string]float64{}
	timesOf(reflect.ValueOf(full(t)), "", before)
	timesOf(reflect.ValueOf(full(t).AtSpeed(8)), "", after)
	require.GreaterOrEqual(t, len(before), 18, "the script lost fields, or this test does not see them")
	require.Len(t, after, len(before))
	for path, was := range before {
		want := was / 8
		if path == ".Load[].Rate rate" {
			want = was * 8
		}
		require.Equal(t, want, after[path], path)
	}
}

func TestSpeedChangesNothingElse(t *testing.T) {
	s := full(t)
	back := s.AtSpeed(8).AtSpeed(1.0 / 8)
	back.Speed = s.Speed
	require.Equal(t, s, back)
	require.Equal(t, 8.0, s.AtSpeed(8).Speed)
}

func TestSpeedLeavesTheOriginalAlone(t *testing.T) {
	s := full(t)
	fast := s.AtSpeed(8)
	require.Equal(t, full(t), s)

	overwrite(reflect.ValueOf(&fast).Elem())
	require.Equal(t, full(t), s, "the two scripts share memory")
}

// overwrite clears all that v refers to, in place.
func overwrite(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		switch x := v.Interface().(type) {
		case Expectation:
			v.SetZero()
			return
		case Server:
			clear(x.values)
			return
		}
		for i := range v.NumField() {
			overwrite(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			overwrite(v.Index(i))
		}
	case reflect.Pointer:
		overwrite(v.Elem())
	default:
		v.SetZero()
	}
}

func TestSpeedOneChangesNothing(t *testing.T) {
	s := mustParse(t, good)
	require.Equal(t, s, s.AtSpeed(1))
}

func TestSampleStaysAtTwentyMilliseconds(t *testing.T) {
	s := mustParse(t, good+"sample_interval: 400ms\n")
	for speed, want := range map[float64]string{1: "400ms", 10: "40ms", 20: "20ms", 40: "20ms", 1000: "20ms", 0.5: "800ms"} {
		require.Equal(t, want, s.AtSpeed(speed).SampleInterval.String(), "at speed %v", speed)
	}
}

func TestDurationsAreRoundedNotCutOff(t *testing.T) {
	s := mustParse(t, good+"sample_interval: 2s\n")
	require.Equal(t, 666666667*time.Nanosecond, s.AtSpeed(3).SampleInterval.D())
}

// The lab hands the script to its processes as JSON.
func TestScriptSurvivesJSON(t *testing.T) {
	for name, s := range map[string]Script{"full": full(t), "good": mustParse(t, good), "fast": full(t).AtSpeed(3)} {
		t.Run(name, func(t *testing.T) {
			data, err := json.Marshal(s)
			require.NoError(t, err)
			var back Script
			require.NoError(t, json.Unmarshal(data, &back))
			require.Equal(t, s.Load, back.Load)
			require.Equal(t, s.Arrivals(1), back.Arrivals(1))
			for _, side := range Sides() {
				for i, e := range s.Expect.Of(side) {
					require.Equal(t, e.String(), back.Expect.Of(side)[i].String())
				}
			}
			again, err := json.Marshal(back)
			require.NoError(t, err)
			require.Equal(t, string(data), string(again))
		})
	}
}
