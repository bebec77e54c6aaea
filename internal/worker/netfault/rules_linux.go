package netfault

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
	"golang.org/x/sys/unix"
)

// Apply puts these rules in the place of all earlier ones, at once: no packet
// meets some of the old and some of the new. The first rule that fits a packet
// decides; a packet that none fits passes. No rules heal the network.
func (n *Network) Apply(rules []Rule) error {
	for _, r := range rules {
		if err := r.check(); err != nil {
			return err
		}
	}
	// To add, delete and add again in one batch is nft's own way to replace a
	// table that may be there or not ("Atomic rule replacement", nft(8)).
	table := &nftables.Table{Family: nftables.TableFamilyINet, Name: "socketlab"}
	n.rules.AddTable(table)
	n.rules.DelTable(table)
	if len(rules) > 0 {
		n.rules.AddTable(table)
		// On the loopback device both directions arrive, so input is enough,
		// and the kernel limits no ICMP that answers what arrived there
		// (icmp_global_allow is asked of other devices only; net/ipv4/icmp.c).
		chain := n.rules.AddChain(&nftables.Chain{
			Name: "input", Table: table, Type: nftables.ChainTypeFilter,
			Hooknum: nftables.ChainHookInput, Priority: nftables.ChainPriorityFilter,
		})
		for _, r := range rules {
			for _, match := range r.matches() {
				n.rules.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: append(append(match, r.counted()...), r.verdict())})
			}
		}
	}
	return n.flush("apply rules", "nf_tables with inet, reject and numgen (CONFIG_NF_TABLES_INET, CONFIG_NFT_REJECT_INET, CONFIG_NFT_NUMGEN)")
}

// flush sends what was added to the kernel as one batch. Of its errors, those that say
// that the kernel lacks what the batch needs Are [errors.ErrUnsupported].
func (n *Network) flush(what, needs string) error {
	if err := n.ruleLink.SetDeadline(time.Now().Add(patience)); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := n.rules.Flush(); err != nil {
		return fmt.Errorf("%s: %w", what, lacking(needs, err))
	}
	return nil
}

// Where things are in a TCP header, and its flags (RFC 9293, section 3.1).
const (
	sourcePort, destinationPort, flags = 0, 2, 13

	fin, syn, rst, ack = 1, 2, 4, 16
)

// matches are the conditions under which the rule holds: one of them will do.
func (r Rule) matches() [][]expr.Any {
	if r.Which == New {
		return [][]expr.Any{append(r.port(destinationPort), masked(fin|syn|rst|ack, syn)...)}
	}
	var all [][]expr.Any
	for _, end := range []uint32{sourcePort, destinationPort} {
		match := r.port(end)
		if r.Do == Reset { // the resets, which are of the same connection, are to arrive
			match = append(match, masked(rst, 0)...)
		}
		if r.Which == FIN {
			match = append(match, masked(fin, fin)...)
		}
		all = append(all, match)
	}
	return all
}

// port fits TCP packets that have the rule's port at an end.
func (r Rule) port(end uint32) []expr.Any { return portAt(r.Port, end) }

// portAt fits TCP packets that have a port at an end.
func portAt(port uint16, end uint32) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: end, Len: 2},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binary.BigEndian.AppendUint16(nil, port)},
	}
}

// masked fits TCP packets that have, of the flags in the mask, those in want.
func masked(mask, want byte) []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: flags, Len: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 1, Mask: []byte{mask}, Xor: []byte{0}},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{want}},
	}
}

// counted fits, of the packets that all conditions before it fit, the last one in every
// OneIn. The first is not meant: that would be the SYN, which is sent again after a
// second only.
func (r Rule) counted() []expr.Any {
	if r.OneIn == 0 {
		return nil
	}
	return []expr.Any{
		&expr.Numgen{Register: 1, Modulus: uint32(r.OneIn), Type: unix.NFT_NG_INCREMENTAL},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binary.NativeEndian.AppendUint32(nil, uint32(r.OneIn-1))},
	}
}

func (r Rule) verdict() expr.Any {
	switch r.Do {
	case Reject:
		return &expr.Reject{Type: unix.NFT_REJECT_ICMPX_UNREACH, Code: unix.NFT_REJECT_ICMPX_PORT_UNREACH}
	case RejectHost:
		return &expr.Reject{Type: unix.NFT_REJECT_ICMPX_UNREACH, Code: unix.NFT_REJECT_ICMPX_HOST_UNREACH}
	case Reset:
		return &expr.Reject{Type: unix.NFT_REJECT_TCP_RST}
	case hold:
		return &expr.Queue{} // 0
	case holdXT:
		info := xt.Unknown(make([]byte, 8)) // struct xt_NFQ_info: queue 0
		return &expr.Target{Name: "NFQUEUE", Info: &info}
	default:
		return &expr.Verdict{Kind: expr.VerdictDrop}
	}
}
