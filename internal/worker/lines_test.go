package worker

import (
	"context"
	"io"
	"sync"
	"testing"

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
	l.answer("ok") // the first
	l.answer("3 ok")
	l.answer("99 ok")
	l.answer("connection refused by the host") // the second
	l.answer("5  ok ")
	l.read(io.NopCloser(&io.LimitedReader{})) // the end of its output
	all.Wait()
	require.NoError(t, ends[0])
	require.Equal(t, "other", loadgen.ErrorName(ends[1]))
	require.Equal(t, "HTTP_503", loadgen.ErrorName(ends[2]))
	require.ErrorIs(t, ends[3], errProgramEnded)
	require.NoError(t, ends[4])
	require.ErrorIs(t, l.Call(context.Background()), errProgramEnded)
}
