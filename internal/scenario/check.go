package scenario

import (
	"cmp"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"socketlab/internal/metric"
)

// Where a scenario can be played.
const (
	Loopback  = "loopback"
	Namespace = "namespace"
)

// Bounds of a load: a run is meant to show a leak, not to wear out a machine.
const (
	maxRequests = 100_000
	maxBurst    = 10_000
	maxBody     = 64 << 20
)

// defaults is what a script means that says nothing. What follows from other
// values is filled in later.
func defaults() Script {
	return Script{
		Requires:       Loopback,
		Sort:           Pair,
		Speed:          1,
		SampleInterval: Duration(time.Second),
		Server:         Server{Name: FirstServer, Protocol: DefaultProtocol},
	}
}

// fillIn sets what follows from other values, or stands in a list; file is the script's.
func (s *Script) fillIn(file string) {
	switch {
	case !isPath(s.Implementation):
		s.Implementation = cmp.Or(s.Implementation, s.ID)
	case filepath.IsAbs(s.Implementation):
		s.Folder, s.Implementation = filepath.Clean(s.Implementation), ""
	default:
		s.Folder, s.Implementation = filepath.Join(filepath.Dir(file), s.Implementation), ""
	}
	for i := range s.Upstreams {
		b := &s.Upstreams[i]
		b.Protocol = cmp.Or(b.Protocol, DefaultProtocol)
	}
}

var idForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// check returns the first value that makes no sense, or nil.
func (s Script) check(codes []string) *finding {
	return firstOf(
		s.checkHead(codes),
		s.checkSymptoms(),
		s.checkServers(),
		s.checkNetwork(),
		s.checkSysctl(),
		s.Client.check(),
		s.checkLoad(),
		s.checkTimes(),
		s.checkNarration(),
		s.checkSays(),
		s.checkSweep(),
		s.checkExpect(),
	)
}

func (s Script) checkHead(codes []string) *finding {
	switch {
	case s.ID == "":
		return found("$.id", "id is missing: name the scenario, such as my-incident")
	case !idForm.MatchString(s.ID):
		return found("$.id", "id %q is not lower-case words joined by hyphens", short(s.ID))
	case strings.TrimSpace(s.Title) == "":
		return found("$.title", "title is missing: say in one line what happens")
	case s.Order < 0:
		return found("$.order", "order %d is negative: give the place in the catalogue, or leave it out", s.Order)
	case strings.ContainsFunc(s.Title, unicode.IsControl):
		return found("$.title", "title is not one plain line")
	case s.Folder == "" && !known(codes, s.Implementation) && s.Implementation == s.ID:
		return found("$.id", "there is no code for %q: add implementation, with a folder of your own, such as ./mine, or one of %s", short(s.ID), strings.Join(codes, ", "))
	case s.Folder == "" && !known(codes, s.Implementation):
		return found("$.implementation", "unknown implementation %q: use a folder of your own, such as ./mine, or one of %s", short(s.Implementation), strings.Join(codes, ", "))
	case s.Folder != "" && s.Client != Client{}:
		return found("$.client", "client is for code of the catalogue, and this script's code is the folder %s: set it in that code", s.Folder)
	case unknownStep(s.Steps, codes) >= 0:
		i := unknownStep(s.Steps, codes)
		return found(fmt.Sprintf("$.steps[%d]", i), "step %q is no scenario of the catalogue", short(s.Steps[i]))
	case s.Requires != Loopback && s.Requires != Namespace:
		return found("$.requires", "requires is %q: use %s or %s", short(s.Requires), Loopback, Namespace)
	case CheckSpeed(s.Speed) != nil:
		return found("$.speed", "%s", CheckSpeed(s.Speed))
	case s.MaxSpeed != 0 && (CheckSpeed(s.MaxSpeed) != nil || s.MaxSpeed < s.Speed):
		return found("$.max_speed", "max_speed %v is below the script's own speed, or no speed at all", s.MaxSpeed)
	case s.MinSpeed != 0 && (CheckSpeed(s.MinSpeed) != nil || s.MinSpeed > s.Speed):
		return found("$.min_speed", "min_speed %v is above the script's own speed, or no speed at all", s.MinSpeed)
	case s.Headline != "" && headlineProblem(s.Headline) != nil:
		return found("$.headline", "%s", headlineProblem(s.Headline))
	case s.Sort != Pair && s.Sort != Control && s.Sort != Measurement:
		return found("$.sort", "sort is %q: use %s, %s or %s", short(s.Sort), Pair, Control, Measurement)
	case s.Sort != Pair && s.Fault != nil:
		return found("$.fault", "a %s has no fault: leave it out, or make it a pair", s.Sort)
	case s.Fault != nil && s.Fault.Kind == "":
		return found("$.fault.kind", "a fault has a kind, such as idle-connections-not-reused")
	case s.Fault != nil && s.Fault.Fix == "":
		return found("$.fault.fix", "a fault has a fix: one sentence on how to fix it")
	}
	return nil
}

// headlineProblem says why a name is no metric, or returns nil.
func headlineProblem(name string) error {
	_, err := metric.Lookup(name)
	return err
}

// known reports whether a scenario is in the catalogue. A nil list knows them all:
// that of a recording may be of another version.
func known(codes []string, id string) bool { return codes == nil || slices.Contains(codes, id) }

// unknownStep is the first step that is no scenario, or -1.
func unknownStep(steps, codes []string) int {
	return slices.IndexFunc(steps, func(id string) bool { return !known(codes, id) })
}

