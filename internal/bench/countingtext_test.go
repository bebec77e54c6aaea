package bench

import "fmt"

const countingTitle = "Counting sockets"

// countingNeeds stands where nothing could be measured.
const countingNeeds = `The sockets are held in a network namespace of their own, where every program sees these and no
others. That takes Linux, and a system that lets this user make namespaces.`

func countingHow() string {
	return fmt.Sprintf(`A column is a number of idle sockets on loopback: both ends of half as many connections. They have
our port, %[1]d, and the others have port %[2]d. Processes that do nothing else hold them, in a network
namespace of their own. One more process in there lists them in every way in turn, in each run, so
that all read the same table; what a call finds is checked in each call. A time is that of a call, or
of a program from its start to the end of its output, which is read through a pipe and dropped.
`+"`ss`"+` with a filter (P is our port) finds the ends whose local port it is, half of our sockets; our
sources find both ends, and their time includes counting them by end and state (socketstats.Count).

What takes less than %[3]s is called once to no account and then %[4]d to %[5]d times, back to back; the
median is the run's figure. What takes longer is called once. "After a pause" is %[6]s before each
call. Samples are taken like that, and by then the kernel's records of sockets have left the caches
of the processor: that costs both sides alike, and makes the ratio worse. The bar is for calls back
to back. It is for 10,000 sockets at both ends together: 20,000 sockets, 10,000 connections, are
shown beside it and have no bar.

Sockdiag reads an answer of more than 4,000 sockets on two threads at once, which saves time where a
second core is idle; "on one thread" it reads as `+"`ss`"+` does. "With owners", it remembers whose the
sockets are and searches for those that it has not met before; in its "first call" it has met none.
`+"`ss -p`"+` and gopsutil search every time.

Allocations are those of the calling process, a call. sockwatch runs in the namespace with its
defaults, and finds owners too. Its processor time, user and system, is taken over %[7]s a run, once
it has its first samples.`,
		ourPort, othersPort, longCall, leastCalls, mostCalls, restFor, watchWindow)
}
