package program

import "net"

// LoopbackDown returns a sentence for the user where this machine cannot connect to itself,
// because its loopback device is down, as in a new network namespace; "" where one is up,
// or none is known.
func LoopbackDown() string {
	all, err := net.Interfaces()
	if err != nil {
		return ""
	}
	down := ""
	for _, i := range all {
		switch {
		case i.Flags&net.FlagLoopback == 0:
		case i.Flags&net.FlagUp != 0:
			return ""
		default:
			down = "the loopback device is down, so that nothing can connect: ip link set " + i.Name + " up"
		}
	}
	return down
}
