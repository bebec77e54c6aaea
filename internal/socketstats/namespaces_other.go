//go:build !linux

package socketstats

import "errors"

func namespaceOf(int32) (uint32, error) { return 0, nil }

func metMPTCP(int32) bool { return false }

func openNamespace(Source, int32) (Namespace, error) { return Namespace{}, errors.ErrUnsupported }
