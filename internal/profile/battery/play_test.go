package battery_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/profile"
	"socketlab/internal/profile/battery"
)

// A short sample of scripts/pairs, with the lab's own client and server.
func TestPlayedAsPredicted(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 6 s")
	}
	t.Parallel()
	client := &profile.Profile{Kind: profile.Client, Name: "a client"}
	client.Set("idle_close", profile.Took(90*time.Second))
	client.Set("read_then_closed_get", profile.Chosen("sent_twice"))
	client.Set("stale_get", profile.Chosen("new_connection"))
	client.Set("read_then_closed_post", profile.Chosen("error"))
	client.Set("stale_post", profile.Chosen("new_connection"))
	server := &profile.Profile{Kind: profile.Server, Name: "a server"}
	server.Set("idle_timeout", profile.Took(time.Second))
	m := profile.Pair(client, server, profile.Traffic{PerSecond: 1, Connections: 1, RTT: 2 * battery.PlayRTT})
	p, err := battery.Player{}.Play(t.Context(), m)
	require.NoError(t, err)
	wrong, _ := m.Disagreements(p)
	require.Empty(t, wrong, "%+v predicted, %+v played", m, p)
	require.Equal(t, profile.ServerCloses, p.First)
	require.Positive(t, p.Post.MetFailed)
	require.Zero(t, p.Get.MetFailed)
	require.True(t, p.OwnClient)
}

// What was tried before an interruption is there, and decides nothing.
func TestAPlayThatIsInterruptedHasItsTrials(t *testing.T) {
	t.Parallel()
	client := &profile.Profile{Kind: profile.Client, Name: "a client"}
	client.Set("idle_close", profile.Took(90*time.Second))
	server := &profile.Profile{Kind: profile.Server, Name: "a server"}
	server.Set("idle_timeout", profile.Took(time.Second))
	m := profile.Pair(client, server, profile.Traffic{PerSecond: 1, Connections: 1, RTT: 10 * time.Millisecond})
	for limit := 500 * time.Millisecond; ; limit *= 2 { // until a trial had the time
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		p, err := battery.Player{}.Play(ctx, m)
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		if p == nil {
			continue
		}
		require.True(t, p.Interrupted)
		require.NotEmpty(t, append(p.Get.Trials, p.Post.Trials...))
		wrong, undecided := m.Disagreements(p)
		require.Empty(t, wrong)
		require.Equal(t, []string{"it was interrupted"}, undecided)
		return
	}
}

func TestWhatNeverClosesIsNotPlayed(t *testing.T) {
	t.Parallel()
	client := &profile.Profile{Kind: profile.Client, Name: "a client"}
	client.Set("idle_close", profile.IsNever())
	server := &profile.Profile{Kind: profile.Server, Name: "a server"}
	server.Set("idle_timeout", profile.IsNever())
	_, err := battery.Player{}.Play(t.Context(), profile.Pair(client, server, profile.Traffic{PerSecond: 1, Connections: 1}))
	require.ErrorContains(t, err, "neither")
}
