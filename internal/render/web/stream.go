package web

import (
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"socketlab/internal/render/qr"
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
	mux.HandleFunc("/guess", s.room.take(s.room.enter))
	mux.HandleFunc("/start", s.room.take(s.room.play))
	if s.beyond {
		mux.HandleFunc("/qr.svg", func(w http.ResponseWriter, _ *http.Request) {
			code, err := qr.Of(s.url)
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			w.Header().Set("Content-Type", "image/svg+xml")
			_, _ = w.Write(code.SVG())
		})
	}
	return http.StripPrefix(strings.TrimSuffix(base, "/"), mux)
}

// stream sends a viewer what it has not had, until it leaves or the page ends.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	if r.Method == http.MethodHead {
		return
	}
	viewer := r.URL.Query().Get("viewer")
	defer s.room.come(viewer, onThisMachine(r))()
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
	at, room := s.feed.position(last), 0
	for ended := false; ; {
		text, now, changed := s.feed.since(at)
		state, version, roomChanged := s.room.state(viewer)
		if text != nil && !send(text) {
			return
		}
		news := text != nil
		if version != room {
			if s.beyond && state.Presenter {
				state.Address = s.url
			}
			if !send(fmt.Appendf(nil, "event: room\ndata: %s\n\n", encode(state))) {
				return
			}
			news = true
		}
		at, room = now, version
		if ended {
			return
		}
		if news {
			continue
		}
		select {
		case <-changed:
		case <-roomChanged:
		case <-alive.C:
			if !send([]byte("event: beat\ndata:\n\n")) {
				return
			}
		case <-r.Context().Done():
			return
		case <-s.closed:
			ended = true // but for what came meanwhile
		}
	}
}
