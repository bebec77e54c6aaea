package sockettest

import (
	"runtime"
	"strings"
	"time"
)

// bubble is the testing/synctest bubble in which the caller is, such as "synctest
// bubble 3"; "" is none.
func bubble() string {
	b := make([]byte, 256)
	head, _, _ := strings.Cut(string(b[:runtime.Stack(b, false)]), "\n")
	return bubbleOf(head)
}

func bubbleOf(head string) string {
	i := strings.Index(head, "synctest bubble ")
	if i < 0 {
		return ""
	}
	name, _, _ := strings.Cut(strings.TrimSuffix(head[i:], ":"), "]")
	return name
}

// patience waits for something in pauses that get longer, and not longer than it may.
//
// In a bubble time goes by only while all its goroutines wait for each other, and none
// for a socket: then a pause lets it, so that timers fire. Otherwise the pause is one of
// the real clock, and so is the limit.
type patience struct {
	within   time.Duration
	next     time.Duration
	bubble   string
	deadline time.Time     // by the bubble's clock, if there is one
	waited   time.Duration // in real pauses
}

func newPatience(within time.Duration) *patience {
	return &patience{within: within, next: time.Millisecond, bubble: bubble(), deadline: time.Now().Add(within)}
}

func (p *patience) over() bool { return !time.Now().Before(p.deadline) || p.waited >= p.within }

func (p *patience) pause() {
	d := p.next
	p.next = min(2*p.next, 50*time.Millisecond)
	switch {
	case p.bubble == "":
		time.Sleep(min(d, max(0, time.Until(p.deadline))))
	case allDurable(p.bubble):
		time.Sleep(d)
	default:
		p.waited += d
		realSleep(d)
	}
}

// allDurable reports whether all other goroutines of the bubble wait for each other, so
// that a sleep of ours makes the bubble's clock go on. A goroutine that waits for a
// socket would hold it up for ever.
func allDurable(bubble string) bool {
	b := make([]byte, 1<<20)
	for n := runtime.Stack(b, true); ; n = runtime.Stack(b, true) {
		if n < len(b) || len(b) >= maxStacks {
			b = b[:n]
			break
		}
		b = make([]byte, 4*len(b))
	}
	first := true // our own, which runs
	for one := range strings.SplitSeq(string(b), "\n\n") {
		head, _, _ := strings.Cut(one, "\n")
		if !first && bubbleOf(head) == bubble && !strings.Contains(head, "(durable)") {
			return false
		}
		first = false
	}
	return true
}
