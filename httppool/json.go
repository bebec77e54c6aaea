package httppool

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"runtime"
	"time"
)

// Schema is the value of "schema" in what [WriteJSON] writes.
const Schema = "httppool/v1"

type (
	jsonPools struct {
		Schema string     `json:"schema"`
		Pools  []jsonPool `json:"pools"`
	}
	jsonPool struct {
		Name        string           `json:"name,omitempty"`
		Time        time.Time        `json:"time"`
		Hosts       []jsonHost       `json:"hosts"`
		Connections []jsonConnection `json:"connections"`
		Requests    []jsonRequest    `json:"requests"`
	}
	jsonHost struct {
		Host          string           `json:"host"`
		Connections   map[State]int    `json:"connections"`
		Streams       int              `json:"streams"`
		Waiting       int              `json:"waiting"`
		LongestWaitMS float64          `json:"longest_wait_ms"`
		Opened        int64            `json:"opened"`
		Adopted       int64            `json:"adopted"`
		DialsFailed   int64            `json:"dials_failed"`
		Requests      int64            `json:"requests"`
		Closed        map[Reason]int64 `json:"closed"`
	}
	jsonConnection struct {
		Host      string  `json:"host"`
		Via       string  `json:"via,omitempty"`
		Local     string  `json:"local,omitempty"`
		Remote    string  `json:"remote,omitempty"`
		State     State   `json:"state"`
		StateMS   float64 `json:"state_ms"`
		AgeMS     float64 `json:"age_ms"`
		Uses      int     `json:"uses"`
		TLS       bool    `json:"tls"`
		HTTP2     bool    `json:"http2"`
		Streams   int     `json:"streams"`
		Upgraded  bool    `json:"upgraded,omitempty"`
		Unwrapped bool    `json:"unwrapped,omitempty"`
	}
	jsonRequest struct {
		Method    string       `json:"method"`
		URL       string       `json:"url"`
		Host      string       `json:"host"`
		State     RequestState `json:"state"`
		StateMS   float64      `json:"state_ms"`
		AgeMS     float64      `json:"age_ms"`
		WaitedMS  float64      `json:"waited_ms"`
		Dialling  bool         `json:"dialling"`
		Local     string       `json:"local,omitempty"`
		Reading   bool         `json:"reading"`
		ReadAgeMS *float64     `json:"read_age_ms,omitempty"` // absent where nothing was read
		Stack     []jsonFrame  `json:"stack,omitempty"`
	}
	jsonFrame struct {
		Function string `json:"function"`
		File     string `json:"file"`
		Line     int    `json:"line"`
	}
)

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
func fromMS(n float64) time.Duration {
	return time.Duration(math.Round(n*1000)) * time.Microsecond // 1.027 is a little less as a float64
}

// WriteJSON writes snapshots as an object with "schema" and "pools". Times are in milliseconds
// before the snapshot's.
func WriteJSON(w io.Writer, snapshots ...Snapshot) error {
	out := jsonPools{Schema: Schema, Pools: []jsonPool{}}
	for _, s := range snapshots {
		p := jsonPool{Name: s.Name, Time: s.Time, Hosts: []jsonHost{}, Connections: []jsonConnection{}, Requests: []jsonRequest{}}
		for _, h := range s.Hosts {
			p.Hosts = append(p.Hosts, jsonHost{
				h.Name, h.Connections, h.Streams, h.Waiting, ms(h.LongestWait),
				h.Opened, h.Adopted, h.DialsFailed, h.Requests, h.Closed,
			})
		}
		for _, c := range s.Connections {
			p.Connections = append(p.Connections, jsonConnection{
				c.Host, c.Via, c.Local, c.Remote, c.State, ms(s.Time.Sub(c.Since)), ms(s.Time.Sub(c.Dialled)),
				c.Uses, c.TLS, c.HTTP2, c.Streams, c.Upgraded, c.Unwrapped,
			})
		}
		for _, r := range s.Requests {
			p.Requests = append(p.Requests, r.json(s.Time))
		}
		out.Pools = append(out.Pools, p)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

func (r Request) json(now time.Time) jsonRequest {
	out := jsonRequest{
		Method: r.Method, URL: r.URL, Host: r.Host, State: r.State, StateMS: ms(now.Sub(r.Since)),
		AgeMS: ms(now.Sub(r.Started)), WaitedMS: ms(r.Waited), Dialling: r.Dialling, Local: r.Local, Reading: r.Reading,
	}
	if !r.Read.IsZero() {
		age := ms(now.Sub(r.Read))
		out.ReadAgeMS = &age
	}
	for _, f := range r.Stack {
		out.Stack = append(out.Stack, jsonFrame{f.Function, f.File, f.Line})
	}
	return out
}

// ReadJSON reads what [WriteJSON] wrote.
func ReadJSON(r io.Reader) ([]Snapshot, error) {
	var in jsonPools
	if err := json.NewDecoder(r).Decode(&in); err != nil {
		return nil, err
	}
	if in.Schema != Schema {
		return nil, fmt.Errorf("schema is %q, and not %q", in.Schema, Schema)
	}
	var all []Snapshot
	for _, p := range in.Pools {
		s := Snapshot{Name: p.Name, Time: p.Time}
		before := func(n float64) time.Time { return p.Time.Add(-fromMS(n)) }
		for _, h := range p.Hosts {
			s.Hosts = append(s.Hosts, Host{
				h.Host, h.Connections, h.Streams, h.Waiting, fromMS(h.LongestWaitMS),
				h.Opened, h.Adopted, h.DialsFailed, h.Requests, h.Closed,
			})
		}
		for _, c := range p.Connections {
			s.Connections = append(s.Connections, Connection{
				c.Host, c.Via, c.Local, c.Remote, c.State, before(c.StateMS), before(c.AgeMS),
				c.Uses, c.TLS, c.HTTP2, c.Streams, c.Upgraded, c.Unwrapped,
			})
		}
		for _, q := range p.Requests {
			out := Request{
				Method: q.Method, URL: q.URL, Host: q.Host, State: q.State, Since: before(q.StateMS), Started: before(q.AgeMS),
				Waited: fromMS(q.WaitedMS), Dialling: q.Dialling, Local: q.Local, Reading: q.Reading,
			}
			if q.ReadAgeMS != nil {
				out.Read = before(*q.ReadAgeMS)
			}
			for _, f := range q.Stack {
				out.Stack = append(out.Stack, runtime.Frame{Function: f.Function, File: f.File, Line: f.Line})
			}
			s.Requests = append(s.Requests, out)
		}
		all = append(all, s)
	}
	return all, nil
}
