package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"socketlab/internal/words"
)

// Progress is all that a participant of a workshop sends of an exercise.
type Progress struct {
	// Name is what the participant chose, and Exercise an id; "" for one who has just
	// joined.
	Name     string `json:"name"`
	Exercise string `json:"exercise,omitempty"`
	Done     bool   `json:"done,omitempty"`
	Checks   int    `json:"checks,omitempty"`
	// Took is how many seconds it has taken since the participant began, or took until
	// it was done; 0 where that is not known. It is no time of day: clocks differ.
	Took int `json:"took_s,omitempty"`
}

// Bounds of a board.
const (
	LongestName      = 40 // characters
	mostParticipants = 200
	largestProgress  = 512 // bytes
	longestWork      = 365 * 24 * time.Hour
)

// Board is a page that shows how far the participants of a workshop are. It is kept in
// memory.
type Board struct {
	url       string
	beyond    bool
	exercises []string // the ids that there are
	http      *http.Server
	served    chan error

	mu    sync.Mutex
	names map[string][]Work
}

// Work is what is known of a participant's work on one exercise.
type Work struct {
	Progress
	// Began is when the participant began, or where that is not known when the board
	// first heard of it. Newest is when it last heard of it, and of a finished one when
	// it was done.
	Began  time.Time `json:"began"`
	Newest time.Time `json:"newest"`
}

// Minutes is how long it took, or has taken so far.
func (w *Work) Minutes() int { return int(w.Newest.Sub(w.Began).Minutes()) }

// StartBoard listens at addr, HOST:PORT, and serves the board of these exercises.
func StartBoard(addr string, exercises []string) (*Board, error) {
	listener, guard, err := listen(addr)
	if err != nil {
		return nil, fmt.Errorf("board: %w", err)
	}
	b := &Board{url: guard.url, beyond: guard.beyond, exercises: exercises, names: map[string][]Work{}, served: make(chan error, 1)}
	files, err := fs.Sub(embedded, "assets")
	if err != nil {
		panic(err) // it is in the binary
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, "board.html") })
	for _, name := range []string{"icon.svg", "board.js", "board.css", "style.css"} {
		mux.Handle("/"+name, http.FileServerFS(files))
	}
	mux.HandleFunc("/board", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(encode(struct {
			URL          string        `json:"url"`
			Exercises    []string      `json:"exercises"`
			Participants []Participant `json:"participants"`
		}{b.url, b.exercises, b.Participants()}))
	})
	mux.HandleFunc("/progress", b.take)
	guard.posts, guard.next = []string{"progress"}, http.StripPrefix(strings.TrimSuffix(guard.base, "/"), mux)
	b.http = guard.server()
	b.http.ReadTimeout = bodyTimeout // there are no streams
	go func() { b.served <- b.http.Serve(listener) }()
	return b, nil
}

// URL is the address to open and to join, with its token where there is one.
func (b *Board) URL() string { return b.url }

// Beyond reports whether other machines may reach the board.
func (b *Board) Beyond() bool { return b.beyond }

// Close ends the board.
func (b *Board) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := b.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = b.http.Close()
	}
	if served := <-b.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// Participant is one line of the board.
type Participant struct {
	Name string `json:"name"`
	// Work is of the exercises in the order in which they were begun. It is empty for
	// one who has only joined.
	Work []Work `json:"work"`
}

// Participants are all, by name.
func (b *Board) Participants() []Participant {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := []Participant{}
	for name, work := range b.names {
		all = append(all, Participant{name, append([]Work{}, work...)})
	}
	slices.SortFunc(all, func(a, b Participant) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return all
}

// CleanName is a participant's name as a board shows it, and an error if it can show none.
func CleanName(name string) (string, error) {
	clean := strings.Join(strings.Fields(words.Printable(name)), " ")
	switch {
	case clean == "" || !utf8.ValidString(clean):
		return "", errors.New("a name has at least one letter")
	case utf8.RuneCountInString(clean) > LongestName:
		return "", fmt.Errorf("a name has at most %d characters", LongestName)
	}
	return clean, nil
}

// take enters what a participant sends.
func (b *Board) take(w http.ResponseWriter, r *http.Request) {
	var p Progress
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, largestProgress))
	decoder.DisallowUnknownFields()
	if r.Header.Get("Content-Type") != "application/json" || decoder.Decode(&p) != nil {
		http.Error(w, "that is no progress", http.StatusBadRequest)
		return
	}
	name, err := CleanName(p.Name)
	if err != nil || p.Took < 0 || p.Checks < 0 || p.Checks > 1_000_000 || p.Exercise != "" && !slices.Contains(b.exercises, p.Exercise) {
		http.Error(w, "a name that is too long, a number that cannot be, or no exercise of this board", http.StatusBadRequest)
		return
	}
	p.Name = name
	if p.Took > int(longestWork/time.Second) { // a clock that was set
		p.Took = 0
	}
	if !b.enter(p, time.Now()) {
		http.Error(w, "the board is full", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// enter returns false if there is no room for another participant.
func (b *Board) enter(p Progress, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	work, known := b.names[p.Name]
	if !known && len(b.names) >= mostParticipants {
		return false
	}
	i := slices.IndexFunc(work, func(w Work) bool { return w.Exercise == p.Exercise })
	switch {
	case p.Exercise == "":
	case i < 0:
		work = append(work, Work{p, now.Add(-time.Duration(p.Took) * time.Second), now})
	case work[i].Done: // what is done stays done, and so does its time
		work[i].Checks = p.Checks
	default:
		work[i].Progress, work[i].Newest = p, now
	}
	b.names[p.Name] = work
	return true
}
