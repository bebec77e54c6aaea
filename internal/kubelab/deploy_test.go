package kubelab

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"socketlab/scenarios"
)

// manifests are the objects of a stream of YAML.
func manifests(t *testing.T, text []byte) (list []map[string]any) {
	t.Helper()
	for in := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var o map[string]any
		err := in.Decode(&o)
		if errors.Is(err, io.EOF) {
			return list
		}
		require.NoError(t, err)
		list = append(list, o)
	}
}

// at follows a path of keys; nil where there is none.
func at(of any, path ...string) any {
	for _, key := range path {
		m, _ := of.(map[string]any)
		of = m[key]
	}
	return of
}

// requireRestricted holds a pod to what the Pod Security standard restricted asks.
func requireRestricted(t *testing.T, name any, pod any) {
	t.Helper()
	require.Equal(t, true, at(pod, "securityContext", "runAsNonRoot"), name)
	require.Equal(t, "RuntimeDefault", at(pod, "securityContext", "seccompProfile", "type"), name)
	require.Equal(t, false, at(pod, "automountServiceAccountToken"), name)
	for _, key := range []string{"hostPID", "hostNetwork", "hostIPC", "volumes"} {
		require.Nil(t, at(pod, key), name)
	}
	for _, c := range at(pod, "containers").([]any) {
		security := at(c, "securityContext")
		require.Equal(t, false, at(security, "allowPrivilegeEscalation"), name)
		require.Equal(t, []any{"ALL"}, at(security, "capabilities", "drop"), name)
		require.Nil(t, at(security, "capabilities", "add"), name)
		require.NotEmpty(t, at(c, "resources", "limits", "memory"), name)
	}
}

func TestEveryPodButTheExporterIsRestrictedAndBounded(t *testing.T) {
	t.Parallel()
	script, err := scenarios.Script("transport-per-request")
	require.NoError(t, err)
	run, err := Manifest{
		Name: "run", Namespace: "shop", Image: "i:1", Scenario: script, Speed: 10, Seed: 7, Clients: 50, Token: "t",
		Patience: time.Minute, Address: "10.0.0.1", Owner: "uid", Hub: true, Rest: true,
	}.Render()
	require.NoError(t, err)
	texts := map[string][]byte{"a run": run}
	if _, err := exec.LookPath("kubectl"); err != nil {
		t.Log("the files of deploy/kubernetes are not looked at: there is no kubectl")
	} else {
		for _, dir := range []string{"exporter/base", "exporter/overlays/fewer-rights", "lab/base", "lab/overlays/fifty-clients"} {
			out, err := exec.Command("kubectl", "kustomize", "../../deploy/kubernetes/"+dir).Output()
			require.NoError(t, err, dir)
			texts[dir] = out
		}
	}
	for of, text := range texts {
		policies := 0
		for _, o := range manifests(t, text) {
			name := at(o, "metadata", "name")
			switch at(o, "kind") {
			case "Job":
				require.EqualValues(t, 0, at(o, "spec", "backoffLimit"), name)
				require.NotZero(t, at(o, "spec", "activeDeadlineSeconds"), name)
				require.NotZero(t, at(o, "spec", "ttlSecondsAfterFinished"), name)
				requireRestricted(t, name, at(o, "spec", "template", "spec"))
			case "Deployment":
				requireRestricted(t, name, at(o, "spec", "template", "spec"))
			case "NetworkPolicy":
				policies++
			case "DaemonSet":
				require.True(t, strings.HasPrefix(of, "exporter/"))
				security := at(at(o, "spec", "template", "spec", "containers").([]any)[0], "securityContext")
				require.Equal(t, []any{"ALL"}, at(security, "capabilities", "drop"))
				require.Equal(t, of == "exporter/base", strings.Contains(string(text), "SYS_ADMIN"), of)
			}
		}
		require.NotZero(t, policies, of)
	}
}

func TestAScriptsTextReachesTheHubAsItIs(t *testing.T) {
	t.Parallel()
	script, err := scenarios.Script("transport-per-request")
	require.NoError(t, err)
	script.Text += "# a \"quote\", a colon: and $(HOME)\n\n  # indented\n"
	text, err := Manifest{Name: "run", Namespace: "shop", Image: "i:1", Scenario: script, Speed: 10, Clients: 1, Patience: time.Minute, Hub: true}.Render()
	require.NoError(t, err)
	job := manifests(t, text)[0]
	container := at(job, "spec", "template", "spec", "containers").([]any)[0]
	for _, e := range at(container, "env").([]any) {
		if at(e, "name") == EnvScript {
			require.Equal(t, strings.TrimRight(script.Text, "\n")+"\n", strings.ReplaceAll(at(e, "value").(string), "$$(", "$("))
			return
		}
	}
	require.Fail(t, "the hub has no script")
}
