package kubelet_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/kubelet"
	"socketlab/internal/socketstats"
)

// pods is what a kubelet of 1.36 answers, without the fields that are not used.
const pods = `{"kind":"PodList","apiVersion":"v1","items":[
 {"metadata":{"name":"shop-7d9","namespace":"prod","uid":"11111111-2222-3333-4444-555555555555","labels":{"app":"shop","tier":"web"}},
  "status":{"containerStatuses":[{"name":"main","containerID":"containerd://0123456789abcdef"}],"ephemeralContainerStatuses":[{"name":"debug","containerID":"containerd://feed"}]}},
 {"metadata":{"name":"etcd-node1","namespace":"kube-system","uid":"99999999-2222-3333-4444-555555555555","annotations":{"kubernetes.io/config.hash":"abcd"}},"status":{}}]}`

func TestAProcessOfAPodGetsItsName(t *testing.T) {
	t.Parallel()
	answer := pods
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/pods" || r.Header.Get("Authorization") != "Bearer let-me-in" {
			http.Error(w, "Unauthorized", http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(server.Close)
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("let-me-in\n"), 0o600))
	c, err := kubelet.New(kubelet.Options{URL: server.URL + "/", TokenFile: token, SkipVerify: true})
	require.NoError(t, err)
	_, known := c.Pod(socketstats.Cgroup{Pod: "11111111-2222-3333-4444-555555555555"})
	require.False(t, known, "it was not asked yet")
	require.NoError(t, c.Refresh(t.Context()))
	pod, known := c.Pod(socketstats.Cgroup{Pod: "11111111-2222-3333-4444-555555555555"})
	require.True(t, known)
	require.Equal(t, kubelet.Pod{
		Name: "shop-7d9", Namespace: "prod", Labels: map[string]string{"app": "shop", "tier": "web"},
		Containers: map[string]string{"0123456789abcdef": "main", "feed": "debug"},
	}, pod)
	static, known := c.Pod(socketstats.Cgroup{Pod: "abcd"})
	require.True(t, known, "the cgroup of a static pod has the hash of its file")
	require.Equal(t, "etcd-node1", static.Name)
	_, known = c.Pod(socketstats.Cgroup{})
	require.False(t, known)

	answer = "not JSON"
	require.ErrorContains(t, c.Refresh(t.Context()), "no list of pods")
	require.NoError(t, os.WriteFile(token, []byte("other"), 0o600))
	require.ErrorContains(t, c.Refresh(t.Context()), "401")
	_, known = c.Pod(socketstats.Cgroup{Pod: "11111111-2222-3333-4444-555555555555"})
	require.True(t, known, "what was known stays")

	checked, err := kubelet.New(kubelet.Options{URL: server.URL, TokenFile: token})
	require.NoError(t, err)
	require.ErrorContains(t, checked.Refresh(t.Context()), "certificate")
}

func TestTheTokenGoesNowhereElse(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirection was followed") }))
	t.Cleanup(other.Close)
	server := httptest.NewTLSServer(http.RedirectHandler(other.URL, http.StatusFound))
	t.Cleanup(server.Close)
	c, err := kubelet.New(kubelet.Options{URL: server.URL, SkipVerify: true})
	require.NoError(t, err)
	require.ErrorContains(t, c.Refresh(t.Context()), "302")
}

func TestASelectorNeedsAllOfItsLabels(t *testing.T) {
	t.Parallel()
	pod := kubelet.Pod{Labels: map[string]string{"app": "shop", "tier": "web"}}
	for text, selects := range map[string]bool{
		"app=shop": true, "app==shop": true, "app=shop,tier=web": true, "app=shop, tier": true, "app": true, "app=": false, "app=cart": false, "other": false, "app=shop,other=x": false,
	} {
		s, err := kubelet.ParseSelector(text)
		require.NoError(t, err)
		require.Equal(t, selects, s.Selects(pod), text)
	}
	for _, text := range []string{"", "=x", "app=shop,", "!app", "app in (a)"} {
		_, err := kubelet.ParseSelector(text)
		require.Error(t, err, text)
	}
}
