package scenario

import (
	"fmt"
	"strconv"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// Duration is a time written as "20s" or "1m30s": a number without a unit is
// refused, because it would mean nanoseconds to Go and seconds to a reader.
type Duration time.Duration

// D returns the duration as the standard library's type.
func (d Duration) D() time.Duration { return time.Duration(d) }

// String returns the duration as it is written in a script.
func (d Duration) String() string { return time.Duration(d).String() }

func (Duration) form() string { return "a duration such as 20s" }

// maxDuration bounds every time in a script.
const maxDuration = time.Hour

// UnmarshalYAML implements yaml.NodeUnmarshaler, to keep the place of a fault.
func (d *Duration) UnmarshalYAML(node ast.Node) error {
	text, ok := scalar(node)
	if !ok {
		return fault(node, "this is not %s", d.form())
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return fault(node, "duration %q has no unit: write it like %[1]ss or %[1]sms", short(text))
	}
	v, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return fault(node, "%q is not a duration: write it like 20s, 500ms or 1m30s", short(text))
	case v < 0:
		return fault(node, "duration %s is negative", text)
	case v > maxDuration:
		return fault(node, "duration %s is longer than the %s a script may ask for", text, maxDuration)
	}
	*d = Duration(v)
	return nil
}

// Rate is a number of requests a second.
type Rate float64

func (Rate) form() string { return "a number of requests a second, such as 0.5" }

// maxRate bounds a load: above it one process cannot keep a schedule.
const maxRate = 5000

// UnmarshalYAML implements yaml.NodeUnmarshaler, to keep the place of a fault.
func (r *Rate) UnmarshalYAML(node ast.Node) error {
	text, ok := scalar(node)
	v, err := strconv.ParseFloat(text, 64)
	switch {
	case !ok:
		return fault(node, "this is not %s", r.form())
	case err != nil:
		return fault(node, "%q is not a rate: write the number of requests a second, such as 0.5", short(text))
	case !(v > 0): // also refuses NaN
		return fault(node, "rate %s is not above 0", short(text))
	case v > maxRate:
		return fault(node, "rate %s is above the limit of %d requests a second", short(text), maxRate)
	}
	*r = Rate(v)
	return nil
}

// scalar returns the text of a plain value.
func scalar(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	default:
		return "", false
	}
}

func isScalar(node ast.Node) bool {
	_, ok := scalar(node)
	return ok
}

// fault is an error at the place of node, in the library's own type so that
// the decoder passes it on with its place.
func fault(node ast.Node, format string, args ...any) error {
	return &yaml.SyntaxError{Message: fmt.Sprintf(format, args...), Token: firstToken(node)}
}
