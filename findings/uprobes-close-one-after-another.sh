#!/usr/bin/env bash
# Linux 6.18 uprobes, with cilium/ebpf v0.22.0.
#
# Expected: to take probes away from functions of a program (uprobes) costs about what it took
# to put them there. What the kernel has to wait for, that no processor is in the probe any
# more, is the same for all: it waits once, or many waits at the same time pass together. So
# who has 50 of them closes them in 50 threads, or just ends.
#
# Real behaviour: each wait is held under one lock of the tracing code (event_mutex), so they
# come one after another, whoever asks: closing 50 takes a hundred times as long as opening
# them, 50 threads are no faster than one, and a process that is killed with SIGKILL
# is gone only after the same time. The same 50 places in one link (uprobe_multi, since 6.6)
# close in one wait.
#
# Why it matters: a tool that looks into a program answers at once, and does not end for
# seconds; kill -9 does not help, and a supervisor that gives it two seconds reports a process
# that does not end. Nothing is slow in the program that was looked at.
#
# Output seen (Linux 6.18.44, Go 1.26.9), three times alike:
#   50 probes opened: 24 ms
#   closed one by one: 5326 ms
#   closed in 50 threads: 4513 ms
#   gone after SIGKILL: 6296 ms
#   closed as one link: 36 ms
#
# It needs root, Linux 6.6 or later and Go, and installs the module in a temporary folder. The
# probes are on functions of the program itself, which do nothing. It ends with 1 if the kernel
# behaves otherwise.
set -euo pipefail

dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'MOD'
module finding

go 1.25
MOD
{
  echo 'package main'
  for n in $(seq 0 49); do
    printf '\n//go:noinline\nfunc place%d() int { return len(names) + %d }\n' "$n" "$n"
  done
  printf '\nvar places = []func() int{\n'
  for n in $(seq 0 49); do printf '\tplace%d,\n' "$n"; done
  printf '}\n\nvar names = []string{\n'
  for n in $(seq 0 49); do printf '\t"main.place%d",\n' "$n"; done
  printf '}\n'
} >places.go
cat >main.go <<'GO'
// Opens uprobes and closes them, in three ways, and is killed while it has them.
package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
)

func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
}

func program(multi bool) *ebpf.Program {
	spec := &ebpf.ProgramSpec{Type: ebpf.Kprobe, License: "GPL", Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()}}
	if multi {
		spec.AttachType = ebpf.AttachTraceUprobeMulti
	}
	p, err := ebpf.NewProgram(spec)
	must(err)
	return p
}

// open puts a probe at each place.
func open(ex *link.Executable) []link.Link {
	p := program(false)
	var links []link.Link
	for _, name := range names {
		l, err := ex.Uprobe(name, p, &link.UprobeOptions{PID: os.Getpid()})
		must(err)
		links = append(links, l)
	}
	return links
}

func took(what string, do func()) time.Duration {
	begin := time.Now()
	do()
	d := time.Since(begin)
	fmt.Printf("%s: %d ms\n", what, d.Milliseconds())
	return d
}

func main() {
	for _, f := range places {
		f()
	}
	self, err := os.Executable()
	must(err)
	ex, err := link.OpenExecutable(self)
	must(err)
	if len(os.Args) > 1 {
		open(ex)
		fmt.Println("open")
		select {}
	}

	var links []link.Link
	opened := took("50 probes opened", func() { links = open(ex) })
	closed := took("closed one by one", func() {
		for _, l := range links {
			must(l.Close())
		}
	})
	links = open(ex)
	together := took("closed in 50 threads", func() {
		var all sync.WaitGroup
		for _, l := range links {
			all.Go(func() { must(l.Close()) })
		}
		all.Wait()
	})

	other := exec.Command(self, "hold")
	out, err := other.StdoutPipe()
	must(err)
	must(other.Start())
	_, err = bufio.NewReader(out).ReadString('\n') // it has them
	must(err)
	killed := took("gone after SIGKILL", func() {
		must(other.Process.Kill())
		_, err := other.Process.Wait()
		must(err)
	})

	many, err := ex.UprobeMulti(names, program(true), &link.UprobeMultiOptions{PID: uint32(os.Getpid())})
	must(err)
	one := took("closed as one link", func() { must(many.Close()) })

	if closed < 10*opened || together < closed/2 || killed < closed/2 || one > closed/5 {
		fmt.Println("the kernel behaves otherwise than stated")
		os.Exit(1)
	}
}
GO
{
  go get github.com/cilium/ebpf@v0.22.0
  go build -o program .
} >install.log 2>&1 || { cat install.log; exit 77; }
timeout 60 ./program
