package lab_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"socketlab/internal/lab"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
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

// What it says itself of its end is more than its exit code, and comes before that.
func TestAProgramThatSaidWhyItEndedIsReportedByThat(t *testing.T) {
	t.Parallel()
	err := lab.SendToOneThatEnded("sh", "-c", `echo no such file >&2; echo '{"error": "the command ended: exit status 4"}'; exit 1`)
	require.EqualError(t, err, "program: the command ended: exit status 4\n  no such file")
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

// Its output was closed and its end waited for, which never came.
func TestAProcessThatSaysNonsenseIsEnded(t *testing.T) {
	t.Parallel()
	said, err := lab.SaidBy("sh", "-c", "echo '{\"Listening\": 7}'; exec sleep 600")
	require.NoError(t, err)
	require.Regexp(t, `^process \d+ said something that is no answer: json: .*Listening`, said[0])
	require.Equal(t, "gone", said[1])
}

func TestAProcessThatDoesNotAnswerSaysWhatItDoes(t *testing.T) {
	t.Parallel()
	const hangs = `trap 'echo SIGQUIT: quit >&2; exit 2' QUIT; echo '{"Ready": true}'; while :; do sleep 0.1; done`
	err := lab.AskOneThatDoesNotAnswer(time.Minute, "sh", "-c", hangs)
	require.Regexp(t, `^the program \(process \d+, state: [a-z]+\) did not report within 10s: it was stopped, it hangs, or the machine is too busy\n  SIGQUIT: quit$`, err.Error())

	const stopped = `echo '{"Ready": true}'; kill -STOP $$`
	err = lab.AskOneThatDoesNotAnswer(100*time.Millisecond, "sh", "-c", stopped)
	require.Regexp(t, `too busy$`, err.Error())
}

// It had a limit for each step of the end, one after the other: some 40 seconds, and 16 after
// an interrupt.
func TestAClientThatWasStoppedIsWaitedForOnce(t *testing.T) {
	t.Parallel()
	for name, most := range map[string]time.Duration{"on its own": 24 * time.Second, "interrupted": 10 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			began := time.Now()
			_, err := lab.Play(ctx, lab.Plan{
				Script: script(t, holds), Seed: 1, Source: socketstats.Gopsutil{},
				Observe: func(e series.Event) {
					if e.Header == nil {
						return
					}
					require.NoError(t, unix.Kill(e.Header.Subjects[0].Endpoints.ClientPID, unix.SIGSTOP))
					if name == "interrupted" {
						time.AfterFunc(time.Second, cancel)
					}
				},
			})
			require.Error(t, err)
			require.Less(t, time.Since(began), most, "%v", err)
		})
	}
}
