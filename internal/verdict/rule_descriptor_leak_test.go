package verdict_test

import (
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
	"socketlab/internal/verdict"
)

// heldBeside makes the process have so many descriptors of a kind beside ten files.
func heldBeside(s *series.Sample, kind string, n int) {
	s.Process = &series.Process{Descriptors: 10 + n, Kinds: map[string]int{"file": 10, kind: n}}
}

var _ = examplesOf(verdict.DescriptorLeak,
	example{name: "UDP sockets grow for two minutes", confidence: verdict.High, says: "248 UDP sockets are open, 248 more than at first, growing by 2 per second.", subject: observed(125, func(i int, s *series.Sample) {
		heldBeside(s, "udp", 2*i)
	})},
	example{name: "UDP sockets grow, or sessions join", confidence: verdict.Low, says: "whether they are given back shows in 1m31s.", subject: observed(30, func(i int, s *series.Sample) {
		heldBeside(s, "udp", 2*i)
	})},
	example{name: "the descriptor of a connection is duplicated", confidence: verdict.High, says: "249 duplicates of TCP connections' descriptors are open, 248 more than at first", subject: observed(125, func(i int, s *series.Sample) {
		heldBeside(s, "tcp", 3+2*i)
		set(&s.Client, socketstats.Established, 2)
		s.Client.Activity.Received = silent(2, now)
	})},
	example{name: "by the server's port, the program's other connections", instead: verdict.Healthy, subject: paired(observed(125, func(i int, s *series.Sample) {
		heldBeside(s, "tcp", 3+2*i)
		set(&s.Client, socketstats.Established, 2)
		s.Client.Activity.Received = silent(2, now)
	}))},
	example{name: "sockets are reset, and kept", confidence: verdict.High, says: "58 TCP sockets without a connection are open, 58 more than at first", subject: observed(30, func(i int, s *series.Sample) {
		heldBeside(s, "tcp_closed", 2*i)
	})},
	example{name: "of a limit that is known", says: "The process has 68 descriptors open of 1024.", subject: observed(30, func(i int, s *series.Sample) {
		heldBeside(s, "udp", 2*i)
	})},
	example{name: "listeners grow slowly", confidence: verdict.Low, says: "7 listening TCP sockets are open, 6 more than at first", subject: observed(30, func(i int, s *series.Sample) {
		heldBeside(s, "tcp_listen", 1+i*6/29)
		set(&s.Server, socketstats.Listen, 1+i*6/29)
	})},
	example{name: "closed sockets are kept", confidence: verdict.Medium, says: "12 TCP sockets without a connection are kept, for 15s or longer.", subject: observed(30, func(i int, s *series.Sample) {
		heldBeside(s, "tcp_closed", min(2*i, 12))
	})},
	example{name: "ports are bound and not used", severity: verdict.Note, confidence: verdict.Low, says: "12 TCP sockets without a connection are kept, for 15s or longer.", subject: observed(30, func(_ int, s *series.Sample) {
		heldBeside(s, "tcp_closed", 12)
	})},
	example{name: "connections vanish from CLOSE_WAIT, and their descriptors stay", confidence: verdict.Medium, says: "12 TCP sockets without a connection are kept", subject: observed(30, func(i int, s *series.Sample) {
		if i < 25 {
			heldBeside(s, "tcp", 12)
			set(&s.Client, socketstats.CloseWait, 12)
		} else {
			heldBeside(s, "tcp_closed", 12)
		}
	})},
	example{name: "each of the connections that grow has a pipe", instead: verdict.Growing, subject: observed(40, func(i int, s *series.Sample) {
		heldBeside(s, "pipe", 2*i)
		set(&s.Client, socketstats.Established, 2*i)
		s.Client.Activity.Received = silent(2*i, now)
	})},
	example{name: "a program opens its files one after the other", instead: verdict.Healthy, subject: observed(90, func(i int, s *series.Sample) {
		heldBeside(s, "eventfd", min(i, 40))
	})},
	example{name: "a garbage collector closes files", instead: verdict.Healthy, subject: observed(125, func(i int, s *series.Sample) {
		heldBeside(s, "inotify", 2*(i%50))
	})},
	example{name: "files are opened and closed", instead: verdict.Healthy, subject: observed(60, func(i int, s *series.Sample) {
		heldBeside(s, "pipe", 4*(i%20))
	})},
	example{name: "descriptors of connections grow", instead: verdict.ConnectionGrowth, subject: observed(30, func(i int, s *series.Sample) {
		heldBeside(s, "tcp", 2*i)
		set(&s.Client, socketstats.Established, 2*i)
		s.Client.Activity.Received, s.Client.Activity.Once = silent(2*i, now), 2*i
		s.KernelConns.Opened = 2 * i
	})},
	example{name: "they are there from the beginning", instead: verdict.Healthy, subject: observed(30, func(_ int, s *series.Sample) {
		heldBeside(s, "unix", 40)
	})},
)
