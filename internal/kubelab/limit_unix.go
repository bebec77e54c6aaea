//go:build unix

package kubelab

import "syscall"

// mostDescriptors is what a client may open in a pod. Runtimes of containers allow a million,
// and a share of that would be more than a node has memory for.
const mostDescriptors = 20000

// limitDescriptors lowers the limit of this process and of those that it starts. syscall's
// function is used because it has the Go runtime keep the limit in children.
func limitDescriptors() error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Cur, limit.Max = min(limit.Cur, mostDescriptors), min(limit.Max, mostDescriptors)
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}
