package tracepoint

import (
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// What the program keeps in its registers. Calls destroy R0 to R5.
const (
	rSock = asm.R6 // the socket, as the tracepoint gives it: struct sock
	rTCP  = asm.R7 // the same, proven to be a struct tcp_sock
	rFrom = asm.R8
	rTo   = asm.R9
)

const (
	tracepointName = "inet_sock_set_state"
	tracepointSock = 0 // its arguments, in bytes from the start of the context
	tracepointFrom = 8
	tracepointTo   = 16

	// The kernel's numbers: include/net/tcp_states.h, include/uapi/linux/bpf.h.
	tcpSynSent    = 2
	tcpClose      = 7
	storageCreate = 1 // BPF_SK_STORAGE_GET_F_CREATE
	ringNoWakeup  = 1 // BPF_RB_NO_WAKEUP
)

// programSpec makes a program for the raw tracepoint, in the form where the
// verifier knows the arguments' types: it refuses to read what is not there.
func programSpec(code asm.Instructions) *ebpf.ProgramSpec {
	return &ebpf.ProgramSpec{
		Name: "sockwatch", Type: ebpf.Tracing, AttachType: ebpf.AttachTraceRawTp, AttachTo: tracepointName,
		Instructions: code,
		License:      "Dual MIT/GPL", // no other program may read the kernel's structs
	}
}

// program is what the kernel runs at each transition, in the middle of its
// work on the socket: filter, remember, filter, write.
//
// It is attached twice, because the kernel does not start a program on a
// processor that is in the middle of it (kernel/trace/bpf_trace.c,
// __bpf_trace_run). That happens: an interrupt in the middle of it goes on to
// deliver packets, and so to other sockets' transitions, at times a hundred of
// them. Those the copy hears. Whichever of the two comes first does the work,
// and the other finds it done. A third is not needed: transitions happen in
// processes and in what interrupts them, which is itself interrupted by no
// other transition.
func program(l layout, o Options, m maps, copied bool) asm.Instructions {
	code := asm.Instructions{
		asm.LoadMem(rSock, asm.R1, tracepointSock, asm.DWord),
		asm.LoadMem(rFrom, asm.R1, tracepointFrom, asm.DWord),
		asm.LoadMem(rTo, asm.R1, tracepointTo, asm.DWord),

		// Is it our network namespace?
		asm.LoadMem(asm.R2, rSock, l.net, asm.DWord),
		asm.LoadMem(asm.R2, asm.R2, l.inodeOfNet, asm.Word),
		asm.JNE.Imm32(asm.R2, int32(o.NetNS), "out"),

		// The tracepoint also has MPTCP, DCCP and SCTP. An MPTCP socket, as a
		// listener of Go's is, has TCP sockets below it, which count. This
		// gives nothing for any protocol but TCP (net/core/filter.c,
		// bpf_skc_to_tcp_sock), and lets the verifier know that what is read
		// of a struct tcp_sock below is there.
		asm.Mov.Reg(asm.R1, rSock),
		asm.FnSkcToTcpSock.Call(),
		asm.JEq.Imm(asm.R0, 0, "out"),
		asm.Mov.Reg(rTCP, asm.R0),
	}
	code = append(code, zeroRecord()...)
	code = append(code, remember(m.memory, copied)...)
	code = append(code, writePorts(l, o.Ports)...)
	code = append(code, writeAddresses(l)...)
	code = append(code, output(m.ring, m.lost)...)
	return append(code,
		asm.Mov.Imm(asm.R0, 0).WithSymbol("out"),
		asm.Return(),
	)
}

// store writes part of the record, which is built at the end of the stack.
func store(at int16, src asm.Register, size asm.Size) asm.Instruction {
	return asm.StoreMem(asm.RFP, at-recordSize, src, size)
}

// stored reads part of the record back.
func stored(dst asm.Register, at int16, size asm.Size) asm.Instruction {
	return asm.LoadMem(dst, asm.RFP, at-recordSize, size)
}

// zeroRecord clears the record, of which the verifier wants every byte
// written: gaps would show what else was on the stack.
func zeroRecord() asm.Instructions {
	code := asm.Instructions{asm.Mov.Imm(asm.R1, 0)}
	for at := int16(0); at < recordSize; at += 8 {
		code = append(code, store(at, asm.R1, asm.DWord))
	}
	return code
}

// remember writes what is known of the socket, and keeps for its next
// transition what is new. It comes before the ports are looked at, because a
// client's may not be known yet.
func remember(memory *ebpf.Map, copied bool) asm.Instructions {
	noMemory := "lost"
	if copied {
		noMemory = "out" // do not count it twice
	}
	return asm.Instructions{
		asm.FnKtimeGetNs.Call(),
		store(recordAt, asm.R0, asm.DWord),
		asm.FnGetCurrentPidTgid.Call(),
		asm.RSh.Imm(asm.R0, 32), // the process; the lower half is the thread
		store(recordPID, asm.R0, asm.Word),

		// A listener's new socket starts as its copy, but not with a copy of
		// this memory: only storage with BPF_F_CLONE is copied.
		asm.LoadMapPtr(asm.R1, memory.FD()),
		asm.Mov.Reg(asm.R2, rSock),
		asm.Mov.Imm(asm.R3, 0), // zeroes, if there is none yet
		asm.Mov.Imm(asm.R4, storageCreate),
		asm.FnSkStorageGet.Call(),
		asm.JEq.Imm(asm.R0, 0, noMemory),

		// Has the other copy of this program been here? Nobody else has: the
		// kernel holds the socket's lock. This also drops what is no change:
		// MPTCP sets FIN_WAIT2 where it is already.
		asm.LoadMem(asm.R1, asm.R0, memoryState, asm.Word),
		asm.JEq.Reg(asm.R1, rTo, "out"),
		store(recordKnown, asm.R1, asm.Half),
		asm.StoreMem(asm.R0, memoryState, rTo, asm.Word),

		asm.LoadMem(asm.R1, asm.R0, memorySince, asm.DWord),
		store(recordSince, asm.R1, asm.DWord),
		stored(asm.R1, recordAt, asm.DWord),
		asm.StoreMem(asm.R0, memorySince, asm.R1, asm.DWord),

		// Out of CLOSE is a new life: a socket may be connected again after
		// connect(2) to AF_UNSPEC, or made a listener. Only here is the
		// running process the one that asked for it. All else happens when
		// packets and timers do, in whatever process they interrupted.
		asm.JNE.Imm(rFrom, tcpClose, "old life"),
		stored(asm.R1, recordPID, asm.Word),
		asm.JEq.Imm(rTo, tcpSynSent, "new life"),
		asm.Mov.Imm(asm.R1, 0),
		asm.StoreMem(asm.R0, memoryPID, asm.R1, asm.Word).WithSymbol("new life"),

		asm.LoadMem(asm.R1, asm.R0, memoryPID, asm.Word).WithSymbol("old life"),
		store(recordPID, asm.R1, asm.Word),
		store(recordFrom, rFrom, asm.Half),
		store(recordTo, rTo, asm.Half),
		store(recordSocket, rSock, asm.DWord),
	}
}

// writePorts writes both ports, and goes out where neither is among those
// asked for.
//
// The local port is in two places. One is 0 again on the way to CLOSE, unless
// the program bound the socket (net/ipv4/tcp.c, tcp_set_state; inet_hashtables.c,
// inet_put_port). The other keeps the port of the socket's last life on the way
// out of CLOSE.
func writePorts(l layout, ports []uint16) asm.Instructions {
	code := asm.Instructions{
		asm.LoadMem(asm.R1, rTCP, l.lastPort, asm.Half),
		asm.HostTo(asm.BE, asm.R1, asm.Half),
		asm.JNE.Imm(rFrom, tcpClose, "port"),
		asm.LoadMem(asm.R1, rSock, l.boundPort, asm.Half),
		store(recordLocalPort, asm.R1, asm.Half).WithSymbol("port"),
		asm.LoadMem(asm.R2, rSock, l.remotePort, asm.Half),
		asm.HostTo(asm.BE, asm.R2, asm.Half),
		store(recordRemotePort, asm.R2, asm.Half),
	}
	if len(ports) == 0 {
		return code
	}
	for _, p := range ports {
		code = append(code,
			asm.JEq.Imm(asm.R1, int32(p), "wanted"),
			asm.JEq.Imm(asm.R2, int32(p), "wanted"),
		)
	}
	return append(code,
		asm.Ja.Label("out"),
		asm.Mov.Imm(asm.R1, 0).WithSymbol("wanted"), // only a place to jump to
	)
}

// writeAddresses writes the family and both addresses. A socket of the IPv6
// family has its addresses in the IPv6 fields, mapped ones too.
func writeAddresses(l layout) asm.Instructions {
	code := asm.Instructions{
		asm.LoadMem(asm.R1, rSock, l.family, asm.Half),
		store(recordFamily, asm.R1, asm.Half),
		asm.JEq.Imm(asm.R1, familyIPv6, "IPv6"),
		asm.LoadMem(asm.R1, rSock, l.local4, asm.Word),
		store(recordLocal, asm.R1, asm.Word),
		asm.LoadMem(asm.R1, rSock, l.remote4, asm.Word),
		store(recordRemote, asm.R1, asm.Word),
		asm.Ja.Label("output"),
		asm.Mov.Imm(asm.R1, 0).WithSymbol("IPv6"), // only a place to jump to
	}
	for half := int16(0); half < 16; half += 8 {
		code = append(code,
			asm.LoadMem(asm.R1, rSock, l.local6+half, asm.DWord),
			store(recordLocal+half, asm.R1, asm.DWord),
			asm.LoadMem(asm.R1, rSock, l.remote6+half, asm.DWord),
			store(recordRemote+half, asm.R1, asm.DWord),
		)
	}
	return code
}

// output puts the record into the ring, and counts it where it does not fit.
// Nobody is woken: who drains, polls.
func output(ring, lost *ebpf.Map) asm.Instructions {
	return asm.Instructions{
		asm.LoadMapPtr(asm.R1, ring.FD()).WithSymbol("output"),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, -recordSize),
		asm.Mov.Imm(asm.R3, recordSize),
		asm.Mov.Imm(asm.R4, ringNoWakeup),
		asm.FnRingbufOutput.Call(),
		asm.JEq.Imm(asm.R0, 0, "out"),

		asm.LoadMapValue(asm.R1, lost.FD(), 0).WithSymbol("lost"), // the count's address
		asm.Mov.Imm(asm.R2, 1),
		asm.AddAtomic.Mem(asm.R1, asm.R2, asm.DWord, 0),
	}
}
