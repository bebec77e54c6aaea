package socketstats_test

import (
	"math"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/socketstats"
	"socketlab/internal/socketstats/statefixture"
)

// requireRefused asks for a process whose sockets cannot be seen.
func requireRefused(t *testing.T, pid int32, want error) {
	t.Helper()
	err := socketstats.CheckProcess(pid)
	require.ErrorIs(t, err, want)
	require.ErrorContains(t, err, strconv.Itoa(int(pid)), "the error must name the process")
}

// ofProcess lists the sockets that a process holds.
func ofProcess(t *testing.T, src socketstats.Source, pid int32) []socketstats.Socket {
	t.Helper()
	all, err := src.Sockets(t.Context(), socketstats.Query{Owners: true})
	require.NoError(t, err)
	return slices.DeleteFunc(all, func(s socketstats.Socket) bool { return s.PID != pid })
}

func TestAProcessesOwnSocketsAreListed(t *testing.T) {
	require.NoError(t, socketstats.CheckProcess(int32(os.Getpid())))
	for _, src := range sources(t) {
		fixture := statefixture.New(t, statefixture.IPv4)
		fixture.Established()
		fixture.TimeWait(client)
		fixture.Orphan(client)
		fixture.Unaccepted()
		helper := fixture.ListenElsewhere()

		var owned []socketstats.Socket
		for _, s := range fixture.Sockets() {
			if s.PID == int32(os.Getpid()) {
				owned = append(owned, s)
			}
		}
		held := ofProcess(t, src, int32(os.Getpid()))
		require.Equal(t, statefixture.Lines(owned), statefixture.Lines(fixture.Mine(held)))
		require.Equal(t, statefixture.Lines([]socketstats.Socket{
			{Local: fixture.Listener(), State: socketstats.Listen, PID: helper},
		}), statefixture.Lines(ofProcess(t, src, helper)))
	}
}

func TestAProcessWithoutSocketsHasAnEmptyList(t *testing.T) {
	idle := statefixture.Start(t, nil, statefixture.RoleIdle)
	for _, src := range sources(t) {
		require.Empty(t, ofProcess(t, src, idle.PID))
	}
}

// Unlike a zombie's, its list of descriptors is empty for a good reason.
func TestAProcessWithoutDescriptorsIsAProcess(t *testing.T) {
	bare := statefixture.Start(t, nil, roleBare)
	require.Eventually(t, func() bool {
		fds, err := os.ReadDir("/proc/" + strconv.Itoa(int(bare.PID)) + "/fd")
		return err == nil && len(fds) == 0
	}, time.Minute, time.Millisecond)
	require.NoError(t, socketstats.CheckProcess(bare.PID))
}

// Its first thread may have lost its namespaces while another one still has them.
func TestAProcessThatIsKilledHasItsNamespaceUntilItHasNone(t *testing.T) {
	for range 20 {
		helper := statefixture.Start(t, nil, roleThreads)
		process, err := os.FindProcess(int(helper.PID))
		require.NoError(t, err)
		require.NoError(t, process.Kill())
		_, err = socketstats.NamespaceOf(helper.PID)
		for err == nil {
			_, err = socketstats.NamespaceOf(helper.PID)
		}
		_, again := socketstats.NamespaceOf(helper.PID)
		require.Error(t, again, "after %v", err)
	}
}

func TestAMissingProcessIsNoProcess(t *testing.T) {
	gone := exec.Command("true")
	require.NoError(t, gone.Run())
	for name, pid := range map[string]int32{
		"a process that has ended":    int32(gone.Process.Pid),
		"an id above the kernel's":    math.MaxInt32,
		"pid 0, which is no owner":    0,
		"a negative id":               -1,
		"the most negative id":        math.MinInt32,
		"a thread, which owns no pid": someThread(t),
	} {
		t.Run(name, func(t *testing.T) { requireRefused(t, pid, socketstats.ErrNoProcess) })
	}
}

func TestTheErrorOfAThreadNamesItsProcess(t *testing.T) {
	err := socketstats.CheckProcess(someThread(t))
	require.ErrorContains(t, err, "it is a thread of process "+strconv.Itoa(os.Getpid()))
}

func TestAThreadOfTheKernelIsNoProcess(t *testing.T) {
	const kthreadd = 2
	name, err := os.ReadFile("/proc/2/comm")
	if err != nil || string(name) != "kthreadd\n" {
		t.Skip("the kernel's threads are not seen in here")
	}
	requireRefused(t, kthreadd, socketstats.ErrKernelThread)
	info, err := socketstats.ReadProcess(kthreadd)
	require.NoError(t, err)
	require.True(t, info.Kernel)
	own, err := socketstats.ReadProcess(int32(os.Getpid()))
	require.NoError(t, err)
	require.False(t, own.Kernel)
}

