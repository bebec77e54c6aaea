package worker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
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

	mu      sync.Mutex
	last    int
	waiting map[int]chan string
	queue   []int // those that wait, the oldest first
	over    bool
}

// errProgramEnded is the error of a request whose program is gone.
var errProgramEnded = errors.New("the program has ended")

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
	l := &lines{url: target.URL, in: theirs, waiting: map[int]chan string{}}
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
	l.mu.Lock()
	if l.over {
		l.mu.Unlock()
		return errProgramEnded
	}
	l.last++
	n, answer := l.last, make(chan string, 1)
	l.waiting[n] = answer
	l.queue = append(l.queue, n)
	_, err := fmt.Fprintf(l.in, "%d %s\n", n, l.url)
	l.mu.Unlock()
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

// read takes what the program says until it says no more.
func (l *lines) read(answers io.ReadCloser) {
	defer answers.Close()
	said := bufio.NewScanner(answers)
	for said.Scan() {
		l.answer(strings.TrimSpace(said.Text()))
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
		return // nobody waits for it: it was answered before
	}
	delete(l.waiting, n)
	for i, waits := range l.queue {
		if waits == n {
			l.queue = append(l.queue[:i], l.queue[i+1:]...)
			break
		}
	}
	answer <- strings.TrimSpace(rest)
}

// end ends the program: first by the end of its input.
func (l *lines) end() {
	_ = l.in.Close()
	l.command.end()
}
