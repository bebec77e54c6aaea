//go:build !linux

package bench

import (
	"errors"
	"time"
)

// processCPU: only Linux has the namespaces in which it is asked for.
func processCPU(int) (time.Duration, error) { return 0, errors.ErrUnsupported }
