package loadgen

// countFDs counts handles: Windows has no descriptors.
func countFDs() int {
	n, err := self().NumFDs()
	if err != nil {
		return 0
	}
	return int(n)
}
