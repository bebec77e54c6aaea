package web

import (
	"embed"
	"io/fs"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

//go:embed assets
var embedded embed.FS

// most is how many streams are open at once, so that a network cannot use up
// the descriptors of the process that counts.
const most = 200

const (
	// beat is how often a stream shows that it lives.
	beat = 5 * time.Second
	// patience is how long a viewer may take what was written. It comes again,
	// and goes on where it was.
	patience = 10 * time.Second
)

// routes are the page's files and its stream.
func (s *Server) routes(base string) http.Handler {
	files, err := fs.Sub(embedded, "assets")
	if err != nil {
		panic(err) // it is in the binary
	}
	static := http.FileServerFS(files)
	var open atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", static.ServeHTTP)
	for _, name := range []string{"icon.svg", "app.js", "chart.js", "style.css", "uPlot.iife.min.js", "uPlot.min.css", "uPlot.LICENSE"} {
		mux.Handle("/"+name, static)
	}
	mux.HandleFunc("/palette.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write(palette())
	})
	mux.HandleFunc("/events", func(w http.ResponseWriter, r *http.Request) {
		defer open.Add(-1)
		if open.Add(1) > most {
			http.Error(w, "too many viewers", http.StatusServiceUnavailable)
			return
		}
		s.stream(w, r)
	})
	return http.StripPrefix(strings.TrimSuffix(base, "/"), mux)
}

// stream sends a viewer what it has not had, until it leaves or the page ends.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	if r.Method == http.MethodHead {
		return
	}
	s.first.Do(func() { close(s.viewed) })
	// A page that opens a stream itself cannot set the header.
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		last = r.URL.Query().Get("after")
	}
	out := http.NewResponseController(w)
	send := func(text []byte) bool {
		if out.SetWriteDeadline(time.Now().Add(patience)) != nil {
			return false
		}
		_, err := w.Write(text)
		return err == nil && out.Flush() == nil
	}
	alive := time.NewTicker(beat)
	defer alive.Stop()
	if !send([]byte("retry: 1000\n\n")) {
		return
	}
	for at := s.feed.position(last); ; {
		text, now, changed := s.feed.since(at)
		if text != nil {
			if !send(text) {
				return
			}
			at = now
			continue
		}
		select {
		case <-changed:
		case <-alive.C:
			if !send([]byte("event: beat\ndata:\n\n")) {
				return
			}
		case <-r.Context().Done():
			return
		case <-s.closed:
			if text, _, _ = s.feed.since(at); text != nil {
				send(text)
			}
			return
		}
	}
}
