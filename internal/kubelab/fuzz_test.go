package kubelab

import (
	"bufio"
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
	"socketlab/internal/series"
)

// Whatever an agent says, what the hub makes of it and of what others say are events of the run,
// the moments in their order and the end at last.
func FuzzAgent(f *testing.F) {
	const sample = `"id":"faulty","client":{"counts":{"total":3,"ESTABLISHED":3}},"requests":{"sent":9,"errors":{"EOF":1}}`
	const ended = `{"Event":{"end":{"subjects":[{"id":"faulty"}]}}}`
	f.Add(`{"Ready":true}` + "\n" + `{"Event":{"header":{"subjects":[{"id":"faulty"}]}}}` + "\n" + `{"Event":{"moment":{"at_ns":1000000000,"subjects":[{` + sample + `}]}}}` + "\n" + `{"Sent":true}` + "\n" + ended)
	f.Add(`{"Event":{"moment":{"at_ns":9000000000000000000}}}` + "\n" + `{"Event":{"moment":{"at_ns":-1,"subjects":[{}]}}}` + "\n" + ended)
	f.Add(`{"Event":{"moment":{"subjects":[]}}}` + "\n" + `{"Error":"broken"}` + "\n")
	f.Fuzz(func(t *testing.T, said string) {
		var emitted []series.Event
		clients := []*part{{side: scenario.Faulty}, {side: scenario.Fixed}}
		m := newMerger(series.Cluster{Clients: 1}, clients, func(e series.Event) { emitted = append(emitted, e) })
		var log bytes.Buffer
		x := &hub{Hub: &Hub{}, out: &lines{to: &log}, merger: m, changed: make(chan struct{})}
		both := []series.Identity{{ID: string(scenario.Faulty)}, {ID: string(scenario.Fixed)}}
		moment := func(seconds int, ids ...scenario.Side) series.Event {
			e := series.Event{Moment: &series.Moment{At: time.Duration(seconds) * time.Second}}
			for _, id := range ids {
				e.Moment.Subjects = append(e.Moment.Subjects, series.SubjectSample{ID: string(id)})
			}
			return e
		}
		m.add(m.own, series.Event{Header: &series.Header{Interval: time.Second, Scenario: &series.Scenario{}, Subjects: both}})
		in := bufio.NewScanner(strings.NewReader(said))
		in.Buffer(nil, mostLine)
		count := 0
		for ; in.Scan(); count++ {
			if count < 3 {
				m.add(m.own, moment(count, scenario.Faulty, scenario.Fixed))
				m.add(clients[1], moment(count, scenario.Fixed))
			}
			var a answer
			if json.Unmarshal(in.Bytes(), &a) != nil || x.take(clients[0], a) != nil {
				break
			}
		}
		end := series.Event{End: &series.Ending{Subjects: []series.SubjectFinal{{}}}}
		m.add(clients[1], end)
		end.End.Subjects = append(end.End.Subjects, series.SubjectFinal{})
		m.add(m.own, end)
		m.finish("")
		require.LessOrEqual(t, len(emitted), 2+4+count)
		require.NotNil(t, emitted[0].Header)
		require.NotNil(t, emitted[len(emitted)-1].End)
	})
}
