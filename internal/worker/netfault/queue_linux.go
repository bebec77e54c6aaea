package netfault

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Queue holds the TCP segments of a port before their sockets get them. Create one
// with [Network.Hold]. It is for one goroutine.
type Queue struct{ conn *netlink.Conn }

// Held is a segment that waits in a queue.
type Held struct {
	// Packet begins with the IP header. Its checksums are right.
	Packet []byte

	id uint32
}

// The messages of nfnetlink_queue (include/uapi/linux/netfilter/nfnetlink_queue.h).
const (
	queuePacket  = unix.NFNL_SUBSYS_QUEUE << 8   // NFQNL_MSG_PACKET, 0
	queueVerdict = unix.NFNL_SUBSYS_QUEUE<<8 | 1 // NFQNL_MSG_VERDICT
	queueConfig  = unix.NFNL_SUBSYS_QUEUE<<8 | 2 // NFQNL_MSG_CONFIG

	configCommand, configParams              = 1, 2     // NFQA_CFG_CMD, NFQA_CFG_PARAMS
	packetHeader, verdictHeader, packetBytes = 1, 2, 10 // NFQA_PACKET_HDR, NFQA_VERDICT_HDR, NFQA_PAYLOAD

	bind, copyPacket = 1, 2 // NFQNL_CFG_CMD_BIND, NFQNL_COPY_PACKET
	verdictDrop      = 0    // NF_DROP
	verdictAccept    = 1    // NF_ACCEPT
)

// Hold makes every TCP segment to and from a port wait in the queue that it returns,
// in place of earlier rules. A segment whose queue is closed is lost. The caller
// closes the queue before the network.
func (n *Network) Hold(port uint16) (*Queue, error) {
	c, err := netlink.Dial(unix.NETLINK_NETFILTER, nil)
	if err == nil {
		err = checkSocket(c)
	}
	if err != nil {
		return nil, fmt.Errorf("hold segments: %w", lacking("netfilter", err))
	}
	q := &Queue{c}
	err = q.configure(configCommand, []byte{bind, 0, 0, 0})
	if err == nil {
		err = q.configure(configParams, []byte{0, 0, 0xff, 0xff, copyPacket}) // whole packets
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("hold segments: %w", lacking("nfnetlink_queue (CONFIG_NETFILTER_NETLINK_QUEUE)", err)), q.Close())
	}
	if err = n.Apply([]Rule{{Port: port, Do: hold, Which: All}}); errors.Is(err, errors.ErrUnsupported) {
		err = n.Apply([]Rule{{Port: port, Do: holdXT, Which: All}})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("hold segments (CONFIG_NFT_QUEUE, or CONFIG_NFT_COMPAT and CONFIG_NETFILTER_XT_TARGET_NFQUEUE): %w", err), q.Close())
	}
	return q, nil
}

// Close ends the queue.
func (q *Queue) Close() error { return q.conn.Close() }

// Next waits for the next segment, in their order. Its error Is
// [os.ErrDeadlineExceeded] if none comes in time.
func (q *Queue) Next(wait time.Duration) (Held, error) {
	if err := q.conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return Held{}, err
	}
	for {
		messages, err := q.conn.Receive()
		if err != nil {
			return Held{}, fmt.Errorf("take a segment from the queue: %w", err)
		}
		for _, m := range messages { // the kernel sends one at a time
			if m.Header.Type == queuePacket && len(m.Data) >= 4 {
				return held(m.Data[4:])
			}
		}
	}
}

func held(b []byte) (Held, error) {
	attributes, err := netlink.UnmarshalAttributes(b)
	if err != nil {
		return Held{}, err
	}
	h := Held{}
	for _, a := range attributes {
		switch {
		case a.Type == packetHeader && len(a.Data) >= 4:
			h.id = binary.BigEndian.Uint32(a.Data)
		case a.Type == packetBytes:
			h.Packet = a.Data
		}
	}
	return h, nil
}

// Accept lets a segment go on to its socket, which has it when Accept returns, unless
// a system call is using the socket at that moment.
func (q *Queue) Accept(h Held) error { return q.decide(h, verdictAccept) }

// Drop loses a segment, as a network may.
func (q *Queue) Drop(h Held) error { return q.decide(h, verdictDrop) }

func (q *Queue) decide(h Held, verdict uint32) error {
	b := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, verdict), h.id)
	m, err := queueMessage(queueVerdict, verdictHeader, b)
	if err == nil {
		_, err = q.conn.Send(m)
	}
	if err != nil {
		return fmt.Errorf("decide on a held segment: %w", err)
	}
	return nil
}

func (q *Queue) configure(attribute uint16, value []byte) error {
	m, err := queueMessage(queueConfig, attribute, value)
	if err == nil {
		m.Header.Flags |= netlink.Acknowledge
		err = q.conn.SetDeadline(time.Now().Add(patience))
	}
	if err == nil {
		_, err = q.conn.Execute(m)
	}
	return errors.Join(err, q.conn.SetDeadline(time.Time{}))
}

// queueMessage is a message about queue 0 with one attribute.
func queueMessage(kind netlink.HeaderType, attribute uint16, value []byte) (netlink.Message, error) {
	a := netlink.NewAttributeEncoder()
	a.Bytes(attribute, value)
	b, err := a.Encode()
	return netlink.Message{
		Header: netlink.Header{Type: kind, Flags: netlink.Request},
		Data:   append(make([]byte, 4), b...), // struct nfgenmsg
	}, err
}
