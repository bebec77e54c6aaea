package tracepoint

import "golang.org/x/sys/unix"

// The program's registers that calls leave alone.
const (
	rSock = r6 // the tracepoint's argument: struct sock
	rTCP  = r7 // the same socket, as a struct tcp_sock
	rFrom = r8
	rTo   = r9
)

const (
	tracepointName = "inet_sock_set_state"
	tracepointSock = 0 // the offset of the argument in the context, in bytes; so are the next two
	tracepointFrom = 8
	tracepointTo   = 16

	// The kernel's numbers: include/net/tcp_states.h.
	tcpSynSent = 2
	tcpClose   = 7
)

// program is run by the kernel at each transition, while it works on the socket. It
// filters by namespace, updates the socket's storage, filters by port, and writes a
// record.
//
// It is attached twice, because the kernel does not run a program on a processor on
// which it runs already (kernel/trace/bpf_trace.c, __bpf_trace_run). This happens: an
// interrupt during the program delivers packets, and so changes other sockets'
// states, up to about a hundred of them. Then the second copy runs. Of the two copies
// the first one to run does the work, and the other one finds it done. A third copy
// is not needed: transitions happen in processes and in softirqs that interrupt them,
// and no transition interrupts a softirq.
func program(l layout, o Options, m maps, copied bool) []instruction {
	code := []instruction{
		load(rSock, r1, tracepointSock, dword),
		load(rFrom, r1, tracepointFrom, dword),
		load(rTo, r1, tracepointTo, dword),

		// Another network namespace?
		load(r2, rSock, l.net, dword),
		load(r2, r2, l.inodeOfNet, word),
		jumpUnless32(r2, o.NetNS, "out"),

		// The tracepoint also reports MPTCP, DCCP and SCTP. An MPTCP socket, such
		// as Go's listeners are, has TCP sockets below it, which are reported.
		// This call returns 0 for every protocol but TCP (net/core/filter.c,
		// bpf_skc_to_tcp_sock). It also tells the verifier that the fields of
		// struct tcp_sock may be read.
		move(r1, rSock),
		call(skcToTCPSock),
		jumpIf(r0, 0, "out"),
		move(rTCP, r0),
	}
	code = append(code, zeroRecord()...)
	code = append(code, remember(m.memory, copied)...)
	code = append(code, writePorts(l, o.Ports)...)
	code = append(code, writeAddresses(l)...)
	code = append(code, writeParents(l)...)
	code = append(code, output(m.ring, m.lost)...)
	return append(code,
		set(r0, 0).named("out"),
		exit(),
	)
}

// store writes a field of the record, which is built on the stack.
func store(at int16, src register, s size) instruction {
	return storeAt(rFP, at-recordSize, src, s)
}

// stored reads a field of the record.
func stored(dst register, at int16, s size) instruction {
	return load(dst, rFP, at-recordSize, s)
}

// zeroRecord clears the record. The verifier requires that every byte is written,
// because others would show what was on the stack before.
func zeroRecord() []instruction {
	code := []instruction{set(r1, 0)}
	for at := int16(0); at < recordSize; at += 8 {
		code = append(code, store(at, r1, dword))
	}
	return code
}

