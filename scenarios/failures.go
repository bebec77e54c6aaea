package scenarios

// failures are errors, and what is made of them.
var failures = []pair{}
