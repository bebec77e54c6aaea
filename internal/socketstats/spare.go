package socketstats

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// FewDescriptors reports whether an error is that this process, or this system, has no
// descriptor left.
func FewDescriptors(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// spare is how many descriptors reading /proc takes at one time, and one more.
const spare = 3

// Spare returns nil if this process may still open the few descriptors that reading /proc
// takes. What reads there takes a file that it cannot open for one of a process that has
// ended, so whoever counts asks before: the counts would be too low. The error is one of
// [FewDescriptors].
func Spare() error {
	for range spare {
		f, err := os.Open("/")
		if FewDescriptors(err) {
			return fmt.Errorf("too few descriptors are left to read /proc: %w", err)
		}
		if err == nil {
			defer f.Close()
		}
	}
	return nil
}
