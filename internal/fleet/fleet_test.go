package fleet_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/fleet"
	"socketlab/internal/verdict"
)

// page is what an exporter says of one process with so many sockets in CLOSE_WAIT.
func page(process string, sockets int, more string) string {
	return fmt.Sprintf(`socketlab_last_sample_timestamp_seconds %d
socketlab_unobserved_processes{reason="not_permitted"} 0
socketlab_sockets{end="client",peer_service="10.0.0.1:80",pid="7",process=%q,state="CLOSE_WAIT"} %d
socketlab_sockets{end="client",peer_service="10.0.0.2:80",pid="7",process=%q,state="TIME_WAIT"} 3
%s`, time.Now().Unix(), process, sockets, process, more)
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
}

func ask(t *testing.T, urls ...string) *fleet.Fleet {
	t.Helper()
	c := &fleet.Client{HTTP: http.DefaultClient}
	f, err := c.Exporters(t.Context(), urls)
	require.NoError(t, err)
	return f
}

func TestTheWorstComesFirst(t *testing.T) {
	t.Parallel()
	const who = `{pid="7",process=`
	f := ask(t,
		serve(t, says(page("healthy", 500, `socketlab_verdict_info{pid="7",process="healthy",kind="healthy",confidence="high"} 1`+"\n"))),
		serve(t, says(page("grows", 50, `socketlab_open_sockets_growth_per_second`+who+`"grows"} 2.5`+"\n"))),
		serve(t, says(page("leaks", 5, `socketlab_verdict_info{pid="7",process="leaks",kind="close-wait-leak",severity="leak",confidence="high"} 1
socketlab_exhaustion_seconds{pid="7",process="leaks",resource="descriptors"} 90
socketlab_exhaustion_seconds{pid="7",process="leaks",resource="ports"} +Inf
`))),
	)
	list := f.Processes()
	require.Len(t, list, 3)
	require.Equal(t, []string{"leaks", "grows", "healthy"}, []string{list[0].Name, list[1].Name, list[2].Name})
	require.Equal(t, verdict.Leak, list[0].Verdict.Severity)
	require.Equal(t, "descriptors", list[0].Exhausts)
	require.Equal(t, 90*time.Second, list[0].Left)
	require.InDelta(t, 2.5, list[1].PerSecond, 0)
	open, conclusive := f.Open()
	require.True(t, conclusive)
	require.Equal(t, 555, open, "TIME_WAIT is not open")
}

func TestWithoutOneNodeThereIsNoSum(t *testing.T) {
	t.Parallel()
	good := serve(t, says(page("a", 120, "")))
	old := serve(t, says("socketlab_last_sample_timestamp_seconds 1000\n"+`socketlab_sockets{pid="7",process="p",state="ESTABLISHED"} 9`+"\n"))
	for name, test := range map[string]struct{ url, why string }{
		"refused": {"http://127.0.0.1:1/metrics", "connection refused"},
		"an error": {serve(t, func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "no netlink", http.StatusInternalServerError)
		}), "500 Internal Server Error: no netlink"},
		"no metrics":   {serve(t, says("<html>")), "error"},
		"another page": {serve(t, says("go_goroutines 5\n")), "no exporter of sockwatch"},
		"an old count": {old, "old"},
	} {
		f := ask(t, good, test.url)
		_, conclusive := f.Open()
		require.False(t, conclusive, name)
		require.Equal(t, 1, f.Missing(), name)
		require.Contains(t, f.Nodes[1].Silent, test.why, name)
		require.Empty(t, f.Nodes[1].Processes, name)
	}
	f := ask(t, good)
	f.Expected = 2
	_, conclusive := f.Open()
	require.False(t, conclusive, "one is expected that no source names")
	_, conclusive = (&fleet.Fleet{}).Open()
	require.False(t, conclusive)
}

