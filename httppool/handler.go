package httppool

import (
	"bytes"
	"cmp"
	"fmt"
	"html"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Handler shows pools: as JSON where the request has format=json or accepts application/json, as a
// page that loads itself again every two seconds where it has format=html or accepts text/html,
// else as text. Mount it at /debug/connections, where other tools look for it:
//
//	http.Handle("/debug/connections", httppool.Handler(pool))
//
// It shows the hosts that this program asks, and paths of its requests. As with net/http/pprof, do not
// serve it to everybody.
func Handler(pools ...*Pool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		var all []Snapshot
		for _, p := range pools {
			all = append(all, p.Snapshot())
		}
		var out bytes.Buffer
		kind, write := "text/plain; charset=utf-8", WriteText
		switch format(r) {
		case "json":
			kind, write = "application/json", WriteJSON
		case "html":
			kind, write = "text/html; charset=utf-8", writePage
		case "text":
		default:
			http.Error(w, "format is text, json or html", http.StatusBadRequest)
			return
		}
		if err := write(&out, all...); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Content-Type", kind)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
		_, _ = w.Write(out.Bytes()) // whoever asked is gone
	})
}

func format(r *http.Request) string {
	if asked := r.URL.Query().Get("format"); asked != "" {
		return asked
	}
	for accepted := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		switch kind, _, _ := strings.Cut(strings.TrimSpace(accepted), ";"); kind {
		case "application/json":
			return "json"
		case "text/html":
			return "html"
		}
	}
	return "text"
}

// table is a head and rows of cells, for the text and for the page.
type table struct {
	title string
	head  []string
	rows  [][]string
}

// WriteText writes snapshots for people.
func WriteText(w io.Writer, snapshots ...Snapshot) error {
	var out bytes.Buffer
	if len(snapshots) == 0 {
		out.WriteString("no pools\n")
	}
	for i, s := range snapshots {
		if i > 0 {
			out.WriteByte('\n')
		}
		fmt.Fprintf(&out, "%s\n", printable(s.headline()))
		for _, t := range s.tables() {
			fmt.Fprintf(&out, "\n%s\n", t.title)
			columns := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
			for _, row := range append([][]string{t.head}, t.rows...) {
				fmt.Fprintf(columns, "  %s\n", printable(strings.Join(row, "\t")))
			}
			if err := columns.Flush(); err != nil {
				return err
			}
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}

// printable leaves out what could change a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && (r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069) {
			return '\ufffd'
		}
		return r
	}, s)
}

func writePage(w io.Writer, snapshots ...Snapshot) error {
	var out bytes.Buffer
	out.WriteString(`<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="2">` +
		`<meta name="viewport" content="width=device-width"><title>connections</title>` +
		`<style>body{font:15px/1.5 system-ui,sans-serif;margin:2em;color-scheme:light dark}` +
		`h1{font-size:1.4em}h2{font-size:1em;margin:1.5em 0 .3em}div{overflow-x:auto}table{border-collapse:collapse}` +
		`th,td{padding:.15em 1em .15em 0;text-align:left;vertical-align:top;font-variant-numeric:tabular-nums;white-space:nowrap}` +
		`th{font-weight:600;border-bottom:1px solid}</style>`)
	if len(snapshots) == 0 {
		out.WriteString("<p>No pools.")
	}
	for _, s := range snapshots {
		fmt.Fprintf(&out, "<h1>%s</h1>", html.EscapeString(s.headline()))
		for _, t := range s.tables() {
			fmt.Fprintf(&out, "<h2>%s</h2><div><table><tr>", html.EscapeString(t.title))
			for _, cell := range t.head {
				fmt.Fprintf(&out, `<th scope="col">%s</th>`, html.EscapeString(cell))
			}
			for _, row := range t.rows {
				out.WriteString("<tr>")
				for _, cell := range row {
					fmt.Fprintf(&out, "<td>%s</td>", html.EscapeString(cell))
				}
			}
			out.WriteString("</table></div>")
		}
	}
	out.WriteString("</html>\n")
	_, err := w.Write(out.Bytes())
	return err
}

// String is one line: "in use 3 · idle 2 · waiting 14".
func (s Snapshot) String() string {
	var inUse, idle, waiting, other int
	for _, h := range s.Hosts {
		inUse += h.Connections[Active]
		idle += h.Connections[Idle]
		other += h.Connections[Dialling] + h.Connections[TLSHandshake]
		waiting += h.Waiting
	}
	line := fmt.Sprintf("in use %d · idle %d · waiting %d", inUse, idle, waiting)
	if other > 0 {
		line += fmt.Sprintf(" · dialling %d", other)
	}
	return line
}

