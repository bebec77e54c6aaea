package kubelet_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/kubelet"
)

// Whatever a kubelet answers, its pods are read or it is said that these are none.
func FuzzPods(f *testing.F) {
	f.Add(pods)
	f.Add(`{"items":[{"metadata":{"uid":"a","labels":null}},{"metadata":{"uid":"a"},"status":{"containerStatuses":[{"containerID":"://"}]}}]}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, text string) {
		read, err := kubelet.Read(&http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(text)), Request: &http.Request{}})
		if err != nil {
			require.ErrorContains(t, err, "no list of pods")
			require.Nil(t, read)
			return
		}
		require.LessOrEqual(t, len(read), len(text))
		for _, p := range read {
			require.NotNil(t, p.Containers)
		}
	})
}

// Whatever a selector is, it is refused, or selects a pod with just its labels and none without.
func FuzzSelector(f *testing.F) {
	for _, text := range []string{"app=shop", "app==shop, tier", "a=b=c", "a=*", "app!=shop", "app in (a,b)", "", ",", "a=,a"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := kubelet.ParseSelector(text)
		if err != nil {
			require.Nil(t, s)
			return
		}
		require.NotEmpty(t, s)
		require.True(t, s.Selects(kubelet.Pod{Labels: s}))
		require.False(t, s.Selects(kubelet.Pod{}))
	})
}
