package tracepoint

import (
	"fmt"
	"math"

	"github.com/cilium/ebpf/btf"
)

// layout has the offsets of the kernel's fields that the program reads, in bytes from
// the start of the struct. They differ between versions and configurations of the
// kernel, so they are read from the kernel's description of its types (BTF).
type layout struct {
	// In struct sock_common, the first member of every socket.
	family, net     int16
	local4, remote4 int16
	local6, remote6 int16
	boundPort       int16 // skc_num, in the machine's order
	remotePort      int16 // skc_dport, in the network's order
	lastPort        int16 // inet_sport, in the network's order; in struct tcp_sock
	inodeOfNet      int16 // in struct net, to which net points
}

// readLayout reads the layout from BTF. The error Is btf.ErrNotFound if the kernel
// lacks a field.
func readLayout(types *btf.Spec) (layout, error) {
	var (
		l      layout
		common = "sock_common"
	)
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
		{&l.inodeOfNet, "net", []string{"ns", "inum"}},
	} {
		offset, err := offsetOf(types, field.of, field.path)
		if err != nil {
			return layout{}, err
		}
		*field.into = offset
	}
	return l, nil
}

// offsetOf returns the offset in bytes of a member, given by the path of members to it.
func offsetOf(types *btf.Spec, name string, path []string) (int16, error) {
	var outer *btf.Struct
	if err := types.TypeByName(name, &outer); err != nil {
		return 0, err
	}
	var (
		within btf.Type = outer
		offset btf.Bits
	)
	for _, member := range path {
		m, ok := findMember(within, member)
		if !ok {
			return 0, fmt.Errorf("struct %s of this kernel has no %v: %w", name, path, btf.ErrNotFound)
		}
		within, offset = m.Type, offset+m.Offset
	}
	if offset.Bytes() > math.MaxInt16 {
		return 0, fmt.Errorf("struct %s has %v at %d, which is too far", name, path, offset.Bytes())
	}
	return int16(offset.Bytes()), nil
}

// findMember finds a member of a struct or union, also in nested ones without a name,
// as C does. Its Offset is from the start of t.
func findMember(t btf.Type, name string) (btf.Member, bool) {
	var members []btf.Member
	switch t := btf.UnderlyingType(t).(type) {
	case *btf.Struct:
		members = t.Members
	case *btf.Union:
		members = t.Members
	}
	for _, m := range members {
		if m.Name == name {
			return m, true
		}
		if m.Name != "" {
			continue
		}
		if inner, ok := findMember(m.Type, name); ok {
			inner.Offset += m.Offset
			return inner, true
		}
	}
	return btf.Member{}, false
}
