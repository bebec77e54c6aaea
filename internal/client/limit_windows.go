package client

// fdLimit: Windows sets none.
func fdLimit() (int, bool) { return 0, false }
