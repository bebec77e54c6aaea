//go:build !linux

package play

import (
	"context"
	"errors"

	"socketlab/internal/life"
)

// Play returns an error that Is [errors.ErrUnsupported].
func Play(context.Context, string, bool) (*life.Record, error) { return nil, errors.ErrUnsupported }
