package web

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
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

// Whatever is sent to a board, it shows names that can be shown, of no more participants than it
// has room for, and what they do in its own exercises.
func FuzzProgress(f *testing.F) {
	f.Add(`{"name":" Ada\u202e  L. "}`, `{"name":"Ada L.","exercise":"first","checks":3,"took":99}`)
	f.Add(`{"name":"<b>\u001b[31m","exercise":"first","done":true,"took":9223372036854775807}`, `{"name":"x","exercise":"third"}`)
	f.Add(`{"name":"","a":1}`, `{"name":"\ud800","checks":-1}`)
	f.Fuzz(func(t *testing.T, first, second string) {
		b := &Board{exercises: []string{"first", "second"}, names: map[string][]Work{}}
		taken := 0
		for _, body := range []string{first, second, first} {
			r := httptest.NewRequest(http.MethodPost, "/progress", strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			b.take(w, r)
			require.Contains(t, []int{http.StatusNoContent, http.StatusBadRequest}, w.Code)
			if w.Code == http.StatusNoContent {
				taken++
			}
		}
		all := b.Participants()
		require.LessOrEqual(t, len(all), taken)
		for _, p := range all {
			clean, err := CleanName(p.Name)
			require.NoError(t, err)
			require.Equal(t, clean, p.Name)
			require.LessOrEqual(t, len(p.Work), len(b.exercises))
			for _, w := range p.Work {
				require.Contains(t, b.exercises, w.Exercise)
				require.GreaterOrEqual(t, w.Minutes(), 0)
				require.LessOrEqual(t, w.Checks, 1_000_000)
			}
		}
	})
}

// Whatever Host a browser sends, a page of this machine alone knows its own names and addresses
// only.
func FuzzHost(f *testing.F) {
	for _, host := range []string{"localhost:80", "LOCALHOST.", "127.0.0.1", "[::1]:80", "::ffff:127.0.0.1", "evil.example", "127.0.0.1.evil.example", "[fe80::1%lo]:80", "10.0.0.1", "[[::1]]"} {
		f.Add(host)
	}
	f.Fuzz(func(t *testing.T, host string) {
		g := &guard{names: []string{"localhost"}}
		if !g.knows(host) {
			return
		}
		name := host
		if h, _, err := net.SplitHostPort(host); err == nil {
			name = h
		}
		if strings.EqualFold(strings.TrimSuffix(name, "."), "localhost") {
			return
		}
		addr, err := netip.ParseAddr(strings.Trim(name, "[]"))
		require.NoError(t, err)
		require.True(t, addr.Unmap().IsLoopback())
	})
}

// Whatever the page of a viewer sends, it is one guess that can be, and starts no run: that is the
// presenter's.
func FuzzSent(f *testing.F) {
	const id = "0123456789abcdef0123456789abcdef"
	open := func() (*room, <-chan struct{}) {
		r := &room{}
		r.open("feed")
		r.come(id, false)
		return r, r.announce()
	}
	r, _ := open()
	for _, guess := range []string{"7", "-1", "1e99", "null"} {
		f.Add(`{"viewer":"` + id + `","poll":"` + r.name() + `","guess":` + guess + `}`)
	}
	f.Add(`{"viewer":"x","start":true}`)
	f.Fuzz(func(t *testing.T, body string) {
		r, start := open()
		for _, do := range []func(*participant, sent) int{r.enter, r.enter, r.play} {
			req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
			req.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			r.take(do)(w, req)
			require.Contains(t, []int{http.StatusNoContent, http.StatusBadRequest, http.StatusForbidden, http.StatusConflict}, w.Code)
		}
		if guess := r.viewers[id].guess; guess != nil {
			require.GreaterOrEqual(t, *guess, 0)
			require.LessOrEqual(t, *guess, largestGuess)
		}
		require.Len(t, r.viewers, 1)
		select {
		case <-start:
			t.Fatal("a viewer of another machine has started the run")
		default:
		}
	})
}
