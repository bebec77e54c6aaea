package web

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Whatever a browser gives as Last-Event-ID, it gets what it has not had, or all.
func FuzzLastEventID(f *testing.F) {
	feed := newFeed()
	feed.open([]byte(`{}`))
	for i := range 5 {
		feed.extend([]byte("null"), []point{{at: time.Duration(i), data: []byte("1")}}, 2)
	}
	for _, id := range []string{"", "x", feed.name, feed.name + ".1.3.3", feed.name + ".1.0.0", feed.name + ".1.-3.2", feed.name + ".1.99999999999999999999.2", feed.name + ".%d.1.2\n"} {
		f.Add(id)
	}
	_, newest, _ := feed.since(position{})
	f.Fuzz(func(t *testing.T, id string) {
		at := feed.position(id)
		text, now, _ := feed.since(at)
		require.Equal(t, newest, now)
		require.Equal(t, at == newest, text == nil)
		if text != nil {
			require.Contains(t, string(text), "\nid: "+feed.name+".1.5.5\n")
		}
	})
}
