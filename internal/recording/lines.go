package recording

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"socketlab/internal/series"
)

// batch is some lines that follow each other, from the line first on, and the events
// that they are. err is that of the line after the last event.
type batch struct {
	first  int
	text   []byte // all lines
	ends   []int  // where each line ends in text
	events []series.Event
	err    error
	parsed chan struct{}
	spare  *sync.Pool // of *[]byte: texts that have been parsed
}

const (
	// batchLines and batchBytes bound a batch: so much is parsed at a time by one
	// goroutine.
	batchLines = 64
	batchBytes = 256 << 10
)

// each hands over the events of a recording in their order. Lines are parsed by as many
// goroutines as there are processors, because that takes nearly all of the time.
func each(from io.Reader, path string, see func(series.Event)) error {
	parsers := runtime.GOMAXPROCS(0)
	toParse, inOrder := make(chan *batch, parsers), make(chan *batch, parsers)
	for range parsers {
		go func() {
			for b := range toParse {
				b.parse()
				close(b.parsed)
			}
		}()
	}
	var failed atomic.Bool
	result := make(chan error, 1)
	go func() {
		var err error
		c := consumer{path: path, see: see}
		for b := range inOrder {
			<-b.parsed
			if err == nil {
				err = c.take(b)
				failed.Store(err != nil)
			}
		}
		result <- err
	}()
	in := bufio.NewScanner(from)
	in.Buffer(nil, maxLine)
	in.Split(wholeLines)
	n := 0
	var spare sync.Pool
	next := func() *batch {
		b := &batch{first: n + 1, parsed: make(chan struct{}), spare: &spare}
		if text, ok := spare.Get().(*[]byte); ok {
			b.text = (*text)[:0]
		}
		return b
	}
	b := next()
	send := func() {
		inOrder <- b
		toParse <- b
		b = next()
	}
	for !failed.Load() && in.Scan() {
		n++
		b.text = append(b.text, in.Bytes()...)
		b.ends = append(b.ends, len(b.text))
		if len(b.ends) == batchLines || len(b.text) >= batchBytes || n == 1 {
			send()
		}
	}
	if len(b.ends) > 0 {
		send()
	}
	close(toParse)
	close(inOrder)
	switch err := <-result; {
	case err != nil:
		return err
	case errors.Is(in.Err(), bufio.ErrTooLong):
		return &Error{path, n + 1, fmt.Sprintf("this line is longer than %d MB, which no line of a recording is: the file is something else, or was damaged; record again, or cut it off before this line", maxLine>>20)}
	case in.Err() != nil:
		return &Error{path, n + 1, in.Err().Error()}
	case n == 0:
		return &Error{path, 1, "the file is empty: it is no recording"}
	}
	return nil
}

func (b *batch) parse() {
	b.events = make([]series.Event, 0, len(b.ends))
	begin := 0
	for i, end := range b.ends {
		e, err := parse(b.text[begin:end], b.first+i == 1)
		begin = end
		if err == nil {
			err = plausible(&e)
		}
		if err != nil {
			b.err = err
			break
		}
		b.events = append(b.events, e)
	}
	if text := b.text; len(text) <= 2*batchBytes { // no event refers to it
		b.spare.Put(&text)
	}
	b.text = nil
}

// consumer sees the events in their order.
type consumer struct {
	path    string
	see     func(series.Event)
	checker checker
	over    bool // the last line was seen
}

func (c *consumer) take(b *batch) error {
	for i := range b.events {
		e, n := b.events[i], b.first+i
		switch {
		case n > 1 && e.Header != nil:
			return &Error{c.path, n, "a second recording begins here: give each a file of its own"}
		case c.over:
			return &Error{c.path, n, "this line comes after the last one of the recording"}
		}
		if err := c.checker.check(&e); err != nil {
			return &Error{c.path, n, err.Error()}
		}
		c.over = e.End != nil
		c.see(e)
	}
	if b.err != nil {
		return &Error{c.path, b.first + len(b.events), b.err.Error()}
	}
	return nil
}
