package cli

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"socketlab/internal/cli/program"
	"socketlab/internal/profile"
	"socketlab/internal/recording"
	"socketlab/internal/series"
)

// What is made of a large recording is given up when the command is ended.
func TestMadeUntilItsContextIsDone(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	end := make(chan struct{})
	defer close(end)
	_, err := madeUntil(ctx, func() (int, error) {
		cancel()
		<-end
		return 1, nil
	})
	require.ErrorIs(t, err, context.Canceled)
	n, err := madeUntil(t.Context(), func() (int, error) { return 2, nil })
	require.NoError(t, err)
	require.Equal(t, 2, n)
}

// What is looked for in a large recording after it was read is given up, too.
func TestRecordingsAreComparedUntilTheContextIsDone(t *testing.T) {
	t.Parallel()
	r := &recording.Recording{Path: "before.jsonl"}
	for i := range 10 {
		r.Events = append(r.Events, series.Event{Moment: &series.Moment{At: time.Duration(i), Subjects: []series.SubjectSample{{ID: "7", Identity: &series.Identity{ID: "7"}}}}})
	}
	s, err := watchedIn(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, "7", s.ID)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = watchedIn(ctx, r)
	require.ErrorIs(t, err, context.Canceled)
	_, err = r.Redacted(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

// What took minutes to measure is printed, although it cannot be saved.
func TestAProfileThatCannotBeSavedIsPrinted(t *testing.T) {
	t.Parallel()
	var a profileAnswer
	a.add(pflag.NewFlagSet("", pflag.ContinueOnError))
	a.file = filepath.Join(t.TempDir(), "gone", "mine.yaml")
	var out, errs bytes.Buffer
	err := a.write(program.Streams{Out: &out, Err: &errs}, &profile.Profile{Kind: profile.Server, Command: "./mine"}, nil, nil)
	require.ErrorContains(t, err, "nothing can be written in the folder")
	require.Contains(t, out.String(), "./mine")
}
