package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"sync"

	"socketlab/internal/words"
)

// Bounds of what viewers can make the server keep.
const (
	mostViewers  = 1000
	mostTries    = 10  // requests of a viewer for one question
	largestBody  = 256 // bytes
	largestGuess = 1_000_000
)

// room is the viewers of a page, and what they guess.
//
// A viewer is whoever made up an id: there is no login, and names are not asked for.
// The presenter is the viewer on this machine who came first, of those who are there.
type room struct {
	mu      sync.Mutex
	feed    string // the feed's name: the questions of another server are others
	viewers map[string]*participant
	came    int // how many viewers ever came
	version int
	changed chan struct{} // closed by the next change

	asked int // how many questions there were
	// waiting says that the newest one's run has not begun, and accepting that guesses
	// count.
	waiting, accepting bool
	start              chan struct{} // closed by the presenter
	// measured is what came, with what it is of; "" until the run is over.
	measured string
}

// participant is one page that is or was open.
type participant struct {
	came    int // its number
	streams int // how many are open: a tab can be there twice
	local   bool
	tries   int
	guess   *int // nil without one
}

// roomState is what a viewer is sent about the room.
type roomState struct {
	// Accepting says that guesses count.
	Accepting bool `json:"accepting"`
	Viewers   int  `json:"viewers"`
	Guessed   int  `json:"guessed"`
	// Presenter says that the viewer may start the run, and Address is for him to show;
	// "" where no other machine can reach it.
	Presenter bool   `json:"presenter"`
	Address   string `json:"address,omitempty"`
	// Guesses are all of them, from the lowest, and Result says the same in words; both
	// are kept back until the run is over.
	Guesses []int  `json:"guesses,omitempty"`
	Result  string `json:"result,omitempty"`
}

func (r *room) open(feed string) {
	r.feed, r.viewers, r.changed = feed, map[string]*participant{}, make(chan struct{})
	r.notify()
}

// notify is called with the lock held.
func (r *room) notify() {
	r.version++
	close(r.changed)
	r.changed = make(chan struct{})
}

var viewerID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// come lets a viewer in, and returns what says that it left. One without an id, or
// one too many, may look on and is not counted.
func (r *room) come(id string, local bool) (leave func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.viewers[id]
	if v == nil {
		if len(r.viewers) >= mostViewers {
			maps.DeleteFunc(r.viewers, func(_ string, v *participant) bool { return v.streams == 0 && v.guess == nil })
		}
		if !viewerID.MatchString(id) || len(r.viewers) >= mostViewers {
			return func() {}
		}
		r.came++
		v = &participant{came: r.came}
		r.viewers[id] = v
	}
	v.streams++
	v.local = local
	r.notify()
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		v.streams--
		r.notify()
	}
}

// announce asks the next question, before its run, and returns what is closed when
// the presenter starts that.
func (r *room) announce() (start <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ask()
	r.waiting, r.start = true, make(chan struct{})
	r.notify()
	return r.start
}

// ask is called with the lock held.
func (r *room) ask() {
	r.asked++
	r.accepting, r.measured = true, ""
	for _, v := range r.viewers {
		v.tries, v.guess = 0, nil
	}
}

// begin says that a run begins, and returns the name of its question. Guesses no
// longer count if they were asked for before, and else they do until its end.
func (r *room) begin(question bool) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting {
		r.waiting, r.accepting = false, false
	} else {
		r.ask()
		r.accepting = question
	}
	r.notify()
	return r.name()
}

func (r *room) poll() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.name()
}

func (r *room) name() string { return fmt.Sprintf("%s.%d", r.feed, r.asked) }

// end says what came.
func (r *room) end(measured string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.measured == measured {
		return
	}
	r.accepting, r.measured = false, measured
	r.notify()
}

// state is what a viewer is to know, its version, and what is closed when there is another.
func (r *room) state(id string) (roomState, int, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := roomState{Accepting: r.accepting, Viewers: r.there(), Presenter: id != "" && id == r.presenter(), Guessed: len(r.guesses())}
	if r.measured != "" {
		s.Guesses, s.Result = r.guesses(), r.says()
	}
	return s, r.version, r.changed
}

func (r *room) there() int {
	n := 0
	for _, v := range r.viewers {
		if v.streams > 0 {
			n++
		}
	}
	return n
}

// presenter is the id of the presenter; "" if there is none.
func (r *room) presenter() string {
	first := ""
	for id, v := range r.viewers {
		if v.streams > 0 && v.local && (first == "" || v.came < r.viewers[first].came) {
			first = id
		}
	}
	return first
}

func (r *room) guesses() []int {
	var all []int
	for _, v := range r.viewers {
		if v.guess != nil {
			all = append(all, *v.guess)
		}
	}
	slices.Sort(all)
	return all
}

// line says how many are there, for the terminal.
func (r *room) line() (string, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return words.Plural(r.there(), "viewer") + ", " + words.Plural(len(r.guesses()), "guess", "guesses") + ".", r.changed
}

func (r *room) result() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.says()
}

func (r *room) says() string {
	all := r.guesses()
	if len(all) < 2 || r.measured == "" {
		return ""
	}
	median := float64(all[(len(all)-1)/2]+all[len(all)/2]) / 2
	return fmt.Sprintf("%d guesses, from %d to %d, median %g. Measured: %s.",
		len(all), all[0], all[len(all)-1], median, r.measured)
}

// onThisMachine reports whether a request comes from the machine that serves it.
func onThisMachine(r *http.Request) bool {
	remote, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return remote.Addr().Unmap().IsLoopback() || ok && remote.Addr().Unmap() == local.AddrPort().Addr().Unmap()
}

// sent is what a viewer's page sends.
type sent struct {
	Viewer string `json:"viewer"`
	Poll   string `json:"poll"`
	Guess  *int   `json:"guess"`
}

// take reads what a viewer's page sends, and has it done, with the lock held, if the
// viewer is there and means the newest question. It answers with a status.
func (r *room) take(do func(*participant, sent) int) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		var s sent
		decoder := json.NewDecoder(http.MaxBytesReader(w, req.Body, largestBody))
		decoder.DisallowUnknownFields()
		status := http.StatusBadRequest
		if req.Header.Get("Content-Type") == "application/json" && decoder.Decode(&s) == nil {
			status = r.check(s, do)
		}
		if status == http.StatusNoContent {
			w.WriteHeader(status)
			return
		}
		http.Error(w, http.StatusText(status), status)
	}
}

func (r *room) check(s sent, do func(*participant, sent) int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.viewers[s.Viewer]
	switch {
	case v == nil || v.streams == 0:
		return http.StatusForbidden
	case s.Poll != r.name():
		return http.StatusConflict
	case v.tries >= mostTries:
		return http.StatusTooManyRequests
	}
	v.tries++
	return do(v, s)
}

// enter takes one guess of a viewer for each question.
func (r *room) enter(v *participant, s sent) int {
	switch {
	case s.Guess == nil || *s.Guess < 0 || *s.Guess > largestGuess:
		return http.StatusBadRequest
	case !r.accepting || v.guess != nil:
		return http.StatusConflict
	}
	v.guess = s.Guess
	r.notify()
	return http.StatusNoContent
}

// play starts the run that waits, for the presenter alone.
func (r *room) play(_ *participant, s sent) int {
	switch {
	case s.Viewer != r.presenter():
		return http.StatusForbidden
	case !r.waiting:
		return http.StatusConflict
	}
	select {
	case <-r.start:
	default:
		close(r.start)
	}
	return http.StatusNoContent
}
