package recording

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"regexp"
	"strings"

	"socketlab/internal/series"
)

// Redactor takes out of events what says whose they are: addresses, names of hosts and
// processes, command lines and paths. The same text always becomes the same other text,
// so that who is who can still be followed. Numbers, states, ports, process ids and the
// names of runtimes stay. A text is replaced unless it is known to be harmless: what is
// new in a recording is redacted, too. The zero Redactor is ready to use. It is for one
// goroutine.
type Redactor struct {
	replaced map[string]string
	count    map[string]int
}

// harmless are the texts that stay, by their type and field.
var harmless = map[string]bool{
	"Header.Schema": true, "Header.Source": true, "Header.GoVersion": true,
	"Provenance.Version": true, "Provenance.System": true, "Provenance.Arch": true,
	"Identity.ID": true, "Identity.Parent": true, "Identity.Runtime": true, "Identity.RuntimeVersion": true,
	"Identity.Role": true, "Identity.Protocol": true, "Identity.Library": true, "Identity.Peer": true, "Identity.Namespace": true,
	"SubjectSample.ID": true, "SubjectFinal.ID": true, "Moment.EventSource": true,
	"Scenario.ID": true, "Scenario.Script": true, // of the catalogue, or written for a test
}

// Event returns an event without what is to be redacted. The event itself stays as it
// is.
func (r *Redactor) Event(e series.Event) (series.Event, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return series.Event{}, err
	}
	var own series.Event
	if err := json.Unmarshal(data, &own); err != nil {
		return series.Event{}, err
	}
	r.walk(reflect.ValueOf(&own).Elem(), "", "")
	return own, nil
}

// Redacted returns a recording without what is to be redacted, or the error of ctx when that is
// done before.
func (r *Recording) Redacted(ctx context.Context) (*Recording, error) {
	own := &Recording{Path: r.Path, Observation: &series.Observation{}}
	var redactor Redactor
	for _, e := range r.Events {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		e, err := redactor.Event(e)
		if err != nil {
			return nil, err
		}
		own.Events = append(own.Events, e)
		own.Observation.Add(e)
	}
	return own, nil
}

// walk redacts the texts in a value, which is of a field of a type.
func (r *Redactor) walk(v reflect.Value, of, field string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			r.walk(v.Elem(), of, field)
		}
	case reflect.Slice:
		for i := range v.Len() {
			r.walk(v.Index(i), of, field)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				r.walk(v.Field(i), v.Type().Name(), v.Type().Field(i).Name)
			}
		}
	case reflect.String:
		if v.String() != "" && !harmless[of+"."+field] {
			v.SetString(r.text(of+"."+field, v.String()))
		}
	}
}

var (
	// named is a process as subjects and listeners are called: "nginx (42)".
	named   = regexp.MustCompile(`^(.*) \((\d+)\)$`)
	hasPort = regexp.MustCompile(`^Connections to port \d+$`)
)

// text is what takes the place of a field's text.
func (r *Redactor) text(field, text string) string {
	switch field {
	case "Identity.Name", "Moment.Listeners":
		if m := named.FindStringSubmatch(text); m != nil {
			return r.other("process", m[1]) + " (" + m[2] + ")"
		}
		if ordinary[text] {
			return text
		}
		return r.other("process", text)
	case "Identity.Exe", "Target.Name":
		return r.other("process", text)
	case "Header.Title":
		if ordinary[text] || hasPort.MatchString(text) {
			return text
		}
	case "Ending.Stopped", "Final.Stopped":
		if ordinary[text] {
			return text
		}
	case "Endpoints.Server", "ConnCounts.RefusedAt":
		return r.addrPort(text)
	}
	_, name, _ := strings.Cut(field, ".")
	return r.other(strings.ToLower(name), text)
}

// ordinary are texts that programs of the lab write, and no user.
var ordinary = map[string]bool{
	"no process": true, "faulty": true, "fixed": true, "interrupted": true, "Processes under watch": true, "before": true, "after": true,
}

// other is the text that takes the place of another: the word and a number.
func (r *Redactor) other(word, text string) string {
	if r.replaced == nil {
		r.replaced, r.count = map[string]string{}, map[string]int{}
	}
	key := word + "\x00" + text
	if _, known := r.replaced[key]; !known {
		r.count[word]++
		r.replaced[key] = fmt.Sprintf("%s-%d", word, r.count[word])
	}
	return r.replaced[key]
}

// addrPort replaces an address by one that is for documentation (RFC 5737, RFC 3849).
// Loopback stays.
func (r *Redactor) addrPort(text string) string {
	at, err := netip.ParseAddrPort(text)
	switch {
	case err != nil:
		return r.other("server", text)
	case at.Addr().IsLoopback(), at.Addr().IsUnspecified():
		return text
	}
	n := strings.TrimPrefix(r.other("address", at.Addr().String()), "address-")
	if at.Addr().Is4() {
		return fmt.Sprintf("192.0.2.%s:%d", n, at.Port())
	}
	return fmt.Sprintf("[2001:db8::%s]:%d", n, at.Port())
}
