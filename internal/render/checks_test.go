package render_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/expect"
	"socketlab/internal/render"
	"socketlab/internal/series"
)

func TestChecksAreOKIfAllWereMetToTheEnd(t *testing.T) {
	t.Parallel()
	o := &series.Observation{Duration: 2500 * time.Millisecond, Cost: series.Cost{Samples: 4}}
	met := render.Check{Outcome: expect.Outcome{Text: "at most 5 open connections", Met: true, Got: "3"}}
	missed := render.Check{Outcome: expect.Outcome{Text: "no growth", Got: "+2.0/s"}, Details: []string{"app (7): +2.0/s"}}
	skipped := render.Check{Outcome: expect.Outcome{Text: "no growth", Skipped: "3 samples"}}
	for _, test := range []struct {
		checks []render.Check
		failed error
		want   string
	}{
		{[]render.Check{met}, nil, `{"schema":"sockwatch.check/v2","ok":true,"checks":[{"text":"at most 5 open connections","met":true,"got":"3"}],"duration_ms":2500,"samples":4}`},
		{[]render.Check{met, missed}, nil, `{"schema":"sockwatch.check/v2","ok":false,"checks":[
			{"text":"at most 5 open connections","met":true,"got":"3"},{"text":"no growth","met":false,"got":"+2.0/s","details":["app (7): +2.0/s"]}
		],"duration_ms":2500,"samples":4}`},
		{[]render.Check{met, skipped}, nil, `{"schema":"sockwatch.check/v2","ok":true,"checks":[
			{"text":"at most 5 open connections","met":true,"got":"3"},{"text":"no growth","skipped":"3 samples"}
		],"duration_ms":2500,"samples":4}`},
		{[]render.Check{met}, errors.New("interrupted"), `{"schema":"sockwatch.check/v2","ok":false,"checks":[
			{"text":"at most 5 open connections","met":true,"got":"3"}
		],"failed":"interrupted","duration_ms":2500,"samples":4}`},
	} {
		d := render.Checked("app", o, test.checks, test.failed)
		data, err := json.Marshal(d.Data)
		require.NoError(t, err)
		require.JSONEq(t, test.want, string(data))
		require.Equal(t, "app: 4 samples in 2.5s", d.Title)
		require.Equal(t, "app", d.Checks[0].Group)
		last := d.Checks[len(d.Checks)-1]
		if test.failed != nil {
			require.Equal(t, "watched to the end: interrupted", last.Sentence())
			require.Equal(t, "ERROR", last.Label())
		}
		require.Len(t, d.Records, 1+len(d.Checks))
		require.Empty(t, test.checks[0].Group, "what was handed in is left as it is")
	}
}
