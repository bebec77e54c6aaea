package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"socketlab/internal/series"
)

// watching is sockwatch at work in a stage.
type watching struct {
	*inside
	sampled chan struct{} // a value after each sample, if somebody waits; closed at its end
}

// startWatch starts sockwatch inside and waits for its first samples: the very
// first finds the owners of all sockets.
func (st *stage) startWatch(ctx context.Context, sockwatch string) (*watching, error) {
	w := &watching{sampled: make(chan struct{})}
	var samples *json.Decoder
	err := st.within(ctx, func() (err error) {
		w.inside, err = st.startProgram([]string{sockwatch, "watch", "--port", strconv.Itoa(ourPort), "-o", "json"})
		if err != nil {
			return err
		}
		samples = json.NewDecoder(w.out)
		for sampled := 0; sampled < 2; {
			var e series.Event
			if err := samples.Decode(&e); err != nil {
				return fmt.Errorf("sockwatch watch: %w", err)
			}
			if e.Moment == nil {
				continue
			}
			sampled++
			seen := 0
			for _, of := range e.Moment.Subjects {
				seen += of.Client.Counts.Total() + of.Server.Counts.Total()
			}
			if want := 2 * (st.there.Ours - st.there.Served); seen != want {
				return fmt.Errorf("sockwatch watch saw %d sockets of %d", seen, want)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	go func() {
		defer close(w.sampled)
		for samples.Decode(&series.Event{}) == nil {
			select {
			case w.sampled <- struct{}{}:
			default:
			}
		}
	}()
	return w, nil
}

// cpu is the processor time that sockwatch uses in d, which begins well
// between two samples and, if it is whole seconds, ends there.
func (w *watching) cpu(ctx context.Context, d time.Duration) (time.Duration, error) {
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-w.sampled:
	}
	if err := pause(ctx, 300*time.Millisecond); err != nil {
		return 0, err
	}
	before, err := processCPU(w.PID)
	if err != nil {
		return 0, err
	}
	if err := pause(ctx, d); err != nil {
		return 0, err
	}
	after, err := processCPU(w.PID)
	if err != nil {
		return 0, err
	}
	endedCPU.Add(int64(after - before))
	return after - before, nil
}
