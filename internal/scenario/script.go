// Package scenario reads scripts: what an incident needs, how its server
// behaves, what load it gets and what each side must show. It checks a script
// whole before anything starts, and turns its load into a schedule.
//
// The package starts nothing and measures nothing.
package scenario

import (
	"maps"
	"math"
	"reflect"
	"time"
)

// Script is one scenario's YAML file. Parse returns only scripts that are
// complete and possible; every default is filled in.
type Script struct {
	// ID names the scenario: lower-case words joined by hyphens.
	ID string `yaml:"id"`
	// Title is one line for lists and tables.
	Title string `yaml:"title"`
	// Order is where the scenario stands in the catalogue: those with a lower one are
	// taught before it. A script of your own needs none.
	Order int `yaml:"order,omitempty"`
	// Sort is pair (the default), control where nothing is wrong on either side, or
	// measurement where the sides are measured and no verdict is expected.
	Sort string `yaml:"sort,omitempty"`
	// Implementation is the scenario of the catalogue whose faulty and fixed code is
	// played; or, in a file of your own, a folder with your own code, as a path from the
	// file that has a separator, such as ./mine. Default: the scenario's own id.
	Implementation string `yaml:"implementation,omitempty"`
	// Requires says where the scenario can be played: loopback (the default), or
	// namespace for one that must have a network namespace of its own.
	Requires string `yaml:"requires,omitempty"`
	// Speed divides every time of this script when the user names no other.
	// Default 1.
	Speed float64 `yaml:"speed,omitempty"`
	// MaxSpeed is the highest speed at which the script still shows what it
	// expects: the kernel's own timers do not scale, nor does the machine.
	// Default: any.
	MaxSpeed float64 `yaml:"max_speed,omitempty"`
	// MinSpeed is the lowest speed at which it does, where a time in the code of its
	// sides is to be compared with those of the script. Default: any.
	MinSpeed float64 `yaml:"min_speed,omitempty"`
	// Fault says what the faulty side shows. A control or a comparison, whose two
	// sides are both healthy, has none.
	Fault *Fault `yaml:"fault,omitempty"`
	// Symptoms are what an engineer sees who meets the incident. The catalogue is
	// grouped by them.
	Symptoms []string `yaml:"symptoms,omitempty"`
	// Headline is the metric that tells the two sides apart best, such as
	// connections.opened: of it the faulty side has more. Every face shows it in its
	// largest digits, and the audience guesses it. Default: the sockets that are held.
	Headline string `yaml:"headline,omitempty"`
	// Says holds a sentence for the audience on what the code of each side does, and
	// one on why the headline's number moves.
	Says Says `yaml:"says,omitempty"`
	// Steps are scenarios of the catalogue that fix this one, each a part of it:
	// what the repair before has made is what the next one begins with. They are
	// played after it.
	Steps []string `yaml:"steps,omitempty"`
	// Server is how the server of both sides behaves.
	Server Server `yaml:"server,omitempty"`
	// Upstreams are more servers of each side, beside the first or behind it: the
	// one that it calls, those that a balancer spreads over, a name server.
	// Their sockets count as the first one's do.
	Upstreams []Server `yaml:"upstreams,omitempty"`
	// Network is what becomes of the network while the load goes on. It needs
	// a namespace.
	Network []NetworkFault `yaml:"network,omitempty"`
	// Sysctl sets what the kernel keeps for each network namespace, before the server
	// listens, each as NAME=VALUE: net.core.somaxconn=4 and the like. It needs a
	// namespace.
	Sysctl []string `yaml:"sysctl,omitempty"`
	// Client holds the settings that the code of both sides may use.
	Client Client `yaml:"client,omitempty"`
	// Load is what each side gets, phase after phase.
	Load []Phase `yaml:"load"`
	// Narration says what happens, for those who look on. Where it says nothing,
	// the load speaks for itself.
	Narration []NarrationLine `yaml:"narration,omitempty"`
	// SampleInterval is the time between two counts. Default 1s.
	SampleInterval Duration `yaml:"sample_interval,omitempty"`
	// Sweep is what `sockwatch sweep` plays: the fixed code at several values of
	// a client setting.
	Sweep *Sweep `yaml:"sweep,omitempty"`
	// Expect is what each side must show.
	Expect Expect `yaml:"expect"`

	// Text is the YAML that the script was parsed from, at its own speed: what a
	// recording keeps. It is no key.
	Text string `yaml:"-"`
	// Folder is the folder that Implementation names in a script with code of the user's
	// own, relative to where we run, or absolute; Implementation is "" then. It is no key.
	Folder string `yaml:"-"`
	// OtherGo is what the script expects of clients built by other versions of Go
	// than the one that [Script.ForGo] was given; nil before that. It is no key.
	OtherGo *Expect `yaml:"-"`
}

