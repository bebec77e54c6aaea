//go:build !linux

package server

import "errors"

// canPark is false: a goroutine waits with each request.
const canPark = false

// departures is for Linux.
type departures struct{}

func newDepartures() (*departures, error)     { return nil, errors.ErrUnsupported }
func (*departures) close()                    {}
func (*departures) watch(*conn, uint64) error { return errors.ErrUnsupported }
func (*departures) ignore(*conn)              {}
func (*departures) run(func(key uint64))      {}
func hasLeft(*conn) bool                      { return false }
