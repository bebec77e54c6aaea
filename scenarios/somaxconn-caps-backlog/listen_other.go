//go:build !linux

package somaxconncapsbacklog

import (
	"errors"
	"net"
)

// listen returns an error that Is [errors.ErrUnsupported]: the script needs a namespace.
func listen(net.Listener, int) (net.Listener, error) { return nil, errors.ErrUnsupported }
