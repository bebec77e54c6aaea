package render_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/observe"
	"socketlab/internal/render"
	"socketlab/internal/render/rendertest"
	"socketlab/internal/where"
)

func TestLinesThatHoldConnectionsAreShownInEveryFormat(t *testing.T) {
	t.Parallel()
	site := where.Site{Function: "example.com/shop/orders.Leak", File: "/home/me/shop/orders/leak.go", Line: 46}
	r := &where.Report{
		Source: "uprobes", LookedMS: 10000, Connections: 46,
		Groups: []where.Group{
			{Site: where.Site{Function: "main.wait"}, State: where.Queued, Requests: 3},
			{Site: site, State: where.BodyOpen, Pool: "net/http", Connections: 44, Uses: 50, OldestMS: 9000, Lasting: 30, Stack: []where.Site{{Function: "net/http.(*Client).Do"}, site}},
		},
		Unknown: []where.Unknown{{Connections: 2, Reason: "they were not used while it was looked at"}},
	}
	r.Sort()
	require.Equal(t, where.BodyOpen, r.Groups[0].State)
	require.Equal(t, 30, r.Lasting(where.BodyOpen))

	var w observe.Window
	for _, e := range rendertest.Watch(12, 1) {
		w.Add(e)
	}
	id := w.Subjects()[0].ID
	w.SetHolders(id, r)
	d := render.Diagnosis(render.Watched(&w))
	for format, says := range map[string][]string{
		"table": {
			"\n44          orders.Leak orders/leak.go:46: the response's body is not finished;\n            of net/http; used 50 times, 9s ago at the longest\n3 requests  main.wait: waiting for a connection of the pool\n", "net/http.(*Client).Do\n",
			"Learnt by uprobes in 10s: a line is known for 44 of 46 connections. No line is\nknown for 2 connections: they were not used while it was looked at.",
		},
		"markdown": {"orders/leak.go:46"},
		"html":     {"orders/leak.go:46", "net/http.(*Client).Do"},
		"csv":      {"holders.body-not-finished.orders.Leak leak.go:46,44,count"},
	} {
		for _, part := range says {
			require.Contains(t, written(t, format, d), part, format)
		}
	}
	var back struct {
		Subjects []struct{ Holders *where.Report }
	}
	require.NoError(t, json.Unmarshal([]byte(written(t, "json", d)), &back))
	require.Equal(t, r, back.Subjects[0].Holders)
}
