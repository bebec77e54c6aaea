package netfault

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/google/nftables"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Network is the network of a namespace. Create one with [Open]. It is not safe
// for use by several goroutines at a time.
type Network struct {
	rules    *nftables.Conn
	ruleLink *netlink.Conn // what rules talks over
	route    *netlink.Conn
}

// patience is how long the kernel may take for an answer. It answers within the
// call that sends; but one that has no nf_tables answers a batch of n messages
// once (nfnetlink_rcv_batch in net/netfilter/nfnetlink.c), where the library
// waits for n answers.
const patience = 5 * time.Second

// Open connects to the network of the calling thread, for which it stays good
// whichever thread calls later. It changes nothing yet. Its error Is [ErrOutside]
// where the network is not one of internal/worker/netns.
func Open() (*Network, error) {
	if err := checkUser(); err != nil {
		return nil, err
	}
	runtime.LockOSThread() // both sockets are of the same thread's network
	defer runtime.UnlockOSThread()
	n := &Network{}
	var err error
	n.rules, err = nftables.New(nftables.AsLasting(), nftables.WithSockOptions(func(c *netlink.Conn) error {
		n.ruleLink = c
		return checkSocket(c)
	}))
	if err == nil {
		if n.route, err = netlink.Dial(unix.NETLINK_ROUTE, nil); err == nil {
			err = checkSocket(n.route)
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the namespace's network: %w", lacking("nf_tables", err)), n.hangUp())
	}
	return n, nil
}

// Close makes the network whole again, and ends the connection to it. A process
// that ends without it leaves what it did until the namespace ends.
func (n *Network) Close() error {
	return errors.Join(n.Apply(nil), n.removeBoxes(), n.ClearLink(), n.hangUp())
}

func (n *Network) hangUp() error {
	var errs []error
	for _, c := range []*netlink.Conn{n.ruleLink, n.route} {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

// lacking says in place of an error number that the kernel has not got a
// feature. Such errors Are [errors.ErrUnsupported].
func lacking(what string, err error) error {
	for _, none := range []error{unix.ENOENT, unix.EOPNOTSUPP, unix.EPROTONOSUPPORT, unix.EAFNOSUPPORT} {
		if errors.Is(err, none) {
			return fmt.Errorf("%w: this kernel has not got %s: %w", errors.ErrUnsupported, what, err)
		}
	}
	return err
}
