package tracepoint

import "socketlab/internal/bpf"

// layout has what the program needs to know of the kernel's types: the offsets of the
// fields that it reads, in bytes from the start of the struct. They differ between
// versions and configurations of the kernel, so they are read from the kernel's
// description of its types (BTF).
type layout struct {
	tracepoint uint32 // the number of the type of the tracepoint's arguments

	// In struct sock_common, the first member of every socket.
	family, net     int16
	local4, remote4 int16
	local6, remote6 int16
	boundPort       int16 // skc_num, in the machine's order
	remotePort      int16 // skc_dport, in the network's order
	lastPort        int16 // inet_sport, in the network's order; in struct tcp_sock
	failure         int16 // sk_err, in struct sock
	inodeOfNet      int16 // in struct net, to which net points
	parent, process int16 // real_parent and tgid, in struct task_struct
}

// readLayout reads the layout. The error Is bpf.ErrNoType if the kernel lacks a field.
func readLayout(t *bpf.Types) (layout, error) {
	var (
		l      layout
		common = "sock_common"
		err    error
	)
	if l.tracepoint, err = t.Find(bpf.KindTypedef, "btf_trace_"+tracepointName); err != nil {
		return layout{}, err
	}
	for _, field := range []struct {
		into *int16
		of   string
		path []string
	}{
		{&l.family, common, []string{"skc_family"}},
		{&l.net, common, []string{"skc_net", "net"}},
		{&l.local4, common, []string{"skc_rcv_saddr"}},
		{&l.remote4, common, []string{"skc_daddr"}},
		{&l.local6, common, []string{"skc_v6_rcv_saddr"}},
		{&l.remote6, common, []string{"skc_v6_daddr"}},
		{&l.boundPort, common, []string{"skc_num"}},
		{&l.remotePort, common, []string{"skc_dport"}},
		{&l.lastPort, "tcp_sock", []string{"inet_conn", "icsk_inet", "inet_sport"}},
		{&l.failure, "sock", []string{"sk_err"}},
		{&l.inodeOfNet, "net", []string{"ns", "inum"}},
		{&l.parent, "task_struct", []string{"real_parent"}},
		{&l.process, "task_struct", []string{"tgid"}},
	} {
		if *field.into, err = t.Offset(field.of, field.path...); err != nil {
			return layout{}, err
		}
	}
	return l, nil
}

// ArgumentsType is the number of the kernel's type of the tracepoint's arguments, for
// programs of others. The error Is [errors.ErrUnsupported] if the kernel does not
// describe it.
func ArgumentsType() (uint32, error) {
	t, err := bpf.KernelTypes()
	if err != nil {
		return 0, err
	}
	defer t.Close()
	return t.Find(bpf.KindTypedef, "btf_trace_"+tracepointName)
}
