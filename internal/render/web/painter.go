package web

import (
	"encoding/json"
	"sync"
	"time"

	"socketlab/internal/render"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// job is one thing to show.
type job struct {
	event series.Event
	// announced is the header of a run that waits for its viewers; nil of an event.
	announced *series.Header
	// done is closed when everything before it is shown; nil of an event.
	done chan struct{}
}

// Painting takes at most one part in share of the time: a verdict on a long past
// is dear.
const (
	share  = 50
	seldom = 5 * time.Second
)

// mostMoments is how many moments of a watch, which may go on for ever, are kept
// for late viewers. Of many processes they are fewer; see [observe.Window].
const mostMoments = 7200

// painter makes snapshots of events, in a goroutine of its own, for a feed. If it
// falls behind it paints one snapshot for several moments.
type painter struct {
	feed  *feed
	room  *room
	mu    sync.Mutex
	queue []job
	wake  chan struct{}
	hurry chan struct{}
	quit  chan struct{}
	gone  chan struct{}

	begun  bool
	live   render.Live
	points []point // those that nobody was shown
}

func (p *painter) start(f *feed, r *room) {
	p.feed, p.room = f, r
	p.wake, p.hurry = make(chan struct{}, 1), make(chan struct{}, 1)
	p.quit, p.gone = make(chan struct{}), make(chan struct{})
	p.live.Keep = mostMoments
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
			case j.announced != nil:
				p.announce(j.announced)
				continue
			case j.done == nil:
				p.enter(j.event)
				continue
			}
			done = append(done, j.done)
			if o := p.live.Observation(); p.begun && !o.Over {
				p.enter(series.Event{End: &series.Ending{Duration: o.Duration}})
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

func (p *painter) enter(e series.Event) {
	switch {
	case e.Header != nil:
		p.paint() // how the observation before ended
		p.begun, p.points = true, nil
	case !p.begun:
		return
	}
	p.live.Add(e)
	if e.Moment != nil {
		var headline map[string]float64
		if script := p.live.Script(); script != nil && script.Headline != "" {
			headline = headlines(p.live.Observation(), script.Headline)
		}
		p.points = append(p.points, pointOf(e.Moment, headline))
	}
	if e.Header != nil {
		b := beginOf(&p.live)
		b.Poll = p.room.begin(b.Question != "")
		p.feed.open(encode(b))
	}
}

// announce shows the question of a run that has not begun.
func (p *painter) announce(h *series.Header) {
	p.paint()
	p.begun = false
	var live render.Live
	live.Add(series.Event{Header: h})
	b := beginOf(&live)
	b.Poll, b.Waiting = p.room.poll(), true
	p.feed.open(encode(b))
}

func (p *painter) paint() {
	if !p.begun {
		return
	}
	client, server := p.live.Snapshot(socketstats.Client), p.live.Snapshot(socketstats.Server)
	shown := snapshotOf(p.live.Observation(), &client, &server)
	p.feed.extend(encode(shown), p.points, client.From)
	p.points = nil
	if faulty := client.Panel(string(scenario.Faulty)); client.Over && faulty != nil {
		p.room.end(faulty.Number + " " + faulty.NumberOf)
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
