package netfault

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Sysctl sets what the kernel keeps for this process's network namespace, such as
// net.core.somaxconn=4. Its error Is [ErrOutside] where the
// namespace is not one of internal/worker/netns, and [errors.ErrUnsupported] where the
// kernel has no such setting for a namespace, or /proc/sys cannot be written.
func (Changes) Sysctl(settings []string) error {
	if err := checkUser(); err != nil {
		return err
	}
	runtime.LockOSThread() // /proc/thread-self/net is that of the thread that is checked
	defer runtime.UnlockOSThread()
	own, err := netlink.Dial(unix.NETLINK_ROUTE, nil)
	if err != nil {
		return fmt.Errorf("look whose network this is: %w", err)
	}
	defer own.Close()
	if err := checkSocket(own); err != nil {
		return err
	}
	for _, setting := range settings {
		name, value, _ := strings.Cut(setting, "=")
		file := filepath.Join("/proc/sys", strings.ReplaceAll(name, ".", "/"))
		err := os.WriteFile(file, []byte(value), 0)
		for _, none := range []error{unix.ENOENT, unix.EROFS, unix.EACCES, unix.EPERM} {
			if errors.Is(err, none) {
				return fmt.Errorf("%w: set %s for this namespace: %w", errors.ErrUnsupported, name, err)
			}
		}
		if err != nil {
			return fmt.Errorf("set %s to %q for this namespace: %w", name, value, err)
		}
	}
	return nil
}