// A number that cannot be makes its node silent, and nothing of it is in a sum.
func TestNumbersThatCannotBe(t *testing.T) {
	t.Parallel()
	good := serve(t, says(page("a", 120, "")))
	now := time.Now().Unix()
	for _, test := range []struct{ says, why string }{
		{`socketlab_open_sockets_growth_per_second{process="p"} NaN`, "socketlab_open_sockets_growth_per_second is NaN, which cannot be"},
		{`socketlab_open_sockets_growth_per_second{process="p"} +Inf`, "growth_per_second is +Inf"},
		{`socketlab_open_sockets_growth_per_second{process="p"} -1e300`, "growth_per_second is -1e+300"},
		{`socketlab_sockets{process="p",state="ESTABLISHED"} NaN`, "socketlab_sockets is NaN"},
		{`socketlab_sockets{process="p",state="ESTABLISHED"} -3`, "socketlab_sockets is -3"},
		{`socketlab_sockets{process="p",state="ESTABLISHED"} 1.9`, "socketlab_sockets is 1.9"},
		{`socketlab_sockets{process="p",state="ESTABLISHED"} 5000000000`, "socketlab_sockets is 5000000000"},
		{`socketlab_sockets{process="p",state="ESTABLISHED"} 2147483600`, "socketlab_sockets are 2147483723 in all"},
		{"# TYPE socketlab_sockets histogram\n" + `socketlab_sockets_count{process="p",state="ESTABLISHED"} 5`, "socketlab_sockets is NaN"},
		{`socketlab_unobserved_processes{reason="a"} -5` + "\n" + `socketlab_unobserved_processes{reason="b"} 5`, "socketlab_unobserved_processes is -5"},
		{`socketlab_unobserved_processes{reason="a"} NaN`, "socketlab_unobserved_processes is NaN"},
		{`socketlab_unobserved_processes{reason="a"} 4194305`, "socketlab_unobserved_processes is 4194305"},
		{`socketlab_exhaustion_seconds{process="p",resource="ports"} NaN`, "socketlab_exhaustion_seconds is NaN"},
		{`socketlab_exhaustion_seconds{process="p",resource="ports"} -1e300`, "socketlab_exhaustion_seconds is -1e+300"},
		{`socketlab_exhaustion_seconds{process="p",resource="ports"} -Inf`, "socketlab_exhaustion_seconds is -Inf"},
		{`socketlab_verdict_info{process="p",kind="close-wait-leak",severity="leak"} NaN`, "socketlab_verdict_info is NaN"},
		{`socketlab_verdict_info{process="p",kind="close-wait-leak",severity="leak"} 2`, "socketlab_verdict_info is 2"},
		{`socketlab_last_sample_timestamp_seconds NaN`, "socketlab_last_sample_timestamp_seconds is NaN, which"},
		{`socketlab_last_sample_timestamp_seconds +Inf`, "socketlab_last_sample_timestamp_seconds is +Inf, which"},
		{`socketlab_last_sample_timestamp_seconds -1e300`, "socketlab_last_sample_timestamp_seconds is -1e+300, which"},
		{`socketlab_last_sample_timestamp_seconds 9000000000`, "socketlab_last_sample_timestamp_seconds is 9000000000, in the future"},
		{fmt.Sprint("socketlab_last_sample_timestamp_seconds ", now+3600), "in the future by the clock here"},
	} {
		answer := page("p", 120, test.says+"\n")
		if strings.HasPrefix(test.says, "# TYPE") { // it must come first
			answer = fmt.Sprintf("socketlab_last_sample_timestamp_seconds %d\n%s\n", now, test.says)
		}
		f := ask(t, good, serve(t, says(answer)))
		require.Contains(t, f.Nodes[1].Silent, test.why)
		require.Empty(t, f.Nodes[1].Processes, test.says)
		require.Zero(t, f.Unobserved(), test.says)
		open, conclusive := f.Open()
		require.Equal(t, 120, open, test.says)
		require.False(t, conclusive, test.says)
	}
	// These can be: fewer sockets than before, a clock that is a little ahead, and no fault.
	f := ask(t, serve(t, says(fmt.Sprintf(`socketlab_last_sample_timestamp_seconds %d
socketlab_sockets{pid="7",process="p",state="ESTABLISHED"} 2147483647
socketlab_open_sockets_growth_per_second{pid="7",process="p"} -2.5
socketlab_exhaustion_seconds{pid="7",process="p",resource="ports"} +Inf
socketlab_verdict_info{pid="7",process="p",kind="close-wait-leak",severity="leak",confidence="high"} 0
`, now+30))))
	require.Empty(t, f.Nodes[0].Silent)
	p := f.Nodes[0].Processes[0]
	require.Equal(t, 2147483647, p.Open())
	require.InDelta(t, -2.5, p.PerSecond, 0)
	require.Empty(t, p.Exhausts)
	require.Equal(t, verdict.Verdict{}, p.Verdict, "a verdict of 0 is not in force")
}

