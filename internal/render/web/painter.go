package web

import (
	"encoding/json"
	"sync"
	"time"

	"socketlab/internal/lab"
	"socketlab/internal/observe"
	"socketlab/internal/render"
)

// job is one thing to show.
type job struct {
	event    *lab.Event
	snapshot *observe.Snapshot
	// done is closed when everything before it is shown.
	done chan struct{}
}

// Painting takes at most one part in share of the time: a verdict on a long past
// is dear.
const (
	share  = 50
	seldom = 5 * time.Second
)

// painter makes snapshots of events, in a goroutine of its own, for a feed. If it
// falls behind it paints one snapshot for several samples.
type painter struct {
	feed  *feed
	mu    sync.Mutex
	queue []job
	wake  chan struct{}
	hurry chan struct{}
	quit  chan struct{}
	gone  chan struct{}

	run   *lab.Run
	sent  int // how many points of the run are shown
	over  bool
	watch *watching
}

func (p *painter) start(f *feed) {
	p.feed, p.wake, p.hurry = f, make(chan struct{}, 1), make(chan struct{}, 1)
	p.quit, p.gone = make(chan struct{}), make(chan struct{})
	go p.work()
}

// add never waits.
func (p *painter) add(j job) {
	p.mu.Lock()
	p.queue = append(p.queue, j)
	p.mu.Unlock()
	signal(p.wake)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is signalled already
	}
}

// finish says that nothing follows, and waits until that is shown.
func (p *painter) finish() {
	done := make(chan struct{})
	p.add(job{done: done})
	signal(p.hurry)
	select {
	case <-done:
	case <-p.gone: // it was stopped already
	}
}

func (p *painter) stop() {
	close(p.quit)
	<-p.gone
}

func (p *painter) work() {
	defer close(p.gone)
	pace := render.Throttle{Share: share, Most: seldom}
	for {
		select {
		case <-p.wake:
		case <-p.quit:
			return
		}
		began := time.Now()
		p.mu.Lock()
		jobs := p.queue
		p.queue = nil
		p.mu.Unlock()
		var done []chan struct{}
		for _, j := range jobs {
			switch {
			case j.event != nil:
				p.enter(*j.event)
			case j.snapshot != nil:
				p.count(*j.snapshot)
			default:
				p.over = true
				done = append(done, j.done)
			}
		}
		p.paint()
		for _, d := range done {
			close(d)
		}
		select {
		case <-time.After(pace.Rest(time.Since(began))):
		case <-p.hurry:
		case <-p.quit:
			return
		}
	}
}

func (p *painter) enter(e lab.Event) {
	if e.Begin != nil {
		p.paint() // how the run before ended
		p.run, p.sent, p.over = &lab.Run{}, 0, false
		p.feed.open(encode(beginOf(e.Begin)))
	}
	if p.run == nil {
		return
	}
	p.run.Add(e)
	p.over = p.over || e.End != nil
}

func (p *painter) count(s observe.Snapshot) {
	if p.watch == nil {
		p.watch = &watching{}
		p.feed.open(encode(beginOfWatch(s)))
	}
	p.watch.add(s)
}

func (p *painter) paint() {
	switch {
	case p.run != nil:
		client, server := render.Ends(p.run, p.over)
		points := pointsOf(p.sent, &client, &server)
		p.sent += len(points)
		p.feed.extend(encode(snapshotOf(&client, &server)), points, 0)
	case p.watch != nil:
		snapshot, points := p.watch.take(p.over)
		p.feed.extend(encode(snapshot), points, mostWatched)
	}
}

// encode writes what is only plain values.
func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}
