package kubectl

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever a cluster says of a pod, a container of it is chosen or it is said why not.
func FuzzPod(f *testing.F) {
	f.Add([]byte(`{"metadata":{"name":"shop"},"spec":{"containers":[{"name":"main","securityContext":{"runAsUser":7}}],"securityContext":{}},
"status":{"phase":"Running","containerStatuses":[{"name":"main","containerID":"containerd://0123456789abcdef","user":{"linux":{"uid":9}}}]}}`), "main")
	f.Add([]byte(`{"spec":{"hostPID":true,"containers":[{"name":"main"}]},"status":{"phase":"Running","containerStatuses":[{"name":"main","containerID":"x://"}]}}`), "")
	f.Add([]byte(`{"status":{"phase":"Pending"}}`), "other")
	f.Add([]byte(`{"status":{"phase":"Running"}}`), "")
	f.Fuzz(func(t *testing.T, text []byte, name string) {
		var p Pod
		if json.Unmarshal(text, &p) != nil {
			return
		}
		container, err := p.Container(name)
		if err != nil {
			require.ErrorContains(t, err, "pod "+p.Metadata.Name)
			return
		}
		require.NotEmpty(t, p.Spec.Containers)
		if name != "" {
			require.Equal(t, name, container)
		}
		require.Len(t, p.Target(container), 2)
		p.user(container)
	})
}

// Whatever kubectl writes when it fails, the error is a line of it, and what to try.
func FuzzExplain(f *testing.F) {
	f.Add("Error from server (NotFound): pods \"a\" not found\n", "shop")
	f.Add("E1128 memcache.go:265] \"Unhandled Error\"\r\nThe connection to the server localhost:8080 was refused - did you specify the right host or port?\n", "")
	f.Add("namespaces \"a\" not found", "a\x1b[31m")
	f.Fuzz(func(t *testing.T, said, namespace string) {
		err := Client{Namespace: namespace}.Explain("look", said, errFailed)
		var e *Error
		require.ErrorAs(t, err, &e)
		require.NotEmpty(t, e.Happened)
		require.NotContains(t, e.Happened, "\n")
		if e.Happened != errFailed.Error() {
			require.Contains(t, said, e.Happened)
		}
		require.Equal(t, Advice(said, namespace), e.Try)
	})
}

type failed struct{}

func (failed) Error() string { return "exit status 1" }

var errFailed = failed{}