func TestPasswordsAreSent(t *testing.T) {
	t.Parallel()
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "me" || password != "secret" {
			http.Error(w, "Unauthorized", http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, page("a", 1, ""))
	})
	require.Contains(t, ask(t, at).Nodes[0].Silent, "401")
	c := &fleet.Client{HTTP: http.DefaultClient, User: "me", Password: "secret"}
	f, err := c.Exporters(t.Context(), []string{at})
	require.NoError(t, err)
	require.Empty(t, f.Nodes[0].Silent)
}

func TestPrometheusSaysWhoIsDown(t *testing.T) {
	t.Parallel()
	type series struct {
		Metric map[string]string `json:"metric"`
		Value  [2]any            `json:"value"`
	}
	now := float64(time.Now().Unix())
	of := func(value string, labels ...string) series {
		s := series{Metric: map[string]string{"job": "sockwatch"}, Value: [2]any{now, value}}
		for i := 0; i < len(labels); i += 2 {
			s.Metric[labels[i]] = labels[i+1]
		}
		return s
	}
	list := []series{
		of("1", "__name__", "up", "instance", "a:1"), of("0", "__name__", "up", "instance", "b:1"),
		of(fmt.Sprint(now), "__name__", "socketlab_last_sample_timestamp_seconds", "instance", "a:1"),
		of("2", "__name__", "socketlab_unobserved_processes", "instance", "a:1", "reason", "not_permitted"),
		of("120", "__name__", "socketlab_sockets", "instance", "a:1", "process", "p", "pid", "7", "state", "CLOSE_WAIT"),
	}
	var asked url.Values
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Query()
		_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": map[string]any{"resultType": "vector", "result": list}})
	})
	c := &fleet.Client{HTTP: http.DefaultClient}
	f, err := c.Prometheus(t.Context(), at+"/", "sockwatch")
	require.NoError(t, err)
	require.Contains(t, asked.Get("query"), `job="sockwatch"`)
	require.Len(t, f.Nodes, 2)
	require.Equal(t, "Prometheus cannot scrape it", f.Nodes[1].Silent)
	require.Equal(t, 2, f.Unobserved())
	require.Equal(t, 120, f.Nodes[0].Processes[0].Sockets["CLOSE_WAIT"])
	_, conclusive := f.Open()
	require.False(t, conclusive)

	list = nil
	_, err = c.Prometheus(t.Context(), at, "other")
	require.ErrorContains(t, err, `no targets of a job "other"`)
}

// What is not as a Prometheus or an exporter answers is said in plain words.
func TestAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		`[]`:                                "not as a Prometheus does",
		`<p>`:                               "not as a Prometheus does",
		`{`:                                 "its answer broke off",
		`{"status":"error","error":"busy"}`: "busy",
		`{"status":"success","data":{"result":[{"metric":{}}]}}`:                      "a series of it has no value",
		`{"status":"success","data":{"result":[{"metric":{},"values":[]}]}}`:          "a series of it has no value",
		`{"status":"success","data":{"result":[{"metric":{},"value":["now",true]}]}}`: "is no time with a value",
	} {
		at := serve(t, says(answer))
		_, err := (&fleet.Client{HTTP: http.DefaultClient}).Prometheus(t.Context(), at, "sockwatch")
		require.ErrorContains(t, err, want, answer)
		require.NotContains(t, err.Error(), "query=")
		require.NotContains(t, err.Error(), "Go value")
	}
	_, err := (&fleet.Client{HTTP: http.DefaultClient}).Prometheus(t.Context(), "http://127.0.0.1:1", "sockwatch")
	require.ErrorContains(t, err, "ask Prometheus at http://127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused")
	require.NotContains(t, err.Error(), "query=")
	slow := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	f, err := (&fleet.Client{HTTP: &http.Client{Timeout: 100 * time.Millisecond}}).Exporters(t.Context(), []string{slow})
	require.NoError(t, err)
	require.Equal(t, "no answer in time", f.Nodes[0].Silent)
	cut := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "# HELP ")
	})
	f, err = (&fleet.Client{HTTP: http.DefaultClient}).Exporters(t.Context(), []string{cut})
	require.NoError(t, err)
	require.Equal(t, "its answer broke off", f.Nodes[0].Silent)
}

