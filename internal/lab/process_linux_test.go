package lab_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/lab"
)

func init() { programs[fewDescriptors] = inFewDescriptors }

// fewDescriptors makes the test binary a process that may open three descriptors
// more.
const fewDescriptors = "few-descriptors"

// inFewDescriptors opens pipes for a process until there is no descriptor left,
// and says how many files can be opened afterwards.
func inFewDescriptors([]string) int {
	var held []*os.File
	hold := func() bool {
		f, err := os.Open(os.DevNull)
		if err == nil {
			held = append(held, f)
		}
		return err == nil
	}
	limit := unix.Rlimit{Cur: 64, Max: 64}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		fmt.Println(err)
		return 1
	}
	for hold() {
	}
	const free = 3 // one pipe, and half of another
	for range free {
		_ = held[len(held)-1].Close()
		held = held[:len(held)-1]
	}
	err := lab.OpenPipes(3)
	before := len(held)
	for hold() {
	}
	fmt.Printf("%v; then %d", err, len(held)-before)
	return 0
}

func TestPipesThatWereOpenedAreClosedIfALaterOneCannotBe(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	require.NoError(t, err)
	said, err := exec.Command(self, fewDescriptors).Output()
	require.NoError(t, err, "%s", said)
	require.Equal(t, "pipe2: too many open files; then 3", string(said))
}

func TestAProgramThatEndedBeforeItsOrderIsReportedByHowItEnded(t *testing.T) {
	t.Parallel()
	err := lab.SendToOneThatEnded("sh", "-c", "echo no such file >&2; exit 4")
	require.Regexp(t, `^the program \(process \d+\) ended in mid-run: exit status 4\n  no such file$`, err.Error())
}

// A process that was stopped reads no order, and a long one does not fit in its pipe.
func TestAnOrderThatIsNotReadEndsItsProcess(t *testing.T) {
	t.Parallel()
	stopped := []string{"sh", "-c", "sleep 60 & kill -STOP $$"}
	const says = `^the program \(process \d+\) did not read its order within 100ms: it was stopped, or the machine is too busy$`
	require.Regexp(t, says, lab.SendToOneThatDoesNotRead(100*time.Millisecond, nil, stopped...).Error())
	if lab.CanIsolate() != nil {
		return
	}
	n, err := lab.NewNamespace()
	require.NoError(t, err)
	defer n.Close()
	require.Regexp(t, says, lab.SendToOneThatDoesNotRead(100*time.Millisecond, n, stopped...).Error())
}
