package tracepoint

import (
	"golang.org/x/sys/unix"

	"socketlab/internal/bpf"
)

// The program's registers that calls leave alone.
const (
	rSock = bpf.R6 // the tracepoint's argument: struct sock
	rTCP  = bpf.R7 // the same socket, as a struct tcp_sock
	rFrom = bpf.R8
	rTo   = bpf.R9
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
func program(l layout, ports []uint16, m maps, copied bool) []bpf.Instruction {
	code := []bpf.Instruction{
		bpf.Load(rSock, bpf.R1, tracepointSock, bpf.Dword),
		bpf.Load(rFrom, bpf.R1, tracepointFrom, bpf.Dword),
		bpf.Load(rTo, bpf.R1, tracepointTo, bpf.Dword),

		// Another network namespace?
		bpf.Load(bpf.R2, rSock, l.net, bpf.Dword),
		bpf.Load(bpf.R2, bpf.R2, l.inodeOfNet, bpf.Word),
		store(0, bpf.R2, bpf.Dword), // the key: the record begins later
		bpf.MapOf(bpf.R1, m.namespaces),
		bpf.Move(bpf.R2, bpf.RFP),
		bpf.Add(bpf.R2, -recordSize),
		bpf.Call(bpf.MapLookupElem),
		bpf.JumpIf(bpf.R0, 0, "out"),

		// The tracepoint also reports MPTCP, DCCP and SCTP. An MPTCP socket, such
		// as Go's listeners are, has TCP sockets below it, which are reported.
		// This call returns 0 for every protocol but TCP (net/core/filter.c,
		// bpf_skc_to_tcp_sock). It also tells the verifier that the fields of
		// struct tcp_sock may be read.
		bpf.Move(bpf.R1, rSock),
		bpf.Call(bpf.SkcToTCPSock),
		bpf.JumpIf(bpf.R0, 0, "out"),
		bpf.Move(rTCP, bpf.R0),
	}
	code = append(code, zeroRecord()...)
	code = append(code,
		bpf.Load(bpf.R2, rSock, l.net, bpf.Dword),
		bpf.Load(bpf.R2, bpf.R2, l.inodeOfNet, bpf.Word),
		store(recordNetNS, bpf.R2, bpf.Word),
	)
	code = append(code, remember(m.memory, copied)...)
	code = append(code, writePorts(l, ports)...)
	code = append(code, writeError(l)...)
	code = append(code, writeAddresses(l)...)
	code = append(code, writeParents(l)...)
	code = append(code, output(m)...)
	return append(code,
		bpf.Set(bpf.R0, 0).Named("out"),
		bpf.Exit(),
	)
}

// store writes a field of the record, which is built on the stack.
func store(at int16, src bpf.Register, s bpf.Size) bpf.Instruction {
	return bpf.Store(bpf.RFP, at-recordSize, src, s)
}

// stored reads a field of the record.
func stored(dst bpf.Register, at int16, s bpf.Size) bpf.Instruction {
	return bpf.Load(dst, bpf.RFP, at-recordSize, s)
}

// zeroRecord clears the record. The verifier requires that every byte is written,
// because others would show what was on the stack before.
func zeroRecord() []bpf.Instruction {
	code := []bpf.Instruction{bpf.Set(bpf.R1, 0)}
	for at := int16(0); at < recordSize; at += 8 {
		code = append(code, store(at, bpf.R1, bpf.Dword))
	}
	return code
}

// remember writes the stored fields of the socket into the record, and stores those
// of this transition for the next one. It comes before the filter by port, because a
// client's port may not be known yet.
func remember(memory bpf.Object, copied bool) []bpf.Instruction {
	noMemory := "lost"
	if copied {
		noMemory = "out" // do not count it twice
	}
	return []bpf.Instruction{
		bpf.Call(bpf.KtimeGetNs),
		store(recordAt, bpf.R0, bpf.Dword),
		bpf.Call(bpf.GetCurrentPIDTgid),
		bpf.ShiftRight(bpf.R0, 32), // the process; the lower half is the thread
		store(recordPID, bpf.R0, bpf.Word),

		// An accepted connection's socket begins as a copy of the listener, but
		// without its storage: only storage with BPF_F_CLONE is copied.
		bpf.MapOf(bpf.R1, memory),
		bpf.Move(bpf.R2, rSock),
		bpf.Set(bpf.R3, 0), // new storage is zero
		bpf.Set(bpf.R4, unix.BPF_SK_STORAGE_GET_F_CREATE),
		bpf.Call(bpf.SkStorageGet),
		bpf.JumpIf(bpf.R0, 0, noMemory),

		// Has the other copy of this program done the work? Nobody else can
		// have: the kernel holds the socket's lock. This also drops a transition
		// to the same state: MPTCP sets FIN_WAIT2 where it is set already.
		bpf.Load(bpf.R1, bpf.R0, memoryState, bpf.Word),
		bpf.JumpIfSame(bpf.R1, rTo, "out"),
		store(recordKnown, bpf.R1, bpf.Half),
		bpf.Store(bpf.R0, memoryState, rTo, bpf.Word),

		bpf.Load(bpf.R1, bpf.R0, memorySince, bpf.Dword),
		store(recordSince, bpf.R1, bpf.Dword),
		stored(bpf.R1, recordAt, bpf.Dword),
		bpf.Store(bpf.R0, memorySince, bpf.R1, bpf.Dword),

		// From CLOSE: the program called connect(2), a second time after
		// connect(2) to AF_UNSPEC, or listen(2). Only here is the running
		// process the one that did so. Other transitions happen in softirqs, in
		// whatever process they interrupted.
		bpf.JumpUnless(rFrom, tcpClose, "old life"),
		stored(bpf.R1, recordPID, bpf.Word),
		bpf.JumpIf(rTo, tcpSynSent, "new life"),
		bpf.Set(bpf.R1, 0),
		bpf.Store(bpf.R0, memoryPID, bpf.R1, bpf.Word).Named("new life"),

		bpf.Load(bpf.R1, bpf.R0, memoryPID, bpf.Word).Named("old life"),
		store(recordPID, bpf.R1, bpf.Word),
		store(recordFrom, rFrom, bpf.Half),
		store(recordTo, rTo, bpf.Half),
		store(recordSocket, rSock, bpf.Dword),
	}
}

// writePorts writes both ports, and ends the program if neither is in ports.
//
// The local port is in two fields. One is already 0 at the transition to CLOSE,
// unless the program bound the socket (net/ipv4/tcp.c, tcp_set_state;
// inet_hashtables.c, inet_put_port). The other still has the port of the last
// connection at the transition from CLOSE.
func writePorts(l layout, ports []uint16) []bpf.Instruction {
	code := []bpf.Instruction{
		bpf.Load(bpf.R1, rTCP, l.lastPort, bpf.Half),
		bpf.FromNetwork(bpf.R1),
		bpf.JumpUnless(rFrom, tcpClose, "port"),
		bpf.Load(bpf.R1, rSock, l.boundPort, bpf.Half),
		store(recordLocalPort, bpf.R1, bpf.Half).Named("port"),
		bpf.Load(bpf.R2, rSock, l.remotePort, bpf.Half),
		bpf.FromNetwork(bpf.R2),
		store(recordRemotePort, bpf.R2, bpf.Half),
	}
	if len(ports) == 0 {
		return code
	}
	for _, p := range ports {
		code = append(code,
			bpf.JumpIf(bpf.R1, int32(p), "wanted"),
			bpf.JumpIf(bpf.R2, int32(p), "wanted"),
		)
	}
	return append(code,
		bpf.Jump("out"),
		bpf.Set(bpf.R1, 0).Named("wanted"), // only the target of the jump
	)
}

// writeError writes why the kernel ends a connection, which it says before it does so
// (net/ipv4/tcp_input.c, tcp_reset; tcp_timer.c, tcp_write_err).
func writeError(l layout) []bpf.Instruction {
	return []bpf.Instruction{
		bpf.Load(bpf.R1, rSock, l.failure, bpf.Word),
		store(recordError, bpf.R1, bpf.Word),
	}
}

// writeAddresses writes the family and both addresses. An IPv6 socket has also IPv4
// addresses in the IPv6 fields, mapped.
func writeAddresses(l layout) []bpf.Instruction {
	code := []bpf.Instruction{
		bpf.Load(bpf.R1, rSock, l.family, bpf.Half),
		store(recordFamily, bpf.R1, bpf.Half),
		bpf.JumpIf(bpf.R1, familyIPv6, "IPv6"),
		bpf.Load(bpf.R1, rSock, l.local4, bpf.Word),
		store(recordLocal, bpf.R1, bpf.Word),
		bpf.Load(bpf.R1, rSock, l.remote4, bpf.Word),
		store(recordRemote, bpf.R1, bpf.Word),
		bpf.Jump("parents"),
		bpf.Set(bpf.R1, 0).Named("IPv6"), // only the target of the jump
	}
	for half := int16(0); half < 16; half += 8 {
		code = append(code,
			bpf.Load(bpf.R1, rSock, l.local6+half, bpf.Dword),
			store(recordLocal+half, bpf.R1, bpf.Dword),
			bpf.Load(bpf.R1, rSock, l.remote6+half, bpf.Dword),
			store(recordRemote+half, bpf.R1, bpf.Dword),
		)
	}
	return code
}

// writeParents writes who has started the process that calls connect(2), and who has
// started that one.
func writeParents(l layout) []bpf.Instruction {
	return []bpf.Instruction{
		bpf.JumpUnless(rTo, tcpSynSent, "output").Named("parents"),
		bpf.Call(bpf.GetCurrentTask),
		bpf.Load(bpf.R1, bpf.R0, l.parent, bpf.Dword),
		bpf.Load(bpf.R2, bpf.R1, l.process, bpf.Word),
		store(recordParent, bpf.R2, bpf.Word),
		bpf.Load(bpf.R1, bpf.R1, l.parent, bpf.Dword),
		bpf.Load(bpf.R2, bpf.R1, l.process, bpf.Word),
		store(recordGrandparent, bpf.R2, bpf.Word),
	}
}

// output writes the record into the ring buffer, or counts it as lost if there is no
// room. It wakes the reader each time that another part of the buffer is full (wakeAt), and
// not otherwise: a reader that is woken for each record would cost more than the rest.
func output(m maps) []bpf.Instruction {
	return []bpf.Instruction{
		bpf.MapOf(bpf.R1, m.buffer).Named("output"),
		bpf.Set(bpf.R2, unix.BPF_RB_AVAIL_DATA),
		bpf.Call(bpf.RingbufQuery), // how many bytes are to be read
		bpf.Move(bpf.R5, bpf.R0),
		bpf.Add(bpf.R5, recordSize+bpf.RingHeader),
		bpf.ShiftRight(bpf.R0, m.wakeAt),
		bpf.ShiftRight(bpf.R5, m.wakeAt),
		bpf.Set(bpf.R4, unix.BPF_RB_NO_WAKEUP),
		bpf.JumpIfSame(bpf.R0, bpf.R5, "asleep"),
		bpf.Set(bpf.R4, unix.BPF_RB_FORCE_WAKEUP),

		bpf.MapOf(bpf.R1, m.buffer).Named("asleep"),
		bpf.Move(bpf.R2, bpf.RFP),
		bpf.Add(bpf.R2, -recordSize),
		bpf.Set(bpf.R3, recordSize),
		bpf.Call(bpf.RingbufOutput),
		bpf.JumpIf(bpf.R0, 0, "out"),

		bpf.ValueOf(bpf.R1, m.lost).Named("lost"), // the address of the count
		bpf.Set(bpf.R2, 1),
		bpf.Increment(bpf.R1, bpf.R2),
	}
}
