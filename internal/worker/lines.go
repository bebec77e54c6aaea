package worker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strconv"
	"strings"
	"sync"

	"socketlab/internal/loadgen"
)

// lines is a client that is a program of the user's: a line on its standard input is a
// request to make, and a line on its standard output says how it ended. It is safe for
// use by several goroutines. docs/own-code.md has the form of the lines.
type lines struct {
	command *command
	url     string
	in      io.WriteCloser

	// asking is held while a request is written, which takes as long as a full pipe is
	// not read: answers are taken meanwhile. It is locked before mu.
	asking sync.Mutex

	// ready is closed once the program said that it is ready.
	ready     chan struct{}
	readyOnce sync.Once

	mu      sync.Mutex
	last    int
	waiting map[int]chan string
	queue   []int // those that wait, the oldest first
	texts   map[string]string
	over    bool
}

// errProgramEnded is the error of a request whose program is gone.
var errProgramEnded = errors.New("the program has ended")

// readyLine is what a program may write once it can make requests.
const readyLine = "ready"

// startLines starts the user's program. The caller ends it with end.
func startLines(command string, target loadgen.Target) (*lines, error) {
	stdin, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer stdin.Close()
	answers, out, err := os.Pipe()
	if err != nil {
		_ = theirs.Close()
		return nil, err
	}
	defer out.Close()
	l := &lines{url: target.URL, in: theirs, waiting: map[int]chan string{}, ready: make(chan struct{})}
	l.command, err = startWith(command, stdin, out, []string{"SOCKETLAB_URL=" + target.URL, "SOCKETLAB_ADDR=" + target.Addr})
	if err != nil {
		_, _ = theirs.Close(), answers.Close()
		return nil, err
	}
	go l.read(answers)
	return l, nil
}

// Call implements [loadgen.Caller].
func (l *lines) Call(ctx context.Context) error {
	answer, err := l.ask()
	if err != nil {
		return errProgramEnded
	}
	select {
	case text, ok := <-answer:
		switch {
		case !ok:
			return errProgramEnded
		case text != "ok":
			return loadgen.NamedError(text)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ask writes a request, and returns where its answer comes.
func (l *lines) ask() (<-chan string, error) {
	l.asking.Lock()
	defer l.asking.Unlock()
	l.mu.Lock()
	if l.over {
		l.mu.Unlock()
		return nil, errProgramEnded
	}
	l.last++
	n, answer := l.last, make(chan string, 1)
	l.waiting[n] = answer
	l.queue = append(l.queue, n)
	l.mu.Unlock()
	_, err := fmt.Fprintf(l.in, "%d %s\n", n, l.url)
	return answer, err
}

// read takes what the program says until it says no more. Of a line that is longer than
// its buffer, which no answer is, it takes the beginning.
func (l *lines) read(answers io.ReadCloser) {
	defer answers.Close()
	said := bufio.NewReader(answers)
	for rest := false; ; {
		line, more, err := said.ReadLine()
		if err != nil {
			break
		}
		if !rest {
			l.answer(strings.TrimSpace(string(line)))
		}
		rest = more
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	for _, answer := range l.waiting {
		close(answer)
	}
	l.waiting, l.queue = nil, nil
}

// answer enters how a request ended: the one whose number the line begins with, or
// the oldest.
func (l *lines) answer(line string) {
	switch line {
	case "":
		return
	case readyLine:
		l.readyOnce.Do(func() { close(l.ready) })
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	first, rest, _ := strings.Cut(line, " ")
	n, err := strconv.Atoi(first)
	if err != nil {
		rest = line
		if len(l.queue) == 0 {
			return
		}
		n = l.queue[0]
	}
	answer := l.waiting[n]
	if answer == nil {
		return // no request waits for it: it was answered before
	}
	delete(l.waiting, n)
	for i, waits := range l.queue {
		if waits == n {
			l.queue = append(l.queue[:i], l.queue[i+1:]...)
			break
		}
	}
	text := strings.TrimSpace(rest)
	if text != "ok" {
		l.keep(text)
	}
	answer <- text
}

// maxTexts bounds how many texts of errors are kept, and maxText the bytes of each.
const (
	maxTexts = 10
	maxText  = 1000
)

// keep keeps the text of an error, if it is the first of its name and says more than that.
// The caller holds mu.
func (l *lines) keep(text string) {
	name := loadgen.ErrorName(loadgen.NamedError(text))
	if l.texts[name] != "" || text == name || len(l.texts) == maxTexts {
		return
	}
	if l.texts == nil {
		l.texts = map[string]string{}
	}
	l.texts[name] = strings.ToValidUTF8(text[:min(len(text), maxText)], "")
}

// errorTexts are the texts of errors so far, by name.
func (l *lines) errorTexts() map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.texts)
}

// end ends the program: first by the end of its input.
func (l *lines) end() {
	_ = l.in.Close()
	l.command.end()
}