// remember writes the stored fields of the socket into the record, and stores those
// of this transition for the next one. It comes before the filter by port, because a
// client's port may not be known yet.
func remember(memory object, copied bool) []instruction {
	noMemory := "lost"
	if copied {
		noMemory = "out" // do not count it twice
	}
	return []instruction{
		call(ktimeGetNs),
		store(recordAt, r0, dword),
		call(getCurrentPIDTgid),
		shiftRight(r0, 32), // the process; the lower half is the thread
		store(recordPID, r0, word),

		// An accepted connection's socket begins as a copy of the listener, but
		// without its storage: only storage with BPF_F_CLONE is copied.
		mapOf(r1, memory),
		move(r2, rSock),
		set(r3, 0), // new storage is zero
		set(r4, unix.BPF_SK_STORAGE_GET_F_CREATE),
		call(skStorageGet),
		jumpIf(r0, 0, noMemory),

		// Has the other copy of this program done the work? Nobody else can
		// have: the kernel holds the socket's lock. This also drops a transition
		// to the same state: MPTCP sets FIN_WAIT2 where it is set already.
		load(r1, r0, memoryState, word),
		jumpIfSame(r1, rTo, "out"),
		store(recordKnown, r1, half),
		storeAt(r0, memoryState, rTo, word),

		load(r1, r0, memorySince, dword),
		store(recordSince, r1, dword),
		stored(r1, recordAt, dword),
		storeAt(r0, memorySince, r1, dword),

		// From CLOSE: the program called connect(2), a second time after
		// connect(2) to AF_UNSPEC, or listen(2). Only here is the running
		// process the one that did so. Other transitions happen in softirqs, in
		// whatever process they interrupted.
		jumpUnless(rFrom, tcpClose, "old life"),
		stored(r1, recordPID, word),
		jumpIf(rTo, tcpSynSent, "new life"),
		set(r1, 0),
		storeAt(r0, memoryPID, r1, word).named("new life"),

		load(r1, r0, memoryPID, word).named("old life"),
		store(recordPID, r1, word),
		store(recordFrom, rFrom, half),
		store(recordTo, rTo, half),
		store(recordSocket, rSock, dword),
	}
}

// writePorts writes both ports, and ends the program if neither is in ports.
//
// The local port is in two fields. One is already 0 at the transition to CLOSE,
// unless the program bound the socket (net/ipv4/tcp.c, tcp_set_state;
// inet_hashtables.c, inet_put_port). The other still has the port of the last
// connection at the transition from CLOSE.
func writePorts(l layout, ports []uint16) []instruction {
	code := []instruction{
		load(r1, rTCP, l.lastPort, half),
		fromNetwork(r1),
		jumpUnless(rFrom, tcpClose, "port"),
		load(r1, rSock, l.boundPort, half),
		store(recordLocalPort, r1, half).named("port"),
		load(r2, rSock, l.remotePort, half),
		fromNetwork(r2),
		store(recordRemotePort, r2, half),
	}
	if len(ports) == 0 {
		return code
	}
	for _, p := range ports {
		code = append(code,
			jumpIf(r1, int32(p), "wanted"),
			jumpIf(r2, int32(p), "wanted"),
		)
	}
	return append(code,
		jump("out"),
		set(r1, 0).named("wanted"), // only the target of the jump
	)
}

// writeAddresses writes the family and both addresses. An IPv6 socket has also IPv4
// addresses in the IPv6 fields, mapped.
func writeAddresses(l layout) []instruction {
	code := []instruction{
		load(r1, rSock, l.family, half),
		store(recordFamily, r1, half),
		jumpIf(r1, familyIPv6, "IPv6"),
		load(r1, rSock, l.local4, word),
		store(recordLocal, r1, word),
		load(r1, rSock, l.remote4, word),
		store(recordRemote, r1, word),
		jump("parents"),
		set(r1, 0).named("IPv6"), // only the target of the jump
	}
	for half := int16(0); half < 16; half += 8 {
		code = append(code,
			load(r1, rSock, l.local6+half, dword),
			store(recordLocal+half, r1, dword),
			load(r1, rSock, l.remote6+half, dword),
			store(recordRemote+half, r1, dword),
		)
	}
	return code
}

// writeParents writes who has started the process that calls connect(2), and who has
// started that one.
func writeParents(l layout) []instruction {
	return []instruction{
		jumpUnless(rTo, tcpSynSent, "output").named("parents"),
		call(getCurrentTask),
		load(r1, r0, l.parent, dword),
		load(r2, r1, l.process, word),
		store(recordParent, r2, word),
		load(r1, r1, l.parent, dword),
		load(r2, r1, l.process, word),
		store(recordGrandparent, r2, word),
	}
}

// output writes the record into the ring buffer, or counts it as lost if there is no
// room. It wakes no reader, because Drain does not wait.
func output(ring, lost object) []instruction {
	return []instruction{
		mapOf(r1, ring).named("output"),
		move(r2, rFP),
		add(r2, -recordSize),
		set(r3, recordSize),
		set(r4, unix.BPF_RB_NO_WAKEUP),
		call(ringbufOutput),
		jumpIf(r0, 0, "out"),

		valueOf(r1, lost).named("lost"), // the address of the count
		set(r2, 1),
		increment(r1, r2),
	}
}
