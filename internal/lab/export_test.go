package lab

// OpenPipes opens pipes, and forgets them.
func OpenPipes(n int) error {
	_, err := openPipes(n)
	return err
}
