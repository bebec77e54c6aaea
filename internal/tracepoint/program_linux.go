package tracepoint

import (
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// The program's registers. Calls overwrite R0 to R5.
const (
	rSock = asm.R6 // the tracepoint's argument: struct sock
	rTCP  = asm.R7 // the same socket, as a struct tcp_sock
	rFrom = asm.R8
	rTo   = asm.R9
)

const (
	tracepointName = "inet_sock_set_state"
	tracepointSock = 0 // the offset of the argument in the context, in bytes; so are the next two
	tracepointFrom = 8
	tracepointTo   = 16

	// The kernel's numbers: include/net/tcp_states.h, include/uapi/linux/bpf.h.
	tcpSynSent    = 2
	tcpClose      = 7
	storageCreate = 1 // BPF_SK_STORAGE_GET_F_CREATE
	ringNoWakeup  = 1 // BPF_RB_NO_WAKEUP
)

// programSpec is a program for the raw tracepoint with BTF types, so that the verifier
// refuses to read outside of the arguments' types.
func programSpec(code asm.Instructions) *ebpf.ProgramSpec {
	return &ebpf.ProgramSpec{
		Name: "sockwatch", Type: ebpf.Tracing, AttachType: ebpf.AttachTraceRawTp, AttachTo: tracepointName,
		Instructions: code,
		License:      "Dual MIT/GPL", // only a GPL program may read the kernel's structs (check_ptr_to_btf_access in kernel/bpf/verifier.c)
	}
}

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
func program(l layout, o Options, m maps, copied bool) asm.Instructions {
	code := asm.Instructions{
		asm.LoadMem(rSock, asm.R1, tracepointSock, asm.DWord),
		asm.LoadMem(rFrom, asm.R1, tracepointFrom, asm.DWord),
		asm.LoadMem(rTo, asm.R1, tracepointTo, asm.DWord),

		// Another network namespace?
		asm.LoadMem(asm.R2, rSock, l.net, asm.DWord),
		asm.LoadMem(asm.R2, asm.R2, l.inodeOfNet, asm.Word),
		asm.JNE.Imm32(asm.R2, int32(o.NetNS), "out"),

		// The tracepoint also reports MPTCP, DCCP and SCTP. An MPTCP socket, such
		// as Go's listeners are, has TCP sockets below it, which are reported.
		// This call returns 0 for every protocol but TCP (net/core/filter.c,
		// bpf_skc_to_tcp_sock). It also tells the verifier that the fields of
		// struct tcp_sock may be read.
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

// store writes a field of the record, which is built on the stack.
func store(at int16, src asm.Register, size asm.Size) asm.Instruction {
	return asm.StoreMem(asm.RFP, at-recordSize, src, size)
}

// stored reads a field of the record.
func stored(dst asm.Register, at int16, size asm.Size) asm.Instruction {
	return asm.LoadMem(dst, asm.RFP, at-recordSize, size)
}

// zeroRecord clears the record. The verifier requires that every byte is written,
// because others would show what was on the stack before.
func zeroRecord() asm.Instructions {
	code := asm.Instructions{asm.Mov.Imm(asm.R1, 0)}
	for at := int16(0); at < recordSize; at += 8 {
		code = append(code, store(at, asm.R1, asm.DWord))
	}
	return code
}

// remember writes the stored fields of the socket into the record, and stores those
// of this transition for the next one. It comes before the filter by port, because a
// client's port may not be known yet.
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

		// An accepted connection's socket begins as a copy of the listener, but
		// without its storage: only storage with BPF_F_CLONE is copied.
		asm.LoadMapPtr(asm.R1, memory.FD()),
		asm.Mov.Reg(asm.R2, rSock),
		asm.Mov.Imm(asm.R3, 0), // new storage is zero
		asm.Mov.Imm(asm.R4, storageCreate),
		asm.FnSkStorageGet.Call(),
		asm.JEq.Imm(asm.R0, 0, noMemory),

		// Has the other copy of this program done the work? Nobody else can
		// have: the kernel holds the socket's lock. This also drops a transition
		// to the same state: MPTCP sets FIN_WAIT2 where it is set already.
		asm.LoadMem(asm.R1, asm.R0, memoryState, asm.Word),
		asm.JEq.Reg(asm.R1, rTo, "out"),
		store(recordKnown, asm.R1, asm.Half),
		asm.StoreMem(asm.R0, memoryState, rTo, asm.Word),

		asm.LoadMem(asm.R1, asm.R0, memorySince, asm.DWord),
		store(recordSince, asm.R1, asm.DWord),
		stored(asm.R1, recordAt, asm.DWord),
		asm.StoreMem(asm.R0, memorySince, asm.R1, asm.DWord),

		// From CLOSE: the program called connect(2), a second time after
		// connect(2) to AF_UNSPEC, or listen(2). Only here is the running
		// process the one that did so. Other transitions happen in softirqs, in
		// whatever process they interrupted.
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

// writePorts writes both ports, and ends the program if neither is in ports.
//
// The local port is in two fields. One is already 0 at the transition to CLOSE,
// unless the program bound the socket (net/ipv4/tcp.c, tcp_set_state;
// inet_hashtables.c, inet_put_port). The other still has the port of the last
// connection at the transition from CLOSE.
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
		asm.Mov.Imm(asm.R1, 0).WithSymbol("wanted"), // only the target of the jump
	)
}

// writeAddresses writes the family and both addresses. An IPv6 socket has also IPv4
// addresses in the IPv6 fields, mapped.
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
		asm.Mov.Imm(asm.R1, 0).WithSymbol("IPv6"), // only the target of the jump
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

// output writes the record into the ring buffer, or counts it as lost if there is no
// room. It wakes no reader, because Drain does not wait.
func output(ring, lost *ebpf.Map) asm.Instructions {
	return asm.Instructions{
		asm.LoadMapPtr(asm.R1, ring.FD()).WithSymbol("output"),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, -recordSize),
		asm.Mov.Imm(asm.R3, recordSize),
		asm.Mov.Imm(asm.R4, ringNoWakeup),
		asm.FnRingbufOutput.Call(),
		asm.JEq.Imm(asm.R0, 0, "out"),

		asm.LoadMapValue(asm.R1, lost.FD(), 0).WithSymbol("lost"), // the address of the count
		asm.Mov.Imm(asm.R2, 1),
		asm.AddAtomic.Mem(asm.R1, asm.R2, asm.DWord, 0),
	}
}
