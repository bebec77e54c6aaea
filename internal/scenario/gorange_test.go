package scenario_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
)

func TestRangeOfGoVersions(t *testing.T) {
	t.Parallel()
	for text, in := range map[string]map[string]bool{
		">= 1.27": {
			"go1.26.9": false, "go1.27rc1": true, "go1.27.0": true, "go1.28.1": true, "go1.27.4 X:nodwarf5": true,
			"devel go1.26-0123abc": false, "devel +0123abc": true, "": true,
		},
		"< 1.27":          {"go1.26.9": true, "go1.27.4": false, "go1.9": true, "": false},
		">=1.26.9,< 1.28": {"go1.26.8": false, "go1.26.9": true, "go1.27.4": true, "go1.28": false},
	} {
		r, err := scenario.ParseGoRange(text)
		require.NoError(t, err)
		for version, want := range in {
			require.Equal(t, want, r.Holds(version), "%s: %q", text, version)
		}
	}
	for _, text := range []string{"", "1.27", "> 1.27", ">= go1.27", ">= 1", ">= 1.27 < 1.28", ">= 1.27,"} {
		_, err := scenario.ParseGoRange(text)
		require.ErrorContains(t, err, "is not a range of Go versions", text)
	}
	require.True(t, scenario.GoRange("").Holds("go1.2"))
}

const versioned = `
id: test
title: t
load: [{rate: 10, for: 3s}]
narration:
  - {at: 0s, say: For all}
  - {at: 1s, say: For the old, go: "< 1.27"}
  - {at: 1s, say: For the new, go: ">= 1.27"}
expect:
  faulty:
    - {verdict: connection-churn, go: "< 1.27"}
    - {metric: connections.opened <= 2, go: ">=1.27"}
    - requests.failed == 0
  fixed: [verdict: healthy]
`

func TestScriptForAVersionOfGo(t *testing.T) {
	t.Parallel()
	script, err := scenario.Parse("test", []byte(versioned), nil)
	require.NoError(t, err)
	texts := func(list []scenario.Expectation) (all []string) {
		for _, e := range list {
			all = append(all, e.String())
		}
		return all
	}
	for version, want := range map[string]struct {
		faulty, others []string
		told           string
	}{
		"go1.26.9": {[]string{"verdict == connection-churn", "requests.failed == 0"}, []string{"connections.opened <= 2"}, "For the old"},
		"go1.27.4": {[]string{"connections.opened <= 2", "requests.failed == 0"}, []string{"verdict == connection-churn"}, "For the new"},
	} {
		own := script.AtSpeed(2).ForGo(version)
		require.Equal(t, want.faulty, texts(own.Expect.Faulty))
		require.Equal(t, want.others, texts(own.OtherGo.Faulty))
		require.Equal(t, []string{"verdict == healthy"}, texts(own.Expect.Fixed))
		require.Empty(t, own.OtherGo.Fixed)
		require.Equal(t, "For all", own.Now(0))
		require.Equal(t, want.told, own.Now(1e9))
	}
	require.Equal(t, scenario.GoRange(">= 1.27"), script.Expect.Faulty[1].Go, "in one form however it was written")
}
