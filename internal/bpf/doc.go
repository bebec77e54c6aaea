// Package bpf loads small programs of BPF and reads what they write, for Linux.
//
// It has what the programs of this repository need. A library for all of BPF
// (github.com/cilium/ebpf) makes sockwatch 1 MB larger, and opening a tracepoint ten
// times slower, because it decodes all of the kernel's types.
package bpf
