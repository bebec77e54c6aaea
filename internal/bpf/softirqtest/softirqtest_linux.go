// Package softirqtest tells a test what the kernel did not show to a tracing program. It needs
// Linux and the privilege to load one.
package softirqtest

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/bpf"
)

// Hidden returns a function that tells how many softirqs since then the kernel
// counted (/proc/softirqs) and did not show to a program that counts them. It
// should be none. The kernel on which this was written, a virtual machine's,
// hid one in some hundred timer interrupts from all tracing programs, with the
// softirqs that followed, and counted no misses. What a listener does not hear
// then is not its fault.
func Hidden(t *testing.T) func() int {
	t.Helper()
	seen, err := bpf.NewMap("softirqs", bpf.Map{Kind: unix.BPF_MAP_TYPE_ARRAY, KeySize: 4, ValueSize: 8, MaxEntries: 1})
	require.NoError(t, err)
	t.Cleanup(func() { seen.Close() })
	types, err := bpf.KernelTypes()
	require.NoError(t, err)
	tracepoint, err := types.Find(bpf.KindTypedef, "btf_trace_softirq_entry")
	require.NoError(t, err)
	program, err := bpf.NewTracing([]bpf.Instruction{
		bpf.ValueOf(bpf.R1, seen),
		bpf.Set(bpf.R2, 1),
		bpf.Increment(bpf.R1, bpf.R2),
		bpf.Set(bpf.R0, 0),
		bpf.Exit(),
	}, tracepoint)
	require.NoError(t, err)
	t.Cleanup(func() { program.Close() })
	attached, err := program.AttachTracing()
	require.NoError(t, err)
	t.Cleanup(func() { attached.Close() })

	missing := func() int {
		for {
			before, err := seen.Count()
			require.NoError(t, err)
			counted := softirqs(t)
			after, err := seen.Count()
			require.NoError(t, err)
			if before == after { // so both counts are of the same moment
				return counted - int(after)
			}
		}
	}
	start := missing()
	return func() int { return missing() - start }
}

func softirqs(t *testing.T) (n int) {
	t.Helper()
	text, err := os.ReadFile("/proc/softirqs")
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if _, perCPU, ok := strings.Cut(line, ":"); ok { // not the heading
			for _, field := range strings.Fields(perCPU) {
				count, err := strconv.Atoi(field)
				require.NoError(t, err)
				n += count
			}
		}
	}
	return n
}
