package netfault

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// trackTable and translateTable are the names of the tables with the boxes.
const (
	trackTable     = "socketlab-conntrack"
	translateTable = "socketlab-snat"
)

// firstTranslated is the first port that Translate gives a connection. It is below
// the ephemeral ports (net.ipv4.ip_local_port_range is 32768 to 60999 by default),
// which the clients of the namespace use.
const firstTranslated = 20000

// Track puts a stateful firewall in front of a port: it keeps a table of the
// connections to it, of most entries. An entry begins with a SYN and ends timeout
// after the last packet of its connection, also of one that is closed. A packet
// without an entry is dropped: so is a SYN for which there is no room, and everything
// on a connection that was forgotten. It is called once.
//
// The table is a set of nf_tables, and not the kernel's own connection tracking: that
// has one size for all namespaces (net.netfilter.nf_conntrack_max can be written in the
// first one only), and its timeouts are whole seconds.
func (n *Network) Track(port uint16, most int, timeout time.Duration) error {
	table := n.rules.AddTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: trackTable})
	chain := n.rules.AddChain(&nftables.Chain{
		Name: "input", Table: table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookInput, Priority: nftables.ChainPriorityFilter,
	})
	// The client's port is enough to name a connection: all are of loopback, and to
	// one port.
	known := &nftables.Set{
		Table: table, Name: "connections", KeyType: nftables.TypeInetService, KeyByteOrder: binaryutil.BigEndian,
		Dynamic: true, HasTimeout: true, Timeout: timeout, Size: uint32(most),
	}
	if err := n.rules.AddSet(known, nil); err != nil {
		return fmt.Errorf("track connections: %w", err)
	}
	rule := func(parts ...[]expr.Any) {
		var all []expr.Any
		for _, p := range parts {
			all = append(all, p...)
		}
		n.rules.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: all})
	}
	load := func(end uint32) []expr.Any { // the client's port
		return []expr.Any{&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: end, Len: 2}}
	}
	// Where the set is full, this ends the rule (NFT_BREAK in net/netfilter/nft_dynset.c).
	refresh := []expr.Any{&expr.Dynset{
		SrcRegKey: 1, SetName: known.Name, SetID: known.ID, Operation: unix.NFT_DYNSET_OP_UPDATE, Timeout: timeout,
	}}
	isKnown := []expr.Any{&expr.Lookup{SourceRegister: 1, SetName: known.Name, SetID: known.ID}}
	verdict := func(kind expr.VerdictKind) []expr.Any { return []expr.Any{&expr.Verdict{Kind: kind}} }

	to, from := portAt(port, destinationPort), portAt(port, sourcePort)
	rule(to, masked(fin|syn|rst|ack, syn), load(sourcePort), refresh, verdict(expr.VerdictAccept))
	rule(to, load(sourcePort), isKnown, refresh, verdict(expr.VerdictAccept))
	rule(from, load(destinationPort), isKnown, refresh, verdict(expr.VerdictAccept))
	rule(to, verdict(expr.VerdictDrop))
	rule(from, verdict(expr.VerdictDrop))
	return n.flush("track connections", "nf_tables with sets that packets change (CONFIG_NF_TABLES_INET)")
}

// Translate puts a source address translation in front of a port: each connection to
// it gets one of so many ports, and a SYN for which there is none left is dropped. It
// is for IPv4, and is called once.
func (n *Network) Translate(port uint16, ports int) error {
	table := n.rules.AddTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: translateTable})
	chain := n.rules.AddChain(&nftables.Chain{
		Name: "postrouting", Table: table, Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityNATSource,
	})
	immediate := func(register uint32, data []byte) expr.Any { return &expr.Immediate{Register: register, Data: data} }
	n.rules.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: append(portAt(port, destinationPort),
		immediate(1, []byte{127, 0, 0, 1}),
		immediate(2, binary.BigEndian.AppendUint16(nil, firstTranslated)),
		immediate(3, binary.BigEndian.AppendUint16(nil, uint16(firstTranslated+ports-1))),
		&expr.NAT{Type: expr.NATTypeSourceNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 1, RegProtoMin: 2, RegProtoMax: 3},
	)})
	return n.flush("translate addresses", "source address translation in nf_tables (CONFIG_NFT_NAT)")
}

// removeBoxes takes all boxes away.
func (n *Network) removeBoxes() error {
	for _, table := range []*nftables.Table{
		{Family: nftables.TableFamilyINet, Name: trackTable},
		{Family: nftables.TableFamilyIPv4, Name: translateTable},
	} {
		n.rules.AddTable(table) // so that there is one to delete
		n.rules.DelTable(table)
	}
	return n.flush("remove boxes", "nf_tables with inet (CONFIG_NF_TABLES_INET)")
}
