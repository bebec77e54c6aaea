package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/loadgen"
	"socketlab/internal/scenario"
	"socketlab/internal/server"
	"socketlab/internal/worker"
	"socketlab/internal/worker/netfault"
)

// here is a worker in this process, under orders. The lab's end of its input stays open to the end of
// the process: a worker whose lab is gone ends the process.
type here struct {
	orders  *json.Encoder
	answers *json.Decoder
	code    chan int
}

func startHere(t *testing.T, work func(in io.Reader, out io.Writer) int) *here {
	t.Helper()
	in, orders, err := os.Pipe()
	require.NoError(t, err)
	answers, out, err := os.Pipe()
	require.NoError(t, err)
	kept = append(kept, orders)
	r := &here{orders: json.NewEncoder(orders), answers: json.NewDecoder(answers), code: make(chan int, 1)}
	go func() {
		r.code <- work(in, out)
		out.Close()
	}()
	return r
}

var kept []*os.File

func (r *here) order(t *testing.T, order any) { t.Helper(); require.NoError(t, r.orders.Encode(order)) }

func (r *here) answer(t *testing.T) (a worker.Answer) {
	t.Helper()
	require.NoError(t, r.answers.Decode(&a))
	return a
}

func startServer(t *testing.T) *here {
	return startHere(t, func(in io.Reader, out io.Writer) int {
		return worker.Server(context.Background(), in, out, slog.New(slog.DiscardHandler), netfault.Changes{})
	})
}

func startClient(t *testing.T) *here {
	return startHere(t, func(in io.Reader, out io.Writer) int { return worker.Client(context.Background(), in, out) })
}

func TestOrderThatCannotBeFollowedIsAnError(t *testing.T) {
	plain := scenario.Server{Name: "server", Protocol: scenario.DefaultProtocol}
	for name, test := range map[string]struct {
		start func(*testing.T) *here
		order any
		want  string
	}{
		"client of a scenario that is not there": {startClient, worker.ClientOrder{Code: "no-such-scenario"}, `no code for scenario "no-such-scenario"`},
		"client without a scenario":              {startClient, worker.ClientOrder{}, "names the code"},
		"server of a scenario that is not there": {startServer, worker.ServerOrder{Listen: "127.0.0.1:0", Behaviour: plain, Code: "no-such-scenario"}, `no code for scenario "no-such-scenario"`},
		"server with a key that nobody knows":    {startServer, json.RawMessage(`{"Behaviour": {"protocol": "http", "colour": "blue"}}`), `unknown field "colour"`},
		"server with a value of another type":    {startServer, json.RawMessage(`{"Behaviour": {"protocol": "http", "workers": "many"}}`), "workers"},
		"server of an unknown protocol":          {startServer, worker.ServerOrder{Listen: "127.0.0.1:0", Behaviour: scenario.Server{Protocol: "smtp"}}, `protocol "smtp" is unknown`},
		"server at an address of nobody's":       {startServer, worker.ServerOrder{Listen: "nowhere", Behaviour: plain}, "nowhere"},
		"name server without a name to give": {startServer, worker.ServerOrder{
			Listen: "127.0.0.1:0", Behaviour: plain, Upstreams: []scenario.Server{{Name: "names", Protocol: "dns"}},
		}, "something to resolve names to"},
		"something else": {startServer, "hello", "order on standard input"},
	} {
		t.Run(name, func(t *testing.T) {
			r := test.start(t)
			r.order(t, test.order)
			a := r.answer(t)
			for a.Error == "" { // a server says where it listens before it serves
				a = r.answer(t)
			}
			require.Contains(t, a.Error, test.want)
			require.Equal(t, 1, <-r.code)
		})
	}
}

// What an order says of a server is what it does.
func TestServersOfASideUnderOrders(t *testing.T) {
	r := startServer(t)
	r.order(t, worker.ServerOrder{
		Listen:    "127.0.0.1:0",
		Behaviour: scenario.Server{Name: "front", Protocol: "balancer"},
		Upstreams: []scenario.Server{
			scenario.Server{Name: "names", Protocol: "dns"}.With(server.ResolveKey.Is([]server.Resolve{{To: "b"}})),
			scenario.Server{Name: "a", Protocol: "http"}.With(server.StatusKey.Is(404)),
			scenario.Server{Name: "b", Protocol: "http"}.With(server.StatusKey.Is(405)),
		},
	})
	a := r.answer(t)
	require.NotEmpty(t, a.Listening)
	require.True(t, a.Endpoints.Relayed)
	require.Len(t, a.Endpoints.Upstreams, 2)
	for _, want := range []int{404, 405} {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Get("http://" + a.Listening)
		require.NoError(t, err)
		resp.Body.Close()
		require.Equal(t, want, resp.StatusCode)
	}
	r.order(t, worker.Report)
	served := r.answer(t)
	require.Equal(t, []string{"a", "b"}, served.Due, "the balancer spreads over both")
	require.EqualValues(t, 2, served.Served.Accepted)
	require.EqualValues(t, 1, served.Upstreams["b"].Answered)
	require.NotContains(t, served.Upstreams, "names")

	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", a.Endpoints.Names)
	}}
	_, records, err := resolver.LookupSRV(t.Context(), "", "", "shop.test.")
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(a.Endpoints.Upstreams["b"], fmt.Sprintf(":%d", records[0].Port)))
	r.order(t, worker.Report)
	require.Equal(t, []string{"b"}, r.answer(t).Due, "from the first query on the name server says which")
	r.order(t, worker.Stop)
	require.True(t, r.answer(t).Stopped)
	require.Equal(t, 0, <-r.code)
}

func TestClientUnderOrders(t *testing.T) {
	s := startServer(t)
	s.order(t, worker.ServerOrder{Listen: "127.0.0.1:0", Behaviour: scenario.Server{Name: "server", Protocol: "http"}})
	at := s.answer(t)
	c := startClient(t)
	c.order(t, worker.ClientOrder{
		Code: "transport-per-request", Side: scenario.Fixed, Target: loadgen.NewTarget(loadgen.At{Addr: at.Listening}, scenario.Client{}, 1),
		Arrivals: make([]time.Duration, 3),
	})
	require.True(t, c.answer(t).Ready)
	c.order(t, worker.Start)
	for {
		c.order(t, worker.Report)
		if report := c.answer(t).Report; report.Requests.OK == 3 {
			break
		}
	}
	c.order(t, worker.Finish)
	require.True(t, c.answer(t).Report.Final)
	require.Equal(t, 0, <-c.code)
	s.order(t, worker.Stop)
	require.True(t, s.answer(t).Stopped)
}
