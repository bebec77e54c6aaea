package socketstats

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// Cgroup is where a process is among the control groups.
type Cgroup struct {
	// Paths are its paths, one for each hierarchy (man 7 cgroups).
	Paths []string
	// Runtime is the kind of container: "docker", "containerd", "cri-o", "podman",
	// "lxc", "machine" or just "container"; "" outside of containers. ID is the
	// container's id or, where it has none, its name.
	Runtime, ID string
	// Pod is the uid of the Kubernetes pod, and Unit the unit of systemd.
	Pod, Unit string
}

var (
	// The part before the colon is there where the kubelet names groups for systemd and containerd
	// does not: kubepods-podUID.slice:cri-containerd:ID is one folder then.
	containerID = regexp.MustCompile(`^(?:[^:]+\.slice:)?(?:(docker|cri-containerd|crio|libpod|libpod-payload|nerdctl)[-:])?([0-9a-f]{64})(?:\.scope)?$`)
	// The uid of a static pod is a hash.
	podUID = regexp.MustCompile(`pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?(?::|$)`)
	named  = regexp.MustCompile(`^(?:lxc\.payload\.(.+)|machine-(.+)\.scope)$`)
)

// runtimes are the names of container runtimes by what their cgroups begin with, and
// by the folder that they are in.
var runtimes = map[string]string{
	"docker": "docker", "cri-containerd": "containerd", "crio": "cri-o", "libpod": "podman", "libpod-payload": "podman", "libpod_parent": "podman",
	"nerdctl": "containerd", "lxc": "lxc",
}

// ParseCgroup reads the text of /proc/PID/cgroup.
func ParseCgroup(text string) Cgroup {
	var c Cgroup
	for line := range strings.Lines(text) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(f) != 3 {
			continue
		}
		path := strings.TrimSpace(f[2])
		if !slices.Contains(c.Paths, path) {
			c.Paths = append(c.Paths, path)
		}
		folder := ""
		for part := range strings.SplitSeq(path, "/") {
			if m := podUID.FindStringSubmatch(part); m != nil {
				c.Pod = strings.ReplaceAll(m[1], "_", "-")
			}
			if m := containerID.FindStringSubmatch(part); m != nil {
				c.Runtime, c.ID = cmp.Or(runtimes[m[1]], runtimes[folder], "container"), m[2]
			} else if m := named.FindStringSubmatch(part); m != nil {
				if c.Runtime, c.ID = "lxc", m[1]; m[1] == "" {
					c.Runtime, c.ID = "machine", m[2]
				}
			} else if folder == "lxc" && part != "" {
				c.Runtime, c.ID = "lxc", part
			}
			if strings.HasSuffix(part, ".service") {
				c.Unit = part
			}
			folder = part
		}
	}
	return c
}

// ShortID is the container's id as people write it: the first digits, or the whole name.
func (c Cgroup) ShortID() string {
	const shown = 12 // digits of an id, as docker ps has
	if containerID.MatchString(c.ID) {
		return c.ID[:shown]
	}
	return c.ID
}

// String writes the container, with its pod, or else the unit: "docker 0123456789ab",
// "unit nginx.service"; "" if there is neither.
func (c Cgroup) String() string {
	var parts []string
	if c.Pod != "" {
		parts = append(parts, "pod "+c.Pod)
	}
	if c.ID != "" {
		parts = append(parts, c.Runtime+" "+c.ShortID())
	}
	if len(parts) == 0 && c.Unit != "" {
		parts = append(parts, "unit "+c.Unit)
	}
	return strings.Join(parts, ", ")
}

// Within reports whether the process is in the control group at a path, or below. The
// path may begin with /sys/fs/cgroup, and then with the folder of a controller.
func (c Cgroup) Within(path string) bool {
	path, mounted := strings.CutPrefix(path, "/sys/fs/cgroup")
	path = "/" + strings.Trim(path, "/")
	below := func(path string) bool {
		return slices.ContainsFunc(c.Paths, func(p string) bool { return path == "/" || p == path || strings.HasPrefix(p, path+"/") })
	}
	if mounted {
		if _, rest, ok := strings.Cut(path[1:], "/"); ok && below("/"+rest) {
			return true
		}
	}
	return below(path)
}