// someThread returns a thread that is not its process's first one. The kernel
// shows it under /proc/TID just like a process, though in no listing of /proc.
func someThread(t *testing.T) int32 {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	require.NoError(t, err)
	for _, task := range tasks {
		if tid, err := strconv.Atoi(task.Name()); err == nil && tid != os.Getpid() {
			return int32(tid)
		}
	}
	t.Fatal("this process has one thread only")
	return 0
}

// startZombie returns a process that has exited and is not waited for until
// the test ends.
func startZombie(t *testing.T) int32 {
	t.Helper()
	cmd := exec.Command("true")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Wait() })
	var exited unix.Siginfo
	require.NoError(t, unix.Waitid(unix.P_PID, cmd.Process.Pid, &exited, unix.WEXITED|unix.WNOWAIT, nil))
	return int32(cmd.Process.Pid)
}

// The kernel keeps a zombie's /proc/PID/fd: the superuser reads it as empty,
// and to anybody else it is root's.
func TestAZombieIsNoProcess(t *testing.T) {
	zombie := startZombie(t)
	requireRefused(t, zombie, socketstats.ErrNoProcess)

	t.Run("asked for by another user", func(t *testing.T) {
		helper := startAsNobody(t, roleCheck, strconv.Itoa(int(zombie)))
		require.Equal(t, "no process", helper.Said)
	})
}

// There is a moment in which the descriptors of a process that ends are root's to read.
// It is met a few times in a hundred, and only without privilege.
func TestAProcessThatEndsIsNotForbidden(t *testing.T) {
	for range 100 {
		cmd := exec.Command("sleep", "60")
		require.NoError(t, cmd.Start())
		require.NoError(t, cmd.Process.Kill())
		var err error
		for begun := time.Now(); err == nil && time.Since(begun) < time.Minute; {
			err = socketstats.CheckProcess(int32(cmd.Process.Pid))
		}
		require.Error(t, cmd.Wait())
		require.ErrorIs(t, err, socketstats.ErrNoProcess)
	}
}

const nobody = 65534

func startAsNobody(t *testing.T, role string, args ...string) statefixture.Helper {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can be another user")
	}
	return statefixture.Start(t, func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}, role, args...)
}

func TestAnotherUsersProcessIsNotAllowed(t *testing.T) {
	if os.Getuid() == 0 {
		helper := startAsNobody(t, roleCheck, strconv.Itoa(os.Getpid()))
		require.Equal(t, "not allowed", helper.Said)
		return
	}
	if owner, err := os.Stat("/proc/1"); err != nil || owner.Sys().(*syscall.Stat_t).Uid == uint32(os.Getuid()) {
		t.Skip("there is no process of another user to ask for")
	}
	requireRefused(t, 1, socketstats.ErrNotAllowed)
}

// The superuser of an ordinary container lists another user's descriptors but
// may not see what they are: it lacks CAP_SYS_PTRACE.
func TestDescriptorsThatCannotBeReadAreNotAllowed(t *testing.T) {
	helper := startAsNobody(t, statefixture.RoleIdle)
	runtime.LockOSThread() // never unlocked: the thread ends with the test
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	require.NoError(t, unix.Capget(&header, &caps[0]))
	if caps[0].Effective&(1<<unix.CAP_SYS_PTRACE) != 0 {
		require.NoError(t, socketstats.CheckProcess(helper.PID))
		caps[0].Effective &^= 1 << unix.CAP_SYS_PTRACE
		require.NoError(t, unix.Capset(&header, &caps[0]))
	}
	_, err := os.ReadDir("/proc/" + strconv.Itoa(int(helper.PID)) + "/fd")
	require.NoError(t, err, "the list itself can be read")
	requireRefused(t, helper.PID, socketstats.ErrNotAllowed)
}

// gopsutil gives up when a process vanishes under it; a zombie must not be
// taken for that, or one would blind us for as long as it lies around.
func TestAZombieDoesNotHinderListing(t *testing.T) {
	startZombie(t)
	for _, src := range sources(t) {
		fixture := statefixture.New(t, statefixture.IPv4)
		fixture.Established()
		fixture.RequireListedBy(src)
	}
}

func TestNoDescriptorsLeftToAskWithIsAnError(t *testing.T) {
	var limit unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	none := limit
	none.Cur = 0
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &none))
	err := socketstats.CheckProcess(int32(os.Getpid()))
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &limit))
	require.ErrorIs(t, err, syscall.EMFILE)
	require.NotErrorIs(t, err, socketstats.ErrNoProcess)
}
