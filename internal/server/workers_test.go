package server

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
)

var requests = map[string]string{"http": request, "toydb": "SELECT 1\n"}

// In the bubble of synctest time is exact, and who came first is certain.
func TestRequestsHaveTheirTurnAsTheyCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := New(Config{Behaviour: scenario.Server{}.With(WorkersKey.Is(2), DelayKey.Is(seconds(10)))})
		begin := time.Now()
		var mu sync.Mutex
		var order []int
		var ended []time.Duration
		var all sync.WaitGroup
		for i := range 6 {
			ctx, leave := context.WithCancel(context.Background())
			defer leave()
			all.Go(func() {
				done, ok := server.acquireWorker(ctx)
				if !ok {
					return
				}
				defer done()
				server.wait(ctx)
				mu.Lock()
				defer mu.Unlock()
				order = append(order, i)
				ended = append(ended, time.Since(begin).Truncate(time.Second))
			})
			synctest.Wait()
			if i == 3 {
				time.AfterFunc(time.Second, leave) // leaves the queue, and holds nobody up
			}
			time.Sleep(time.Millisecond)
		}
		all.Wait()
		require.Equal(t, []int{0, 1, 2, 4, 5}, order)
		require.Equal(t, []time.Duration{10 * time.Second, 10 * time.Second, 20 * time.Second, 20 * time.Second, 30 * time.Second}, ended)
	})
}

func TestWorkersLimitWhatIsAnswered(t *testing.T) {
	t.Parallel()
	for protocol, request := range requests {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			server := start(t, scenario.Server{Protocol: protocol}.With(WorkersKey.Is(1), ResponsesKey.Is([]string{wayNoResponse, wayWhole})))
			first := server.dial(t)
			send(t, first, request)
			server.working(t, 1)
			second, third := server.dial(t), server.dial(t)
			send(t, second, request)
			server.working(t, 2)
			send(t, third, request)
			server.working(t, 3)
			third.Close() // in the queue
			server.working(t, 2)
			require.EqualValues(t, 1, server.Served().Left)
			require.Zero(t, server.Served().Answered)
			first.Close()
			server.served(t, Served{Received: 3, Answered: 1, Left: 2, Accepted: 3})
		})
	}
}

func TestNothingIsAnsweredDuringThePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := New(Config{Behaviour: scenario.Server{}.With(DelayKey.Is(seconds(2)), PauseAfterKey.Is(seconds(10)), PauseForKey.Is(seconds(5)))})
		require.True(t, server.wait(context.Background()), "before the first connection there is no clock")
		server.clock.start()
		begin := time.Now()
		for _, test := range []struct{ arrives, ends time.Duration }{
			{0, 2}, {7, 9}, {9, 15}, {10, 17}, {14, 17}, {15, 17}, {30, 32},
		} {
			go func() {
				time.Sleep(test.arrives * time.Second)
				require.True(t, server.wait(context.Background()))
				require.Equal(t, test.ends*time.Second, time.Since(begin), "of the request at %d s", test.arrives)
			}()
		}
		go func() { // leaves in the pause
			time.Sleep(11 * time.Second)
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			require.False(t, server.wait(ctx))
			require.Equal(t, 12*time.Second, time.Since(begin))
		}()
		time.Sleep(time.Minute)
	})
}

func TestPauseIsForEachProtocol(t *testing.T) {
	t.Parallel()
	for protocol, request := range requests {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			b := scenario.Server{Protocol: protocol}.With(PauseAfterKey.Is(1), PauseForKey.Is(seconds(0.3)))
			server := start(t, b)
			begin := time.Now()
			conn := server.dial(t)
			send(t, conn, request)
			server.answered(t, 1)
			require.GreaterOrEqual(t, time.Since(begin), PauseForKey.Of(b).D())
		})
	}
}

func TestServerGoesDownAndComesBack(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"http", "toydb"} {
		for how, down := range map[string]float64{"away": 0.3, "restart": 0} {
			t.Run(protocol+" "+how, func(t *testing.T) {
				t.Parallel()
				b := scenario.Server{Protocol: protocol}.With(DownAfterKey.Is(seconds(1)), DownForKey.Is(seconds(down)), ResponsesKey.Is([]string{wayNoResponse, wayWhole}))
				server := start(t, b)
				begin := time.Now()
				waits, idle := server.dial(t), server.dial(t)
				send(t, waits, requests[protocol])
				server.working(t, 1)
				_, err := io.ReadAll(waits)
				require.NoError(t, err, "a killed process leaves with a FIN")
				require.GreaterOrEqual(t, time.Since(begin), DownAfterKey.Of(b).D())
				_, err = io.ReadAll(idle)
				require.NoError(t, err)
				server.working(t, 0)
				if down > 0 {
					require.True(t, isRefused(server.addr)())
				}
				eventually(t, "it is back", func() bool { return !isRefused(server.addr)() })
				require.GreaterOrEqual(t, time.Since(begin), DownAfterKey.Of(b).D()+DownForKey.Of(b).D())
				conn := server.dial(t)
				send(t, conn, requests[protocol])
				server.answered(t, 1)
				require.EqualValues(t, 1, server.Served().Left)
				require.NoError(t, server.stop())
				require.True(t, isRefused(server.addr)())
			})
		}
	}
}

func TestServerStopsWhileItIsDown(t *testing.T) {
	t.Parallel()
	for protocol := range requests {
		server := start(t, scenario.Server{Protocol: protocol}.With(DownAfterKey.Is(1), DownForKey.Is(forever)))
		_, err := io.ReadAll(server.dial(t))
		require.NoError(t, err)
		require.NoError(t, server.stop())
	}
}

// The room that connections had before is there again.
func TestServerThatWasDownHasRoomForAsManyConnections(t *testing.T) {
	t.Parallel()
	for _, b := range []scenario.Server{
		scenario.Server{}.With(NoResponseKey.Is(true)),
		scenario.Server{Protocol: "toydb"}.With(NoResponseKey.Is(true)),
		scenario.Server{}.With(NoReadKey.Is(true)),
		scenario.Server{}.With(NoResponseKey.Is(true), OverLimitKey.Is(overRefuse)),
	} {
		server := start(t, b.With(MaxConnsKey.Is(1), DownAfterKey.Is(seconds(0.05))))
		_, err := io.ReadAll(server.dial(t))
		require.NoError(t, err)
		eventually(t, "it is back", func() bool { return !isRefused(server.addr)() })
		eventually(t, "one is accepted and stays", func() bool {
			conn, err := net.Dial("tcp", server.addr)
			require.NoError(t, err)
			defer conn.Close()
			_ = conn.SetReadDeadline(time.Now().Add(short))
			_, err = conn.Read(make([]byte, 1))
			return errors.Is(err, os.ErrDeadlineExceeded) || err == nil // toydb greets
		})
		require.GreaterOrEqual(t, server.Served().Accepted, int64(2))
	}
}

// As another program could, between the two.
func TestServerThatCannotComeBackSaysSo(t *testing.T) {
	t.Parallel()
	for protocol := range requests {
		server := start(t, scenario.Server{Protocol: protocol}.With(DownAfterKey.Is(seconds(0.05)), DownForKey.Is(seconds(0.3))))
		_, err := io.ReadAll(server.dial(t))
		require.NoError(t, err)
		var l net.Listener
		eventually(t, "the port is taken", func() bool {
			l, err = net.Listen("tcp", server.addr)
			return err == nil
		})
		defer l.Close()
		require.ErrorIs(t, server.ended(), syscall.EADDRINUSE)
	}
}
