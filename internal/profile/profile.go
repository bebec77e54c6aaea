// Package profile holds what was measured of how a program treats its connections: a
// client, a server or a proxy. One table of questions says what is asked, in which unit,
// and how it is measured; a profile is a program and its answers.
package profile

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"socketlab/internal/scenario"
)

// Schema names the form of a profile's file.
const Schema = "socketlab/profile/1"

// Kind is the part that a program plays.
type Kind string

// The kinds.
const (
	Client Kind = "client"
	Server Kind = "server"
	Proxy  Kind = "proxy"
)

// Kinds are all kinds.
func Kinds() []Kind { return []Kind{Client, Server, Proxy} }

// Profile is a program and what was measured of it.
type Profile struct {
	// ID is the name of its file in the atlas, without its ending; "" outside it.
	ID   string
	Kind Kind
	// Name is what people call it, with the setting that was measured where there are
	// several: "node:http, global agent".
	Name string
	// Ecosystem is the language or family that it belongs to: node, python, c.
	Ecosystem string
	// Program is what Version is the version of.
	Program, Version string
	// Measured is the day, as 2006-01-02, and System the kernel and the architecture.
	Measured, System string
	// Command is what was run, in the folder Adapter of the atlas; "" is no folder.
	Command, Adapter string
	// Can is what a client's command can do beside reading whole answers:
	// sockwatch profile client --can.
	Can []string
	// IdleSetting names what sets its idle time, and BackendIdleSetting that of a proxy's
	// connections to its backend, as its documentation does; "" is not known.
	IdleSetting, BackendIdleSetting string
	// Values are the answers by the ID of their question. What was not measured is not
	// in it.
	Values map[string]Value

	// Seen are the single observations behind a value, such as the times of all runs, and
	// NotMeasured says why there is no value. Both are of the measurement alone: they are
	// not in the file.
	Seen        map[string][]string
	NotMeasured map[string]string
}

// Value returns the answer to a question, and whether there is one.
func (p *Profile) Value(id string) (Value, bool) {
	v, ok := p.Values[id]
	return v, ok
}

// Set enters the answer to a question, with the observations behind it. It replaces an
// earlier one.
func (p *Profile) Set(id string, v Value, seen ...string) {
	if p.Values == nil {
		p.Values, p.Seen = map[string]Value{}, map[string][]string{}
	}
	p.Values[id] = v
	if len(seen) > 0 {
		p.Seen[id] = seen
	}
	delete(p.NotMeasured, id)
}

// Miss says why a question has no answer.
func (p *Profile) Miss(id, why string) {
	if p.NotMeasured == nil {
		p.NotMeasured = map[string]string{}
	}
	p.NotMeasured[id] = why
}

// file is the form of a profile in YAML.
type file struct {
	Schema             string   `yaml:"schema"`
	ID                 string   `yaml:"id,omitempty"`
	Kind               Kind     `yaml:"kind"`
	Name               string   `yaml:"name"`
	Ecosystem          string   `yaml:"ecosystem,omitempty"`
	Program            string   `yaml:"program,omitempty"`
	Version            string   `yaml:"version,omitempty"`
	Measured           string   `yaml:"measured,omitempty"`
	System             string   `yaml:"system,omitempty"`
	Command            string   `yaml:"command,omitempty"`
	Adapter            string   `yaml:"adapter,omitempty"`
	Can                []string `yaml:"can,flow,omitempty"`
	IdleSetting        string   `yaml:"idle_setting,omitempty"`
	BackendIdleSetting string   `yaml:"backend_idle_setting,omitempty"`
	// Values keep the order of the table of questions when they are written.
	Values yaml.MapSlice `yaml:"values"`
}

var validID = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*$`)

// Parse reads a profile strictly: a key that does not exist, a question that its kind does
// not have and a value that is not of the question's unit are errors. name is that of the
// file, for them.
func Parse(name string, text []byte) (*Profile, error) {
	var f file
	if err := scenario.ReadYAML(name, text, "a profile", "schema, kind and values", &f); err != nil {
		return nil, err
	}
	wrong := func(format string, args ...any) (*Profile, error) {
		return nil, fmt.Errorf("%s: %s", name, fmt.Sprintf(format, args...))
	}
	switch {
	case f.Schema != Schema:
		return wrong("schema is %q, not %s", f.Schema, Schema)
	case !slices.Contains(Kinds(), f.Kind):
		return wrong("kind is %q: it is client, server or proxy", f.Kind)
	case f.ID != "" && !validID.MatchString(f.ID):
		return wrong("id %q: it has small letters, digits, points and hyphens", f.ID)
	}
	if f.Measured != "" {
		if _, err := time.Parse(time.DateOnly, f.Measured); err != nil {
			return wrong("measured is %q: write a day as 2006-01-02", f.Measured)
		}
	}
	p := &Profile{
		ID: f.ID, Kind: f.Kind, Name: f.Name, Ecosystem: f.Ecosystem, Program: f.Program, Version: f.Version,
		Measured: f.Measured, System: f.System, Command: f.Command, Adapter: f.Adapter, Can: f.Can,
		IdleSetting: f.IdleSetting, BackendIdleSetting: f.BackendIdleSetting,
	}
	for _, item := range f.Values {
		id := fmt.Sprint(item.Key)
		q, ok := Lookup(id)
		if !ok || !q.Of(f.Kind) {
			return wrong("values.%s: no question of a %s has this name; sockwatch profile --questions lists them", id, f.Kind)
		}
		switch item.Value.(type) {
		case nil:
			return wrong("values.%s has no value", id)
		case []any, map[string]any: // of aliases, as text they may be much more than the file
			return wrong("values.%s has several values: it is to have one", id)
		}
		v, err := q.Parse(fmt.Sprint(item.Value))
		if err != nil {
			return wrong("values.%s: %v", id, err)
		}
		p.Set(id, v)
	}
	return p, nil
}

// YAML writes the profile as a file that Parse reads, with its values in the order of
// the questions.
func (p *Profile) YAML() ([]byte, error) {
	f := file{
		Schema: Schema, ID: p.ID, Kind: p.Kind, Name: p.Name, Ecosystem: p.Ecosystem, Program: p.Program, Version: p.Version,
		Measured: p.Measured, System: p.System, Command: p.Command, Adapter: p.Adapter, Can: p.Can,
		IdleSetting: p.IdleSetting, BackendIdleSetting: p.BackendIdleSetting, Values: yaml.MapSlice{},
	}
	left := maps.Clone(p.Values)
	for _, q := range Questions(p.Kind) {
		if v, ok := p.Values[q.ID]; ok {
			f.Values = append(f.Values, yaml.MapItem{Key: q.ID, Value: v.plain()})
			delete(left, q.ID)
		}
	}
	if len(left) > 0 {
		return nil, fmt.Errorf("a %s has no question %s", p.Kind, strings.Join(slices.Sorted(maps.Keys(left)), ", "))
	}
	return yaml.Marshal(f)
}
