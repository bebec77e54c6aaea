package scenario

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Server is one server of a side. Beside what the lab itself looks at it has the
// keys of its protocol: [KeyOf.Of] reads them. Times are counted from the first
// connection that comes to the server, where nothing else is said.
//
// A Server is a value: its copies may be used by several goroutines.
type Server struct {
	// Name is what the metrics call the server: servers.NAME.requests. Default:
	// server for the first; an upstream has a name of its own.
	Name string `yaml:"name,omitempty"`
	// Protocol is what the server speaks. Default: http.
	Protocol string `yaml:"protocol,omitempty"`
	// StopAfter tells the server to stop this long after the load began.
	StopAfter Duration `yaml:"stop_after,omitempty"`

	// values holds what differs from the keys' defaults. It is never changed once
	// it is here.
	values map[string]any
}

// FirstServer is the name of a side's first server, if it has no other.
const FirstServer = "server"

// With returns the server with other values of some keys.
func (s Server) With(settings ...Setting) Server {
	values := map[string]any{}
	maps.Copy(values, s.values)
	for _, set := range settings {
		if values[set.Key.Name] = set.Value; reflect.DeepEqual(set.Value, set.Key.Default) {
			delete(values, set.Key.Name)
		}
	}
	if s.values = values; len(values) == 0 {
		s.values = nil
	}
	return s
}

// section is the type of a server as a script and an order have it: a struct with
// the fields of Server, and then a pointer for each key, nil where it is not set.
var section = sync.OnceValue(func() reflect.Type {
	var fields []reflect.StructField
	for i := range plainFields {
		f := reflect.TypeFor[Server]().Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		fields = append(fields, field(f.Name, name, f.Type))
	}
	for _, k := range Keys() {
		fields = append(fields, field(strings.ToUpper(k.Name), k.Name, reflect.PointerTo(k.kind)))
	}
	return reflect.StructOf(fields)
})

// plainFields is how many fields of Server are not keys of a protocol.
const plainFields = 3

func field(name, key string, t reflect.Type) reflect.StructField {
	tag := fmt.Sprintf(`yaml:"%[1]s,omitempty" json:"%[1]s,omitempty"`, key)
	return reflect.StructField{Name: name, Type: t, Tag: reflect.StructTag(tag)}
}

// UnmarshalYAML implements yaml.InterfaceUnmarshaler. What the section leaves out
// stays as it was.
func (s *Server) UnmarshalYAML(unmarshal func(any) error) error { return s.fill(unmarshal) }

// UnmarshalJSON implements json.Unmarshaler.
func (s *Server) UnmarshalJSON(data []byte) error {
	return s.fill(func(section any) error {
		in := json.NewDecoder(bytes.NewReader(data))
		in.DisallowUnknownFields()
		return in.Decode(section)
	})
}

func (s *Server) fill(unmarshal func(any) error) error {
	in := reflect.New(section())
	own := reflect.ValueOf(s).Elem()
	for i := range plainFields {
		in.Elem().Field(i).Set(own.Field(i))
	}
	if err := unmarshal(in.Interface()); err != nil {
		return err
	}
	for i := range plainFields {
		own.Field(i).Set(in.Elem().Field(i))
	}
	for i, k := range Keys() {
		if v := in.Elem().Field(plainFields + i); !v.IsNil() {
			*s = s.With(Setting{k, v.Elem().Interface()})
		}
	}
	return nil
}

// MarshalJSON implements json.Marshaler.
func (s Server) MarshalJSON() ([]byte, error) {
	out := map[string]any{"name": s.Name, "protocol": s.Protocol, "stop_after": s.StopAfter}
	maps.Copy(out, s.values)
	return json.Marshal(out)
}

// Servers are all servers of a side, the first one first.
func (s Script) Servers() []Server { return append([]Server{s.Server}, s.Upstreams...) }

// maxUpstreams is how many servers a side may have besides its first: they are all
// in one process.
const maxUpstreams = 8

func (s Script) checkServers() *finding {
	if len(s.Upstreams) > maxUpstreams {
		return found("$.upstreams", "%d upstreams are above the limit of %d", len(s.Upstreams), maxUpstreams)
	}
	var names, reserved []string
	for _, v := range s.Servers() {
		names = append(names, v.Name)
	}
	for _, p := range protocols {
		reserved = append(reserved, p.Reserved...)
	}
	for i, v := range s.Servers() {
		path := "$.server"
		if i > 0 {
			path = fmt.Sprintf("$.upstreams[%d]", i-1)
		}
		p := ProtocolOf(v)
		switch {
		case i > 0 && v.Name == "":
			return found(path, "an upstream has a name: the metrics call it servers.NAME.requests")
		case !idForm.MatchString(v.Name):
			return found(path+".name", "name %q is not lower-case words joined by hyphens", short(v.Name))
		case slices.Index(names, v.Name) != i:
			return found(path+".name", "there is another server with the name %q", short(v.Name))
		case slices.Contains(reserved, v.Name):
			return found(path+".name", "%q is something that a name server says: choose another name", v.Name)
		case i > 0 && v.StopAfter != 0:
			return found(path+".stop_after", "stop_after is for the first server: use down_after")
		case i == 0 && p.NameServer:
			return found(path+".protocol", "protocol %s is for an upstream, not for the first server: nobody sends it the load", p.Name)
		case p.Relays && (i > 0 || len(s.Upstreams) == 0):
			return found(path+".protocol", "protocol %s is for the first server, and needs upstreams", p.Name)
		}
		if f := v.check(s.Servers(), inScript); f != nil {
			return found(path+f.path, "%s", f.message)
		}
	}
	return nil
}

// CheckFlags says which value of a server makes no sense, in the words of a
// command line, or returns nil.
func (s Server) CheckFlags() error {
	if f := s.check([]Server{s}, onCommandLine); f != nil {
		return errors.New(f.message)
	}
	return nil
}

// check returns the first value that makes no sense, in the order of the keys, or
// nil. Its path begins below the server. word is what a message calls a key.
func (s Server) check(side []Server, word func(string) string) *finding {
	p := ProtocolOf(s)
	if p.Name == "" {
		return found(".protocol", "%s is %q: use one of %s", word("protocol"), short(s.Protocol), strings.Join(protocolNames(), ", "))
	}
	for _, k := range Keys() {
		value, ok := s.values[k.Name]
		if !ok {
			continue
		}
		path := "." + k.Name
		item, problem := k.check(value)
		switch {
		case problem != "" && item >= 0:
			return found(fmt.Sprintf("%s[%d]", path, item), "%s %s", word(k.Name), problem)
		case problem != "":
			return found(path, "%s %s", word(k.Name), problem)
		case !slices.Contains(p.Keys, k):
			return found(path, "%s is for %s %s", word(k.Name), word("protocol"), strings.Join(k.Speakers(), ", "))
		case k.Needs != "" && s.values[k.Needs] == nil:
			return found(path, "%s needs %s", word(k.Name), word(k.Needs))
		}
	}
	if p.Requires != "" && s.values[p.Requires] == nil {
		return found("", "%s %s needs %s", word("protocol"), p.Name, word(p.Requires))
	}
	if p.Check == nil {
		return nil
	}
	at, problem := p.Check(s, side)
	if problem == "" {
		return nil
	}
	return found("."+at, "%s %s", word(strings.FieldsFunc(at, func(r rune) bool { return r == '.' || r == '[' })[0]), problem)
}

func protocolNames() []string {
	var names []string
	for _, p := range protocols {
		names = append(names, p.Name)
	}
	return names
}
