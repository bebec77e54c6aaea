package loadgen

// fdLimit: Windows sets none.
func fdLimit() (int, bool) { return 0, false }