// Fault names what is wrong with the faulty side.
type Fault struct {
	// Kind is the leak's name, such as idle-connections-not-reused.
	Kind string `yaml:"kind"`
	// Fix is one sentence that says how to fix it.
	Fix string `yaml:"fix"`
}

// Says is what an audience reads beside the numbers: whole sentences in plain words,
// without names of the code. "" is nothing.
type Says struct {
	// Faulty is what the code of the faulty side does.
	Faulty string `yaml:"faulty,omitempty"`
	// Fixed is what the code of the fixed side does.
	Fixed string `yaml:"fixed,omitempty"`
	// Why is why the headline's number moves.
	Why string `yaml:"why,omitempty"`
}

// Of returns the sentence on the code of one side.
func (s Says) Of(side Side) string {
	switch side {
	case Faulty:
		return s.Faulty
	case Fixed:
		return s.Fixed
	}
	return ""
}

// Phase is one part of a load: just one of rate, burst and pause.
type Phase struct {
	// Rate is how many requests a second are sent, evenly spaced, for a time.
	Rate Rate `yaml:"rate,omitempty"`
	// For is how long the rate is kept.
	For Duration `yaml:"for,omitempty"`
	// JitterRequests sends up to this many more requests, at random from the seed,
	// together with each one that the rate sends.
	JitterRequests int `yaml:"jitter_requests,omitempty"`

	// Burst sends this many requests at one moment.
	Burst int `yaml:"burst,omitempty"`
	// Repeat is how often the burst is sent. Default 1.
	Repeat int `yaml:"repeat,omitempty"`
	// Every is the time from one burst to the next.
	Every Duration `yaml:"every,omitempty"`

	// Pause sends nothing for this long.
	Pause Duration `yaml:"pause,omitempty"`
}

// Expect is what a run of the script must show, side by side.
type Expect struct {
	// Faulty is what the faulty side must show.
	Faulty []Expectation `yaml:"faulty"`
	// Fixed is what the fixed side must show.
	Fixed []Expectation `yaml:"fixed"`
}

// The sorts of a script.
const (
	Pair        = "pair"
	Control     = "control"
	Measurement = "measurement"
)

// Side is one half of a pair.
type Side string

// The two sides, in the order they are shown.
const (
	Faulty Side = "faulty"
	Fixed  Side = "fixed"
)

// Sides lists both sides in the order they are shown.
func Sides() []Side { return []Side{Faulty, Fixed} }

// Other returns the other half.
func (s Side) Other() Side {
	if s == Faulty {
		return Fixed
	}
	return Faulty
}

// Of returns what side must show; nil for any that is not one of the two.
func (e Expect) Of(side Side) []Expectation {
	switch side {
	case Faulty:
		return e.Faulty
	case Fixed:
		return e.Fixed
	}
	return nil
}

// minSample is the shortest sampling interval: below it the counting itself
// would be most of what the machine does.
const minSample = 20 * time.Millisecond

// AtSpeed returns the script with every time divided by speed, and every rate
// and bandwidth multiplied by it. The kernel's own timers (TIME_WAIT's 60 s and the like) do
// not scale, and the sampling interval stays at 20 ms or more.
func (s Script) AtSpeed(speed float64) Script {
	scaled := scale(reflect.ValueOf(s), speed).Interface().(Script)
	scaled.Speed = speed
	scaled.SampleInterval = max(scaled.SampleInterval, Duration(minSample))
	return scaled
}

// scale copies v with all durations and rates in it scaled. It goes by type,
// so that a field added to the script cannot be forgotten here.
func scale(v reflect.Value, speed float64) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch x := v.Interface().(type) {
	case Duration:
		return reflect.ValueOf(Duration(math.Round(float64(x) / speed)))
	case Rate:
		return reflect.ValueOf(Rate(float64(x) * speed))
	case Kilobits:
		return reflect.ValueOf(Kilobits(math.Round(float64(x) * speed)))
	case Expectation:
		return reflect.ValueOf(x.atSpeed(speed))
	case SweepValue:
		return v
	case Server:
		x.StopAfter = Duration(math.Round(float64(x.StopAfter) / speed))
		x.values = maps.Clone(x.values)
		for key, value := range x.values {
			x.values[key] = scale(reflect.ValueOf(value), speed).Interface()
		}
		return reflect.ValueOf(x)
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return out
		}
		out.Set(reflect.New(v.Type().Elem()))
		out.Elem().Set(scale(v.Elem(), speed))
	case reflect.Struct:
		for i := range v.NumField() {
			out.Field(i).Set(scale(v.Field(i), speed))
		}
	case reflect.Slice:
		if v.IsNil() {
			return out
		}
		out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			out.Index(i).Set(scale(v.Index(i), speed))
		}
	}
	return out
}
