package httppool

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// functions are those of a stack, and where in them.
func functions(stack []uintptr) []runtime.Frame {
	return (&request{stack: stack}).frames()
}

//go:noinline
func left(depth int) []uintptr {
	if depth == 0 {
		return callers(0)
	}
	return left(depth - 1)
}

//go:noinline
func right(depth int) []uintptr { return left(depth) }

// Each stack is its own, also of those that begin alike, and is as the runtime's.
func TestStacksAreNotMistaken(t *testing.T) {
	for range 2 {
		for depth := range 120 {
			var pcs [maxFrames]uintptr
			l, r, n := left(depth), right(depth), runtime.Callers(1, pcs[:])
			require.Len(t, l, min(maxFrames, depth+1+n))
			require.Len(t, r, min(maxFrames, depth+2+n))
			for i, f := range functions(l)[:min(depth+1, maxFrames)] {
				require.True(t, strings.HasSuffix(f.Function, ".left"), "%d: %s", i, f.Function)
			}
			if at := depth + 1; at < maxFrames-1 {
				require.True(t, strings.HasSuffix(functions(r)[at].Function, ".right"))
				require.True(t, strings.HasSuffix(functions(l)[at].Function, ".TestStacksAreNotMistaken"))
				require.Equal(t, functions(l)[at].Line, functions(r)[at+1].Line)
			}
		}
	}
	var lines []int
	for range 2 {
		a := left(1)
		b := left(1)
		lines = append(lines, functions(a)[2].Line, functions(b)[2].Line)
	}
	assert.Equal(t, lines[0]+1, lines[1])
	assert.Equal(t, lines[:2], lines[2:])
	assert.LessOrEqual(t, len(known.stacks), maxKnown)
	done := make(chan []uintptr)
	go func() { done <- left(0) }()
	assert.Len(t, functions(<-done), 3, "left, the goroutine's function and its begin")
}