// What an exporter says without an end, or to no end, takes no memory without an end.
func TestALongAnswerIsNotReadOn(t *testing.T) {
	t.Parallel()
	counted := fmt.Sprintf("socketlab_last_sample_timestamp_seconds %d\n", time.Now().Unix())
	const tooMuch = "it says more than is kept of one node: lower the --max-processes of its exporter"
	var processes, states, reasons strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&processes, "socketlab_sockets{process=\"%d\",state=\"ESTABLISHED\"} 1\n", i)
		fmt.Fprintf(&states, "socketlab_sockets{process=\"p\",state=\"%d\"} 1\n", i)
		fmt.Fprintf(&reasons, "socketlab_unobserved_processes{reason=\"%d\"} 1\n", i)
	}
	for name, test := range map[string]struct{ piece, encoding, why string }{
		"one line":   {strings.Repeat("x", 1<<20), "", "its answer has a line of more than 16 kB"},
		"many lines": {strings.Repeat("a 1\n", 1<<18), "", "its answer is too long: more than 8 MB"},
		"a bomb":     {squeezed(t, bytes.Repeat([]byte("a 1\n"), 10<<20)), "gzip", "its answer is too long: more than 8 MB"},
		"processes":  {counted + processes.String(), "", tooMuch},
		"states":     {counted + states.String(), "", `it says socketlab_sockets in an unknown TCP state "0"`},
		"reasons":    {counted + reasons.String(), "", tooMuch},
		"a long name": {
			counted + fmt.Sprintf("socketlab_sockets{process=%q,state=\"ESTABLISHED\"} 1\n", strings.Repeat("x", 256)), "",
			"a label process of its socketlab_sockets has 256 bytes, and no name has more than 255",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent := make(chan int, 1)
			at := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if test.encoding != "" {
					w.Header().Set("Content-Encoding", test.encoding)
				}
				n := 0
				for n < 200<<20 {
					if _, err := io.WriteString(w, test.piece); err != nil {
						break
					}
					n += len(test.piece)
				}
				sent <- n
			})
			require.Equal(t, test.why, ask(t, at).Nodes[0].Silent)
			require.Less(t, <-sent, 100<<20)
		})
	}
}

// A thousand processes with series of their own and long names are kept, and an error of
// the text has the line of the answer and not of a piece of it.
func TestAnAnswerInPieces(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	lines := 1
	fmt.Fprintf(&b, "socketlab_last_sample_timestamp_seconds %d\n", time.Now().Unix())
	for i := range 1000 {
		who := fmt.Sprintf(`process="server",pid="%d",namespace="default-namespace",pod="orders-5d4f8c7b6-abcde",container="orders"`, 100_000+i)
		for _, state := range []string{"ESTABLISHED", "TIME_WAIT", "CLOSE_WAIT", "LISTEN", "FIN_WAIT2"} {
			fmt.Fprintf(&b, "socketlab_sockets{%s,state=%q} 1\n", who, state)
		}
		fmt.Fprintf(&b, "socketlab_verdict_info{%s,kind=\"response-body-leak\",severity=\"leak\",confidence=\"high\"} 1\n", who)
		fmt.Fprintf(&b, "socketlab_exhaustion_seconds{%s,resource=\"descriptors\"} 90\n", who)
		lines += 7
	}
	f := ask(t, serve(t, says(b.String())), serve(t, says(b.String()+"<html>\n")))
	require.Empty(t, f.Nodes[0].Silent)
	require.Len(t, f.Nodes[0].Processes, 1000)
	open, _ := f.Open()
	require.Equal(t, 3000, open)
	require.Contains(t, f.Nodes[1].Silent, fmt.Sprintf("in line %d:", lines+1))
}

// What is decompressed and read here ends in time, too, when the other end has said all: 2
// million samples take longer than this.
func TestReadingAnAnswerEndsInTime(t *testing.T) {
	t.Parallel()
	bomb := squeezed(t, bytes.Repeat([]byte("a 1\n"), 10<<20))
	at := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = io.WriteString(w, bomb)
	})
	f, err := (&fleet.Client{HTTP: &http.Client{Timeout: 50 * time.Millisecond}}).Exporters(t.Context(), []string{at})
	require.NoError(t, err)
	require.Contains(t, f.Nodes[0].Silent, "in time")
}

func squeezed(t *testing.T, text []byte) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(text)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.String()
}
