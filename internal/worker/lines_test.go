package worker

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"socketlab/internal/loadgen"
)

// Answers come in any order by their number, and without one they are about the oldest
// request that waits.
func TestAnswersFindTheirRequests(t *testing.T) {
	t.Parallel()
	requests, theirs := io.Pipe()
	l := &lines{url: "http://test/", in: theirs, waiting: map[int]chan string{}}
	asked := make(chan string, 10)
	go func() {
		buffer := make([]byte, 100)
		for {
			n, err := requests.Read(buffer)
			if err != nil {
				return
			}
			asked <- string(buffer[:n])
		}
	}()
	var all sync.WaitGroup
	ends := make([]error, 5)
	for i := range ends {
		all.Go(func() { ends[i] = l.Call(context.Background()) })
		require.Equal(t, string(rune('1'+i))+" http://test/\n", <-asked)
	}
	l.answer("3 HTTP_503")
	l.answer("")
	l.answer("ok") // the first
	l.answer("3 ok")
	l.answer("99 ok")
	l.answer("connection refused by the host") // the second
	l.answer("5  ok ")
	l.read(io.NopCloser(&io.LimitedReader{})) // the end of its output
	all.Wait()
	require.NoError(t, ends[0])
	require.Equal(t, "ECONNREFUSED", loadgen.ErrorName(ends[1]))
	require.Equal(t, "HTTP_503", loadgen.ErrorName(ends[2]))
	require.ErrorIs(t, ends[3], errProgramEnded)
	require.NoError(t, ends[4])
	require.ErrorIs(t, l.Call(context.Background()), errProgramEnded)
	require.Equal(t, map[string]string{"ECONNREFUSED": "connection refused by the host"}, l.errorTexts(), "HTTP_503 is a name already")
}

// Of each error the first text is kept, and of all no more than a report can hold.
func TestTextsOfErrorsAreBounded(t *testing.T) {
	t.Parallel()
	l := &lines{}
	l.keep("no price: 404")
	l.keep("no price: 405")
	require.Equal(t, map[string]string{"other": "no price: 404"}, l.errorTexts())
	l.keep("connection reset " + strings.Repeat("é", 10_000))
	require.LessOrEqual(t, len(l.errorTexts()["ECONNRESET"]), maxText)
	require.True(t, utf8.ValidString(l.errorTexts()["ECONNRESET"]))
}

// Answers are taken also while a request waits for room in a pipe that is not read, and
// after a line of any length.
func TestAnswersAreTakenWhileTheProgramReadsNothing(t *testing.T) {
	t.Parallel()
	requests, theirs := io.Pipe()
	l := &lines{url: "http://test/", in: theirs, waiting: map[int]chan string{}}
	ends := make([]chan error, 2)
	for i := range ends {
		ends[i] = make(chan error, 1)
		go func() { ends[i] <- l.Call(context.Background()) }()
		if i == 0 {
			_, err := requests.Read(make([]byte, 100))
			require.NoError(t, err)
		}
	}
	require.Eventually(t, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.last == 2
	}, time.Minute, time.Millisecond)
	l.read(io.NopCloser(strings.NewReader("99 " + strings.Repeat("z", 1<<20) + "\n1 ok\n")))
	require.NoError(t, <-ends[0])
	require.NoError(t, requests.Close())
	require.ErrorIs(t, <-ends[1], errProgramEnded)
}
