package battery

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"socketlab/internal/words"
)

// Result is how one call ended, as the program reported it.
type Result struct {
	// OK says that it reported success; otherwise Error is its name for what went wrong.
	OK    bool
	Error string
	// Took is the time from the line that asked for it.
	Took time.Duration
}

func (r Result) String() string {
	if r.OK {
		return "ok"
	}
	return words.Printable(r.Error)
}

// errEnded is the error of a call whose program has ended.
var errEnded = errors.New("COMMAND has ended")

// calls are the calls of one program. It is safe for use by several goroutines.
type calls struct {
	in  io.Writer
	url string

	mu      sync.Mutex
	last    int
	waiting map[int]chan string
	order   []int // those that wait, the oldest first
	over    bool
}

// ask asks for a call now; its result comes on the channel, which is closed where the
// program ends before.
func (c *calls) ask() (<-chan string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return nil, errEnded
	}
	c.last++
	answer := make(chan string, 1)
	c.waiting[c.last] = answer
	c.order = append(c.order, c.last)
	if _, err := fmt.Fprintf(c.in, "%d %s\n", c.last, c.url); err != nil {
		return nil, errEnded
	}
	return answer, nil
}

// do makes a call and waits for its end.
func (c *calls) do(ctx context.Context) (Result, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, callLimit, errNoReport)
	defer cancel()
	asked := time.Now()
	answer, err := c.ask()
	if err != nil {
		return Result{}, err
	}
	return c.wait(ctx, asked, answer)
}

// callLimit is how long a call may take that is answered at once, with the start of the
// program on a busy machine.
const callLimit = 60 * time.Second

var errNoReport = fmt.Errorf("COMMAND reported no end of a call within %s", callLimit)

func (c *calls) wait(ctx context.Context, asked time.Time, answer <-chan string) (Result, error) {
	select {
	case text, ok := <-answer:
		if !ok {
			return Result{}, errEnded
		}
		return Result{OK: text == "ok", Error: text, Took: time.Since(asked)}, nil
	case <-ctx.Done():
		return Result{}, context.Cause(ctx)
	}
}

// read takes what the program says until it says no more. docs/own-code.md has the form
// of the lines.
func (c *calls) read(out io.Reader) {
	for said := bufio.NewScanner(out); said.Scan(); {
		c.answer(strings.TrimSpace(said.Text()))
	}
	_, _ = io.Copy(io.Discard, out) // after a line that is too long
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	for _, answer := range c.waiting {
		close(answer)
	}
	c.waiting = nil
}

func (c *calls) answer(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	first, rest, _ := strings.Cut(line, " ")
	n, err := strconv.Atoi(first)
	if err != nil {
		if len(c.order) == 0 || line == "" || line == "ready" {
			return
		}
		n, rest = c.order[0], line
	}
	answer := c.waiting[n]
	if answer == nil {
		return
	}
	delete(c.waiting, n)
	for i, waits := range c.order {
		if waits == n {
			c.order = append(c.order[:i], c.order[i+1:]...)
			break
		}
	}
	answer <- strings.TrimSpace(rest)
}

// urlWord stands in a command for the URL. A command that has it makes one call and ends.
const urlWord = "{url}"

// line returns the command as a line for the shell that makes a call for each line of its
// input.
func line(command, url string) string {
	if !strings.Contains(command, urlWord) {
		return command
	}
	return `call() { if {
` + strings.ReplaceAll(command, urlWord, url) + `
} </dev/null >/dev/null; then echo "$1 ok"; else echo "$1 exit_$?"; fi; }
while read -r number rest; do call "$number" & done; wait`
}