func (s Snapshot) headline() string {
	return cmp.Or(s.Name, "connections") + ": " + s.String()
}

func (s Snapshot) tables() []table {
	hosts := table{"Hosts", []string{"host", "in use", "idle", "dialling", "TLS", "closing", "streams", "waiting", "longest wait", "opened", "failed dials", "requests", "closed by reason"}, nil}
	for _, h := range s.Hosts {
		var closed []string
		for _, why := range reasons {
			if n := h.Closed[why]; n > 0 {
				closed = append(closed, fmt.Sprintf("%s %d", why, n))
			}
		}
		hosts.rows = append(hosts.rows, []string{
			cmp.Or(h.Name, "(others)"), number(h.Connections[Active]), number(h.Connections[Idle]), number(h.Connections[Dialling]),
			number(h.Connections[TLSHandshake]), number(h.Connections[Closing]), number(h.Streams), number(h.Waiting), age(h.LongestWait),
			fmt.Sprint(h.Opened + h.Adopted), fmt.Sprint(h.DialsFailed), fmt.Sprint(h.Requests), cmp.Or(strings.Join(closed, ", "), "-"),
		})
	}
	all := []table{hosts}
	for _, state := range []struct {
		title string
		is    RequestState
	}{
		{"Requests that wait for a connection", RequestWaiting},
		{"Requests that wait for an HTTP/2 stream", RequestWaitingStream},
		{"Requests that wait for the response", RequestSent},
		{"Responses whose body is open", RequestBody},
	} {
		if t := s.requests(state.is); len(t.rows) > 0 {
			t.title = state.title
			all = append(all, t)
		}
	}
	if len(s.Connections) == 0 {
		return all
	}
	conns := table{"Connections", []string{"local", "host", "state", "for", "age", "used", "protocol", ""}, nil}
	for _, c := range s.Connections {
		protocol, more := "HTTP/1", ""
		if c.HTTP2 {
			protocol, more = "HTTP/2", fmt.Sprintf("%d streams", c.Streams)
		}
		if c.TLS {
			protocol += ", TLS"
		}
		if c.Via != "" {
			more = strings.TrimSpace(more + " via " + c.Via)
		}
		if c.Upgraded {
			more = strings.TrimSpace(more + " upgraded")
		}
		conns.rows = append(conns.rows, []string{
			cmp.Or(c.Local, "-"), c.Host, string(c.State), age(s.Time.Sub(c.Since)), age(s.Time.Sub(c.Dialled)), fmt.Sprint(c.Uses), protocol, more,
		})
	}
	return append(all, conns)
}

func number(n int) string { return fmt.Sprint(n) }

// age is a duration with as many digits as a reader can use.
func age(d time.Duration) string {
	switch {
	case d <= 0:
		return "0s"
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// requests are those in a state, grouped by who sent them.
func (s Snapshot) requests(state RequestState) table {
	type group struct {
		n       int
		oldest  time.Time
		example string
		at      string
		reading int
	}
	groups := map[string]*group{}
	for _, r := range s.Requests {
		if r.State != state {
			continue
		}
		at := "?"
		if f := r.Caller(); f.Function != "" {
			at = fmt.Sprintf("%s %s:%d", f.Function, path.Base(f.File), f.Line)
		}
		g := groups[at+r.Host]
		if g == nil {
			g = &group{oldest: r.Since, example: r.Method + " " + r.URL, at: at}
			groups[at+r.Host] = g
		}
		g.n++
		if r.Since.Before(g.oldest) {
			g.oldest = r.Since
		}
		if r.Reading {
			g.reading++
		}
	}
	t := table{head: []string{"requests", "longest", "sent by", "such as"}}
	if state == RequestBody {
		t.head = append(t.head, "being read")
	}
	sorted := make([]*group, 0, len(groups))
	for _, g := range groups {
		sorted = append(sorted, g)
	}
	slices.SortFunc(sorted, func(a, b *group) int { return cmp.Or(b.n-a.n, a.oldest.Compare(b.oldest), cmp.Compare(a.at, b.at)) })
	for _, g := range sorted {
		row := []string{number(g.n), age(s.Time.Sub(g.oldest)), g.at, g.example}
		if state == RequestBody {
			row = append(row, number(g.reading))
		}
		t.rows = append(t.rows, row)
	}
	return t
}
