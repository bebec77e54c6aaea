package netfault

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

const (
	loopback    = 1       // its index in every namespace (LOOPBACK_IFINDEX in include/net/flow.h)
	loopbackMTU = 1 << 16 // as it is made (drivers/net/loopback.c)
	// slowMTU is an ethernet's. A bucket must hold a whole packet, and one of
	// 64 KiB takes a quarter of a second at 2 Mbit/s.
	slowMTU = 1500

	// Of include/uapi/linux/pkt_sched.h, which x/sys has not got.
	root               = 0xFFFFFFFF // TC_H_ROOT
	linklayerEthernet  = 1          // TC_LINKLAYER_ETHERNET
	tbfParms, tbfBurst = 1, 6       // TCA_TBF_PARMS, TCA_TBF_BURST
)

// SlowLink lets the loopback device pass so many bits a second, headers
// included, and both directions together. What does not pass at once waits in a
// queue that takes queue to empty; what does not fit in it is lost. In place of
// an earlier SlowLink, it changes its numbers.
func (n *Network) SlowLink(bitsPerSecond int, queue time.Duration) error {
	rate := bitsPerSecond / 8
	if rate < 1 || uint64(rate) > math.MaxUint32 || queue < 0 {
		return fmt.Errorf("slow the link to %d bit/s with a queue of %s: out of range", bitsPerSecond, queue)
	}
	// 10 ms of the rate, or the two packets without which it could not be
	// kept up: a packet of the MTU has 14 bytes more.
	burst := max(rate/100, 2*slowMTU+100)
	// The least queue has the ten packets that TCP begins with (RFC 6928).
	limit := min(max(float64(rate)*queue.Seconds(), 10*(slowMTU+14))+float64(burst), math.MaxUint32)
	// The kernel ignores fields that stay zero here: it takes the burst in bytes
	// from TCA_TBF_BURST, and needs no table for a link layer that is known
	// (tbf_change in net/sched/sch_tbf.c, Linux 6.18).
	parms := make([]byte, 36) // struct tc_tbf_qopt, begins with struct tc_ratespec
	parms[1] = linklayerEthernet
	binary.NativeEndian.PutUint32(parms[8:], uint32(rate))
	binary.NativeEndian.PutUint32(parms[24:], uint32(limit))

	err := n.setMTU(slowMTU) // first: larger packets would never fit
	if err == nil {
		err = n.ask(unix.RTM_NEWQDISC, netlink.Create|netlink.Replace, rootQueue(), func(a *netlink.AttributeEncoder) {
			a.String(unix.TCA_KIND, "tbf")
			a.Nested(unix.TCA_OPTIONS, func(a *netlink.AttributeEncoder) error {
				a.Bytes(tbfParms, parms)
				a.Uint32(tbfBurst, uint32(burst))
				return nil
			})
		})
	}
	if err != nil {
		return errors.Join(fmt.Errorf("slow the link: %w", lacking("tbf (CONFIG_NET_SCH_TBF)", err)), n.ClearLink())
	}
	return nil
}

// ClearLink makes the loopback device as fast as it was. What waits is lost, and
// sent again by TCP.
func (n *Network) ClearLink() error {
	err := n.ask(unix.RTM_DELQDISC, 0, rootQueue(), func(*netlink.AttributeEncoder) {})
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) {
		err = nil // there is none; or the kernel has none to offer
	}
	if err = errors.Join(err, n.setMTU(loopbackMTU)); err != nil {
		return fmt.Errorf("clear the link: %w", err)
	}
	return nil
}

func (n *Network) setMTU(mtu uint32) error {
	device := make([]byte, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(device[4:], loopback)
	return n.ask(unix.RTM_NEWLINK, 0, device, func(a *netlink.AttributeEncoder) { a.Uint32(unix.IFLA_MTU, mtu) })
}

// rootQueue is a struct tcmsg for the loopback device's queueing discipline.
func rootQueue() []byte {
	m := make([]byte, 20)
	binary.NativeEndian.PutUint32(m[4:], loopback)
	binary.NativeEndian.PutUint32(m[12:], root)
	return m
}

// ask sends one message and waits until the kernel has done what it says.
func (n *Network) ask(kind netlink.HeaderType, more netlink.HeaderFlags, head []byte, attributes func(*netlink.AttributeEncoder)) error {
	a := netlink.NewAttributeEncoder()
	attributes(a)
	tail, err := a.Encode()
	if err == nil {
		err = n.route.SetDeadline(time.Now().Add(patience))
	}
	if err == nil {
		_, err = n.route.Execute(netlink.Message{
			Header: netlink.Header{Type: kind, Flags: netlink.Request | netlink.Acknowledge | more},
			Data:   append(head, tail...),
		})
	}
	return err
}
