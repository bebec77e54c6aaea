package scenario

import (
	"fmt"
	"go/version"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// GoRange is the versions of Go that something of a script holds for, such as
// ">= 1.27" or ">= 1.26, < 1.28": what net/http does with a connection is not the
// same in all of them. The zero GoRange holds for all.
type GoRange string

func (GoRange) form() string { return `versions of Go, such as ">= 1.27"` }

// UnmarshalYAML implements yaml.NodeUnmarshaler, to keep the place of a fault.
func (r *GoRange) UnmarshalYAML(node ast.Node) error {
	text, _ := scalar(node)
	parsed, err := ParseGoRange(text)
	if err != nil {
		return fault(node, "%s", err)
	}
	*r = parsed
	return nil
}

var goBound = regexp.MustCompile(`^(>=|<) ?(1\.\d+(?:\.\d+)?)$`)

// ParseGoRange reads a range: bounds with >= or <, joined by commas.
func ParseGoRange(text string) (GoRange, error) {
	var bounds []string
	for bound := range strings.SplitSeq(text, ",") {
		m := goBound.FindStringSubmatch(strings.TrimSpace(bound))
		if m == nil {
			return "", fmt.Errorf(`%q is not a range of Go versions: write ">= 1.27", "< 1.27", or both`, short(text))
		}
		bounds = append(bounds, m[1]+" "+m[2])
	}
	return GoRange(strings.Join(bounds, ", ")), nil
}

// release is what a toolchain's version begins with: more may follow, such as
// "X:nodwarf5" or "-devel_0123abc".
var release = regexp.MustCompile(`\bgo1(\.\d+)+(rc\d+|beta\d+)?`)

// Holds reports whether a version is in the range, given as runtime.Version has it.
// One that names no release is taken for newer than all.
func (r GoRange) Holds(goVersion string) bool {
	if r == "" {
		return true
	}
	v := release.FindString(goVersion)
	for bound := range strings.SplitSeq(string(r), ", ") {
		op, than, _ := strings.Cut(bound, " ")
		older := v != "" && version.Compare(v, "go"+than) < 0
		if older == (op == ">=") {
			return false
		}
	}
	return true
}

// ForGo returns the script as it is for a client built by a version of Go. What the
// script expects of other versions is in OtherGo then.
func (s Script) ForGo(goVersion string) Script {
	var other Expect
	s.Expect.Faulty, other.Faulty = forGo(s.Expect.Faulty, goVersion)
	s.Expect.Fixed, other.Fixed = forGo(s.Expect.Fixed, goVersion)
	s.OtherGo = &other
	var narration []NarrationLine
	for _, line := range s.Narration {
		if line.Go.Holds(goVersion) {
			narration = append(narration, line)
		}
	}
	s.Narration = narration
	return s
}

func forGo(all []Expectation, goVersion string) (holds, others []Expectation) {
	for _, e := range all {
		if e.Go.Holds(goVersion) {
			holds = append(holds, e)
		} else {
			others = append(others, e)
		}
	}
	return holds, others
}

// TellsApart reports whether the script expects something else of one version of Go
// than of another.
func (s Script) TellsApart(a, b string) bool {
	for _, side := range Sides() {
		for _, e := range s.Expect.Of(side) {
			if e.Go.Holds(a) != e.Go.Holds(b) {
				return true
			}
		}
	}
	return false
}

// checkGo sees to it that each side has something to show for every version of Go,
// its verdict first.
func (s Script) checkGo() *finding {
	for _, v := range s.goVersions() {
		for _, side := range Sides() {
			if mine, _ := forGo(s.Expect.Of(side), v); len(mine) == 0 {
				return found("$.expect."+string(side), "expect.%s says nothing of a client built by %s", side, v)
			}
		}
	}
	return nil
}

// goVersions are one version of Go for each different reading of the script: the
// bounds that it names, and one before all of them.
func (s Script) goVersions() []string {
	list := []string{"go1.0"}
	add := func(r GoRange) {
		for _, m := range regexp.MustCompile(`1(\.\d+)+`).FindAllString(string(r), -1) {
			list = append(list, "go"+m)
		}
	}
	for _, side := range Sides() {
		for _, e := range s.Expect.Of(side) {
			add(e.Go)
		}
	}
	return list
}
