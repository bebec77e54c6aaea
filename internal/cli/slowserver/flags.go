package slowserver

import (
	"slices"

	"github.com/spf13/pflag"

	"socketlab/internal/scenario"
)

// AddFlags adds the flags of a server's keys, with a default each, and with prefix
// before their texts. The function that it returns makes a server of the flags, once
// they are parsed, or says which of them makes no sense.
func AddFlags(f *pflag.FlagSet, prefix string, defaults []scenario.Setting) (behaviour func(protocol string) (scenario.Server, error)) {
	values := map[*scenario.Key]func() any{}
	for _, def := range defaults {
		if value := addFlag(f, def.Key.FlagName(), prefix+def.Key.Usage(), def.Value); value != nil {
			values[def.Key] = value
		}
	}
	return func(protocol string) (scenario.Server, error) {
		b := scenario.Server{Name: scenario.FirstServer, Protocol: protocol}
		known := scenario.ProtocolOf(b).Keys
		for k, value := range values {
			// Defaults are for the protocols that know them; what is given is checked.
			if slices.Contains(known, k) || f.Changed(k.FlagName()) {
				b = b.With(scenario.Setting{Key: k, Value: value()})
			}
		}
		return b, b.CheckFlags()
	}
}

// addFlag adds a flag, and returns what gives its value; nil where no flag can hold
// it.
func addFlag(f *pflag.FlagSet, name, usage string, def any) func() any {
	switch def := def.(type) {
	case scenario.Duration:
		v := f.Duration(name, def.D(), usage)
		return func() any { return scenario.Duration(*v) }
	case int:
		v := f.Int(name, def, usage)
		return func() any { return *v }
	case bool:
		v := f.Bool(name, def, usage)
		return func() any { return *v }
	case string:
		v := f.String(name, def, usage)
		return func() any { return *v }
	case []string:
		v := f.StringSlice(name, def, usage)
		return func() any { return *v }
	}
	return nil
}
