package tracepoint

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/bpf"
)

// BenchmarkConnection opens and closes a connection, which is ten transitions,
// and tells what listening costs: program-ns is the time of the program and its
// copy in the kernel, drain-ns that of Drain, both for one transition.
func BenchmarkConnection(b *testing.B) {
	b.Run("alone", func(b *testing.B) { connections(b, func() {}) })
	b.Run("heard", func(b *testing.B) {
		l, err := Open(Options{})
		if errors.Is(err, ErrNotAllowed) || errors.Is(err, errors.ErrUnsupported) {
			b.Skip(err)
		}
		require.NoError(b, err)
		defer l.Close()
		stats, err := bpf.CountRunTimes()
		require.NoError(b, err)
		defer stats.Close()
		var (
			heard    []Transition
			n        int
			draining time.Duration
		)
		connections(b, func() {
			begun := time.Now()
			heard, _, err = l.Drain(heard[:0])
			require.NoError(b, err)
			draining += time.Since(begun)
			n += len(heard)
		})
		b.ReportMetric(float64(running(b, l))/float64(n), "program-ns")
		b.ReportMetric(float64(draining)/float64(n), "drain-ns")
	})
}

// connections makes b.N of them, and drains from time to time.
func connections(b *testing.B, drain func()) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer ln.Close()
	for i := range b.N {
		c, err := net.Dial("tcp", ln.Addr().String())
		require.NoError(b, err)
		s, err := ln.Accept()
		require.NoError(b, err)
		c.Close()
		_, _ = io.Copy(io.Discard, s)
		s.Close()
		if i%1000 == 999 {
			drain()
		}
	}
	drain()
}

// running is how long the kernel has been running a listener's programs.
func running(b *testing.B, l *Listener) (total time.Duration) {
	for _, p := range programs(l) {
		info, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", p))
		require.NoError(b, err)
		_, rest, ok := strings.Cut(string(info), "run_time_ns:")
		require.True(b, ok, "%s", info)
		ns, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		require.NoError(b, err)
		total += time.Duration(ns)
	}
	return total
}
