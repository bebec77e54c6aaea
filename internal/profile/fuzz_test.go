package profile_test

import (
	"math"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/profile"
)

// Whatever a profile's file holds, it is refused, or written and read again it is the same,
// and it can be matched with others.
func FuzzProfileFile(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte("schema: socketlab/profile/1\nkind: server\nname: \"- a: '1e3'\"\ncan: [a, \"\"]\nvalues: {idle_timeout: 87600h, keepalive_header_says: 1ns}\n"))
	others := map[profile.Kind]*profile.Profile{}
	for _, name := range []string{"undici", "express", "caddy-proxy"} {
		text, err := os.ReadFile("../../profiles/" + name + ".yaml")
		require.NoError(f, err)
		f.Add(text)
		p, err := profile.Parse(name, text)
		require.NoError(f, err)
		others[p.Kind] = p
	}
	traffic := profile.Traffic{PerSecond: 10, Connections: 4, RTT: 20 * time.Millisecond}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := profile.Parse("it.yaml", text)
		if err != nil {
			require.Contains(t, err.Error(), "it.yaml")
			return
		}
		written, err := p.YAML()
		require.NoError(t, err)
		again, err := profile.Parse("again.yaml", written)
		require.NoError(t, err, string(written))
		require.Equal(t, p, again, string(written))
		require.Empty(t, profile.Compare(p, again))
		for _, other := range others {
			matches := []*profile.Match{profile.Pair(p, other, traffic), profile.Pair(other, p, traffic), profile.Pair(p, p, traffic)}
			for _, m := range matches {
				require.LessOrEqual(t, m.From, m.To)
				for _, share := range []float64{m.Meets, m.Late, m.Meets + m.Late, m.Get.Errors, m.Post.Errors} {
					require.True(t, math.IsNaN(share) || share >= 0 && share <= 1+1e-9, share)
				}
			}
		}
	})
}
