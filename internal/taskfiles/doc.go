// Package taskfiles reads the descriptors of processes by an iterator of BPF
// (kernel/bpf/task_iter.c), for the privileged, on Linux from 6.1 on. A descriptor costs a
// tenth of what its link in /proc/PID/fd costs. To import it is enough: it is used where
// there are many descriptors.
package taskfiles
