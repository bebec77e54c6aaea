package netfault

import (
	"fmt"
	"os"
	"strings"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Two checks guard the machine's own firewall, and anything that is not certain
// is a refusal. To compare with /proc/1/ns/net would not do: it cannot be read
// without privilege, and in a container process 1 is the container's.

// checkUser tells whether the process's user namespace has one user only, as
// internal/worker/netns makes them. The machine's has all of them ("0 0 4294967295" in
// user_namespaces(7)), a container's has a range; so root outside is refused
// before it has opened anything.
func checkUser() error {
	ids, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return fmt.Errorf("%w: %w", ErrOutside, err)
	}
	if f := strings.Fields(string(ids)); len(f) != 3 || f[0] != "0" || f[2] != "1" {
		return fmt.Errorf("%w: the user namespace is not one of a single user (/proc/self/uid_map is %q)", ErrOutside, strings.Join(f, " "))
	}
	return nil
}

// checkSocket tells whether the network that a socket changes belongs to the
// process's own user namespace. A user namespace that was made without a network
// is in somebody else's, which belongs to another. It asks the socket itself
// (SIOCGSKNS in net/socket.c, NS_GET_USERNS in ioctl_nsfs(2)), so that no thread
// that enters another namespace meanwhile can make the answer wrong.
func checkSocket(c *netlink.Conn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrOutside, err)
	}
	var owner unix.Stat_t
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = statOwner(int(fd), &owner) }); err != nil {
		return fmt.Errorf("%w: %w", ErrOutside, err)
	}
	if inner != nil {
		return fmt.Errorf("%w: whose it is cannot be found out: %w", ErrOutside, inner)
	}
	var own unix.Stat_t
	if err := unix.Stat("/proc/self/ns/user", &own); err != nil {
		return fmt.Errorf("%w: %w", ErrOutside, err)
	}
	if owner.Dev != own.Dev || owner.Ino != own.Ino {
		return fmt.Errorf("%w: it belongs to another user namespace", ErrOutside)
	}
	return nil
}

// statOwner looks at the user namespace that a socket's network belongs to.
func statOwner(socket int, owner *unix.Stat_t) error {
	network, err := unix.IoctlRetInt(socket, unix.SIOCGSKNS)
	if err != nil {
		return os.NewSyscallError("SIOCGSKNS", err)
	}
	defer unix.Close(network)
	user, err := unix.IoctlRetInt(network, unix.NS_GET_USERNS)
	if err != nil {
		return os.NewSyscallError("NS_GET_USERNS", err)
	}
	defer unix.Close(user)
	return os.NewSyscallError("fstat", unix.Fstat(user, owner))
}
