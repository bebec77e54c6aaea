package socketstats_test

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socketlab/internal/socketstats"
	"socketlab/internal/socketstats/netnstest"
	"socketlab/internal/socketstats/statefixture"
)

func TestMain(m *testing.M) {
	statefixture.Child(map[string]statefixture.Role{
		roleCheck: check, roleBare: bare, roleThreads: threads, roleList: list,
	})
	netnstest.Enter()
	code := m.Run()
	// Fuzzing leaves a goroutine of os/signal's.
	if left := leftBehind(); left != "" && flag.Lookup("test.fuzz").Value.String() == "" {
		fmt.Fprintln(os.Stderr, "the tests left behind", left)
		code = 1
	}
	os.Exit(code)
}

// leftBehind says which goroutine, socket or child the tests did not end.
func leftBehind() string {
	fds, _ := os.ReadDir("/proc/self/fd")
	for _, fd := range fds {
		link, _ := os.Readlink("/proc/self/fd/" + fd.Name())
		if strings.HasPrefix(link, "socket:") {
			return link
		}
	}
	if _, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); !errors.Is(err, syscall.ECHILD) {
		return "a child process"
	}
	limit, tick := time.After(time.Minute), time.NewTicker(time.Millisecond)
	for runtime.NumGoroutine() > 1 { // a goroutine may still be on its way out
		select {
		case <-tick.C:
		case <-limit:
			stacks := make([]byte, 1<<20)
			return "goroutines:\n" + string(stacks[:runtime.Stack(stacks, true)])
		}
	}
	return ""
}

// roleCheck is a process that asks for another process's sockets.
const roleCheck = "check"

func check(args []string) string {
	pid, err := strconv.ParseInt(args[0], 10, 32)
	if err != nil {
		return err.Error()
	}
	switch err := socketstats.CheckProcess(int32(pid)); {
	case err == nil:
		return "allowed"
	case errors.Is(err, socketstats.ErrNotAllowed):
		return "not allowed"
	case errors.Is(err, socketstats.ErrNoProcess):
		return "no process"
	default:
		return err.Error()
	}
}

// roleThreads is a process of many threads.
const roleThreads = "threads"

func threads([]string) string {
	var started sync.WaitGroup
	for range 100 {
		started.Add(1)
		go func() {
			runtime.LockOSThread()
			started.Done()
			select {}
		}()
	}
	started.Wait()
	return "threads"
}

// roleBare is a process without a single descriptor.
const roleBare = "bare"

func bare([]string) string {
	fmt.Println("bare")
	_ = unix.CloseRange(0, math.MaxUint32, 0)
	// It cannot learn that its test was killed, so it ends by itself. A timer
	// would open descriptors of the runtime's.
	_, _ = unix.Poll(nil, 60_000)
	return ""
}
