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
	const hash, slices = "0123456789abcdef0123456789abcdef", "0::/kubepods.slice/kubepods-"
	uid, other := strings.ReplaceAll(pod, "-", "_"), strings.Repeat("f", 64)
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
		"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + uid + ".slice/cri-containerd-" + id + ".scope\n": "pod " + pod + ", containerd 0123456789ab",
		"0::/kubepods.slice/kubepods-pod" + uid + ".slice/crio-" + id + ".scope\n":                                              "pod " + pod + ", cri-o 0123456789ab",
		// Kubernetes: both drivers, each quality of service, static pods, drivers that differ.
		"0::/kubepods/besteffort/pod" + pod + "/" + id + "\n":                                               "pod " + pod + ", container 0123456789ab",
		"0::/kubepods/pod" + pod + "/crio-" + id + "\n":                                                     "pod " + pod + ", cri-o 0123456789ab",
		slices + "besteffort.slice/kubepods-besteffort-pod" + uid + ".slice/docker-" + id + ".scope":        "pod " + pod + ", docker 0123456789ab",
		slices + "burstable.slice/kubepods-burstable-pod" + hash + ".slice/cri-containerd-" + id + ".scope": "pod " + hash + ", containerd 0123456789ab",
		slices + "burstable.slice/kubepods-burstable-pod" + uid + ".slice/crio-" + id + ".scope/container":  "pod " + pod + ", cri-o 0123456789ab",
		slices + "burstable.slice/kubepods-burstable-pod" + uid + ".slice/crio-conmon-" + id + ".scope":     "pod " + pod,
		"0::/system.slice/containerd.service/kubepods-besteffort-pod" + uid + ".slice:cri-containerd:" + id: "pod " + pod + ", containerd 0123456789ab",
		// As a pod with a cgroup namespace of its own sees that of another.
		"0::/../../kubepods-besteffort.slice/kubepods-besteffort-pod" + uid + ".slice/cri-containerd-" + id + ".scope": "pod " + pod + ", containerd 0123456789ab",
		// A node that is itself a container, as of kind: the innermost is the process's.
		"0::/docker/" + other + "/kubelet/kubepods/burstable/pod" + pod + "/" + id:                                                                               "pod " + pod + ", container 0123456789ab",
		"0::/system.slice/docker-" + other + ".scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" + uid + ".slice/cri-containerd-" + id + ".scope": "pod " + pod + ", containerd 0123456789ab",
		// Without privilege, and in a unit of systemd.
		"0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + id + ".scope/container": "podman 0123456789ab",
		"0::/user.slice/user-1000.slice/user@1000.service/app.slice/docker-" + id + ".scope":            "docker 0123456789ab",
		"0::/system.slice/web.service/libpod-payload-" + id:                                             "podman 0123456789ab",
		"0::/system.slice/nerdctl-" + id + ".scope":                                                     "containerd 0123456789ab",
		"0::/machine.slice/machine-libpod_pod_" + other + ".slice/libpod-" + id + ".scope":              "podman 0123456789ab",
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
