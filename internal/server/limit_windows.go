package server

import (
	"errors"
	"fmt"
)

// limitDescriptors: Windows sets no such limit.
func limitDescriptors(int) error {
	return fmt.Errorf("max_descriptors: Windows has no limit of descriptors to lower: %w", errors.ErrUnsupported)
}
