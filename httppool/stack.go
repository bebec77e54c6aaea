package httppool

import (
	"runtime"
	"sync"
	"unsafe"
)

// maxFrames is how much of a stack is kept: what net/http and the packages around it use, which
// is some 80 of clients with a chain of middleware, as that of AWS, and enough of the caller.
const maxFrames = 96

// known are the stacks that were seen, by their return addresses: to walk a stack with
// runtime.Callers takes a tenth of a request's time, to follow its frame pointers next to
// none. Stacks are shared and do not change.
var known struct {
	sync.RWMutex
	stacks map[string][]uintptr
}

// maxKnown bounds known; a program sends requests from some hundred places.
const maxKnown = 4096

// callers is the stack without skip functions and itself, as of runtime.Callers.
func callers(skip int) []uintptr {
	// More than are kept, for of all stacks that begin alike each is known by all of it.
	var pcs [maxFrames + 32]uintptr
	n := framePointers(&pcs[0], len(pcs))
	if n == 0 {
		return walk(skip + 1)
	}
	key := unsafe.Slice((*byte)(unsafe.Pointer(&pcs[0])), uintptr(n)*unsafe.Sizeof(pcs[0]))
	known.RLock()
	stack, ok := known.stacks[string(key)]
	known.RUnlock()
	if ok {
		return stack
	}
	stack = walk(skip + 1)
	known.Lock()
	defer known.Unlock()
	if known.stacks == nil || len(known.stacks) >= maxKnown {
		known.stacks = map[string][]uintptr{}
	}
	known.stacks[string(key)] = stack
	return stack
}

func walk(skip int) []uintptr {
	var pcs [maxFrames]uintptr
	n := runtime.Callers(skip+2, pcs[:])
	return append(make([]uintptr, 0, n), pcs[:n]...)
}
