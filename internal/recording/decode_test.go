package recording

import (
	"encoding/json"
	"fmt"
	"testing"

	fastjson "github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"socketlab/internal/series"
)

// What is decoded, and how it is refused, is as with encoding/json.
func TestDecodeReadsWhatEncodingJSONReads(t *testing.T) {
	t.Parallel()
	const sample = `{"moment":{"at_ns":7,"took_ns":1,"subjects":[{"id":"a","client":{"counts":%s},"server":{"counts":{"total":0}}}]}}`
	lines := []string{
		`{}`, `null`, `[]`, `{"moment":null}`, `{"moment":{"at_ns":1500000000,"clock":"2026-11-28T23:50:22.897058502Z","subjects":null}}`,
		`{"moment":{"at_ns":1,"at_ns":2}}`, `{"moment":{"at_ns":1.5}}`, `{"moment":{"at_ns":1e3}}`, `{"moment":{"at_ns":"1"}}`, `{"moment":{"later":[1,{"a":2}]}}`,
		`{"moment":{"clock":"yesterday"}}`, `{"moment":{"at_ns":1}} x`, `{"moment":{"at_ns":1}`, "{\"moment\":{\"listeners\":[\"\xff\"]}}",
		`{"moment":{"subjects":[{"id":"a","client":{"activity":{"fresh":[1,2]}}}]}}`,
		`{"moment":{"subjects":[{"id":"a","client":{"activity":{"fresh":[1,2,3,4,5,6,7,8,9,10,11,12,13]}},"process":{"kinds":{"tcp":3},"cpu_ns":9}}]}}`,
		`{"end":{"duration_ns":5,"stopped":"enough","subjects":[{"id":"faulty","requests":{"sent":4,"errors":{"EOF":2}},"values":{"waiting":-1.5}}]}}`,
	}
	for _, counts := range []string{
		`{"ESTABLISHED":3,"CLOSE_WAIT":1,"total":4}`, `{}`, `null`, `{"total":-1}`, `{"total":1.5}`, `{"total":"1"}`, `{"total":99999999999999999999}`,
		`{"total":1,"total":2}`, `{"NO_STATE":1}`, `{"established":1}`, `{"total":{}}`, `{"total":null}`, `[]`, `3`, `"total"`,
	} {
		lines = append(lines, fmt.Sprintf(sample, counts))
	}
	for _, line := range lines {
		var want, got series.Event
		wantErr, err := json.Unmarshal([]byte(line), &want), decode([]byte(line), &got)
		require.Equal(t, wantErr, err, line)
		if err == nil {
			require.Equal(t, want, got, line)
		}
	}
	whole := fmt.Sprintf(sample, `{"ESTABLISHED":3,"CLOSE_WAIT":1,"total":4}`)
	require.NoError(t, fastjson.Unmarshal([]byte(whole), &series.Event{}, decoding), "what is as it was written is not decoded twice")
}
