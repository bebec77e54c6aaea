package socketstats_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
)

func TestACgroupNamesTheContainer(t *testing.T) {
	t.Parallel()
	id := strings.Repeat("0123456789abcdef", 4)
	const pod = "12345678-1234-1234-1234-123456789abc"
	for text, want := range map[string]string{
		"0::/\n": "",
		"0::/system.slice/docker-" + id + ".scope\n":            "docker 0123456789ab",
		"12:memory:/docker/" + id + "\n0::/docker/" + id + "\n": "docker 0123456789ab",
		"0::/machine.slice/libpod-" + id + ".scope/container\n": "podman 0123456789ab",
		"0::/lxc.payload.web/system.slice/nginx.service\n":      "lxc web",
		"0::/machine.slice/machine-web.scope\n":                 "machine web",
		"0::/system.slice/nginx.service\n":                      "unit nginx.service",
		"0::/user.slice/user-1000.slice/session-3.scope\n":      "",
		"0::/kubepods/burstable/pod" + pod + "/" + id + "\n":    "pod " + pod + ", container 0123456789ab",
		"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + strings.ReplaceAll(pod, "-", "_") + ".slice/cri-containerd-" + id + ".scope\n": "pod " + pod + ", containerd 0123456789ab",
		"0::/kubepods.slice/kubepods-pod" + strings.ReplaceAll(pod, "-", "_") + ".slice/crio-" + id + ".scope\n":                                              "pod " + pod + ", cri-o 0123456789ab",
		"not a line of it": "",
	} {
		require.Equal(t, want, socketstats.ParseCgroup(text).String(), text)
	}
}

func TestAProcessIsWithinACgroup(t *testing.T) {
	t.Parallel()
	c := socketstats.ParseCgroup("4:memory:/app/one\n0::/system.slice/a.service\n")
	for path, want := range map[string]bool{
		"/system.slice": true, "/system.slice/": true, "/system.slice/a.service": true, "/system": false, "/system.slice/a.service/b": false, "/": true,
		"/sys/fs/cgroup/system.slice": true, "/sys/fs/cgroup/memory/app": true, "/sys/fs/cgroup/memory/other": false, "app": true,
	} {
		require.Equal(t, want, c.Within(path), path)
	}
}
