package observe

import (
	"os"
	"strings"

	"socketlab/internal/socketstats"
)

// followsChildren says that the children of processes can be followed here at little
// cost.
const followsChildren = true

// inContainer reports whether a process is in a container, by the beginning of its
// id, by its name, or by its host's name, which is the pod's in Kubernetes.
func (p *processes) inContainer(it *process) bool {
	c, name := p.cgroupOf(it), p.target.Container
	if c.ID == "" && c.Pod == "" {
		return false
	}
	const shortest = 4 // digits of an id
	if name == c.ID || name == c.Pod || (len(name) >= shortest && strings.HasPrefix(c.ID, name)) {
		return true
	}
	environment, err := os.ReadFile(socketstats.ProcDir(it.pid) + "/environ")
	return err == nil && strings.Contains("\x00"+string(environment), "\x00HOSTNAME="+name+"\x00")
}
