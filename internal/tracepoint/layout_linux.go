package tracepoint

import (
	"fmt"
	"math"

	"github.com/cilium/ebpf/btf"
)

// layout is where this kernel keeps what the program reads, in bytes from the
// start of the struct. It differs between kernels' versions and
// configurations, so it is taken from the kernel's own description of its
// types (BTF).
type layout struct {
	// In struct sock_common, with which every socket starts.
	family, net     int16
	local4, remote4 int16
	local6, remote6 int16
	boundPort       int16 // in the machine's order
	remotePort      int16 // in the network's order
	lastPort        int16 // in the network's order; in struct tcp_sock
	inodeOfNet      int16 // in struct net, to which net points
}

// readLayout reads the layout from BTF. Its errors are errors.Is
// btf.ErrNotFound where the kernel has not got what the program needs.
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

// offsetOf returns how many bytes from the start of a struct a member of its
// members is.
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

// findMember finds a member of a struct or union, also inside nameless ones,
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
