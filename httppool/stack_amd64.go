package httppool

// framePointers writes the return addresses of this goroutine's frames to pcs, which has room for
// max of them, and returns how many there are. It is 0 if there are more, or where the frame pointers
// do not lead to the goroutine's begin, as across a callback from C. The runtime's execution
// tracer follows them in the same way (runtime/tracestack.go).
//
// It is in assembly since the stack must not move meanwhile.
//
//go:noescape
func framePointers(pcs *uintptr, max int) int
