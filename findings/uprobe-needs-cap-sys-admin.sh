#!/usr/bin/env bash
# Linux 6.18 and CAP_PERFMON, with cilium/ebpf v0.22.0.
#
# Expected: a process with CAP_BPF and CAP_PERFMON may put a BPF program at a function of a
# program (uprobe), as it may at a tracepoint. capabilities(7) has CAP_PERFMON for it, the
# kernel has let it since 5.8 (perf_uprobe_event_init asked perfmon_capable), and that is
# what the tools' manuals say to give a container that looks into programs.
#
# Real behaviour: the program is loaded and runs at a tracepoint, and the uprobe is refused:
# EACCES. CAP_SYS_ADMIN alone is enough for both. The kernel asks for it since 2025, also in
# stable series, for uprobes only: one that is put into the middle of an instruction
# changes what the program does (kernel/events/core.c).
#
# Why it matters: a container with the least rights by the manual, which worked, finds nothing
# after an update of the node's kernel: connections are still counted, by the tracepoint, and
# no line of a program is named any more. Many tools say "permission denied" and not which
# capability is missing.
#
# Output seen (Linux 6.18.44, Go 1.26.9), three times:
#   CAP_BPF and CAP_PERFMON: tracepoint attached
#   CAP_BPF and CAP_PERFMON: uprobe permission denied
#   CAP_SYS_ADMIN alone: tracepoint attached
#   CAP_SYS_ADMIN alone: uprobe attached
#
# It needs root, setpriv (util-linux) and Go, and installs the module in a temporary folder. The
# probe is on a function of the program itself, which does nothing. It ends with 1 if the kernel
# behaves otherwise, as one from before that change does.
set -euo pipefail

dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'MOD'
module finding

go 1.24
MOD
cat >main.go <<'GO'
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
)

//go:noinline
func target() { fmt.Print() }

func load(kind ebpf.ProgramType) *ebpf.Program {
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: kind, License: "GPL", Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()},
	})
	if err != nil {
		fmt.Println("load:", err)
		os.Exit(1)
	}
	return program
}

func say(what string, l link.Link, err error) {
	switch {
	case err == nil:
		fmt.Println(os.Args[1]+":", what, "attached")
		_ = l.Close()
	case errors.Is(err, fs.ErrPermission):
		fmt.Println(os.Args[1]+":", what, "permission denied")
	default:
		fmt.Println(os.Args[1]+":", what, err)
	}
}

func main() {
	target()
	t, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: "inet_sock_set_state", Program: load(ebpf.RawTracepoint)})
	say("tracepoint", t, err)
	self, err := link.OpenExecutable("/proc/self/exe")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	u, err := self.Uprobe("main.target", load(ebpf.Kprobe), &link.UprobeOptions{PID: os.Getpid()})
	say("uprobe", u, err)
}
GO
export GOMODCACHE=$dir/modules GOFLAGS=-modcacherw
go get github.com/cilium/ebpf@v0.22.0 2>/dev/null
go build -o finding .
{
	setpriv --bounding-set=-all,+bpf,+perfmon ./finding "CAP_BPF and CAP_PERFMON"
	setpriv --bounding-set=-all,+sys_admin ./finding "CAP_SYS_ADMIN alone"
} | tee seen
diff - seen <<'SEEN'
CAP_BPF and CAP_PERFMON: tracepoint attached
CAP_BPF and CAP_PERFMON: uprobe permission denied
CAP_SYS_ADMIN alone: tracepoint attached
CAP_SYS_ADMIN alone: uprobe attached
SEEN