// Bounds of a speed.
const (
	minSpeed = 0.01
	maxSpeed = 1000
)

// CheckSpeed says what is wrong with a speed, or returns nil.
func CheckSpeed(speed float64) error {
	if !(speed >= minSpeed && speed <= maxSpeed) { // also refuses NaN
		return fmt.Errorf("speed %v is not between %v and %v", speed, minSpeed, maxSpeed)
	}
	return nil
}

func (s Script) checkLoad() *finding {
	if len(s.Load) == 0 {
		return found("$.load", "load is empty: give at least one phase, such as: - {rate: 2, for: 30s}")
	}
	total := 0
	for i, p := range s.Load {
		if f := p.check(fmt.Sprintf("$.load[%d]", i)); f != nil {
			return f
		}
		if total += p.moments() * (1 + p.JitterRequests) * max(p.Burst, 1); total > maxRequests {
			return found(fmt.Sprintf("$.load[%d]", i), "the load may send %d requests by this phase: the limit is %d", total, maxRequests)
		}
	}
	if total == 0 {
		return found("$.load", "load sends no request")
	}
	return nil
}

// checkTimes compares the times of a script with the length of its load.
func (s Script) checkTimes() *finding {
	length, stop := s.Length(), s.Server.StopAfter
	switch {
	case length > maxDuration:
		return found("$.load", "load takes %s: the limit is %s", length, maxDuration)
	case length == 0:
		return found("$.load", "load takes no time: add a pause, such as: - pause: 2s")
	case s.SampleInterval.D() < minSample:
		return found("$.sample_interval", "sample_interval %s is shorter than the shortest there is, %s", s.SampleInterval, minSample)
	case length < s.SampleInterval.D() && s.SampleInterval == defaults().SampleInterval:
		return found("$.load", "load takes %s: sampling every %s would see nothing of it", length, s.SampleInterval)
	case length < s.SampleInterval.D():
		return found("$.sample_interval", "load takes %s: sampling every %s would see nothing of it", length, s.SampleInterval)
	case stop.D() > length:
		return found("$.server.stop_after", "stop_after %s is after the end of the load (%s)", stop, length)
	}
	return nil
}

func (p Phase) check(path string) *finding {
	kinds := 0
	for _, set := range []bool{p.Rate > 0, p.Burst != 0, p.Pause > 0} {
		if set {
			kinds++
		}
	}
	switch {
	case kinds == 0:
		return found(path, "a phase has one of rate, burst and pause, and it is above 0")
	case kinds > 1:
		return found(path, "a phase has just one of rate, burst and pause")
	case p.Rate > 0 && p.For == 0:
		return found(path+".rate", "rate needs for: how long it is kept, such as 30s")
	case p.Rate == 0 && (p.For != 0 || p.JitterRequests != 0):
		return found(path, "for and jitter_requests belong to a rate")
	case p.JitterRequests < 0 || p.JitterRequests > maxBurst:
		return found(path+".jitter_requests", "jitter_requests %d is not between 0 and %d", p.JitterRequests, maxBurst)
	case p.Rate > 0 && p.moments() == 0:
		return found(path+".for", "%s at %v a second is not one request", p.For, p.Rate)
	case p.Burst < 0 || p.Burst > maxBurst:
		return found(path+".burst", "burst %d is not between 1 and %d", p.Burst, maxBurst)
	case p.Repeat < 0 || p.Repeat > maxBurst:
		return found(path+".repeat", "repeat %d is not between 1 and %d", p.Repeat, maxBurst)
	case p.Burst == 0 && (p.Repeat != 0 || p.Every != 0):
		return found(path, "repeat and every belong to a burst")
	case p.Repeat > 1 && p.Every == 0:
		return found(path+".repeat", "a burst that is repeated needs every: the time between two, such as 500ms")
	}
	return nil
}

func (s Script) checkExpect() *finding {
	switch {
	case len(s.Expect.Faulty) == 0:
		return found("$.expect.faulty", "expect.faulty is empty: say what the faulty side must show")
	case len(s.Expect.Fixed) == 0:
		return found("$.expect.fixed", "expect.fixed is empty: say what the fixed side must show")
	}
	if f := s.checkGo(); f != nil {
		return f
	}
	for _, side := range Sides() {
		for i, e := range s.Expect.Of(side) {
			if f := s.checkServerOf(e, fmt.Sprintf("$.expect.%s[%d]", side, i)); f != nil {
				return f
			}
			if e.ofKernel() && s.Requires != Namespace {
				return found(fmt.Sprintf("$.expect.%s[%d]", side, i), "the kernel's counters are the whole machine's: %s needs a line requires: namespace", e)
			}
		}
	}
	return nil
}

// checkServerOf refuses an expectation of a server that is not there.
func (s Script) checkServerOf(e Expectation, path string) *finding {
	for _, name := range []string{e.Metric, e.Other} {
		rest, ok := strings.CutPrefix(name, metric.ServersPrefix)
		if !ok {
			continue
		}
		server, _, _ := strings.Cut(rest, ".")
		if len(s.Upstreams) == 0 {
			return found(path, "%s: servers are counted one by one only where there are upstreams", name)
		}
		if !slices.ContainsFunc(s.Servers(), func(v Server) bool { return v.Name == server && !ProtocolOf(v).NameServer }) {
			return found(path, "%s: there is no server %q", name, server)
		}
	}
	return nil
}
