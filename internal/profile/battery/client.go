// Package battery measures how a program treats its connections. A client is given a
// server of ours that notes what it sees; each experiment has a server and a process of
// the program for itself, so that those that wait do so side by side.
package battery

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"socketlab/internal/profile"
	"socketlab/internal/words"
)

// The waits of a battery: how long it waits for what may never happen.
const (
	Wait     = 65 * time.Second
	LongWait = 400 * time.Second
)

// perBattery is how many calls are made where connections are counted.
const perBattery = 20

// Ability is what a program does beside reading whole answers by GET.
type Ability string

// The abilities, by the variable of its environment that asks for it.
const (
	Unread   Ability = "unread"   // SOCKETLAB_BODY=unread leaves the body, and closes it where there is such a thing
	Unclosed Ability = "unclosed" // SOCKETLAB_BODY=unclosed leaves it open
	New      Ability = "new"      // SOCKETLAB_CLIENT=new makes a client for each call
	Closed   Ability = "closed"   // SOCKETLAB_CLIENT=closed also closes it
)

// Abilities are all.
func Abilities() []Ability { return []Ability{Unread, Unclosed, New, Closed} }

// Client measures a program that makes calls.
type Client struct {
	// Supervisor is the program, and its arguments, that looks after a command:
	// [socketlab/internal/worker.SuperviseCommand].
	Supervisor []string
	// Command is a line for the shell that reads lines (docs/own-code.md), or that makes
	// one call and has {url} in it.
	Command string
	// Dir is the folder to run it in; "" is ours.
	Dir string
	Can []Ability
	// Wait is how long is waited for what may never happen; 0 is [Wait].
	Wait time.Duration
	// Progress, if not nil, is called with what was measured.
	Progress func(done, of int, what string)
}

// Measure runs the battery. An error says that the program makes no calls at all; what
// could not be measured is in the profile. Where ctx ends it, the profile has what was
// measured up to then, beside the error.
func (c Client) Measure(ctx context.Context) (*profile.Profile, error) {
	if c.Wait == 0 {
		c.Wait = Wait
	}
	b := &clientBattery{
		Client: c, once: strings.Contains(c.Command, urlWord), slots: make(chan struct{}, 4),
		profile: &profile.Profile{
			Kind: profile.Client, Command: c.Command,
		},
	}
	if err := b.try(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	all := clientExperiments()
	var group sync.WaitGroup
	done := 0
experiments:
	for _, e := range all {
		if why := b.cannot(e); why != "" {
			b.miss(e.asks, why)
			b.mu.Lock()
			done++
			b.mu.Unlock()
			continue
		}
		// They start in order: the ones that wait longest first.
		select {
		case b.slots <- struct{}{}:
		case <-ctx.Done():
			break experiments
		}
		group.Go(func() {
			t := &trial{b: b, ctx: ctx, env: e.env, stderr: &lastWords{}}
			err := e.run(t)
			t.end()
			<-b.slots
			b.mu.Lock()
			defer b.mu.Unlock()
			if ctx.Err() != nil {
				return // it was cut off
			}
			if err != nil {
				b.missLocked(e.asks, fmt.Sprintf("%v%s", err, t.said()))
			}
			done++
			if c.Progress != nil {
				c.Progress(done, len(all), e.name)
			}
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		missRest(b.profile)
		return b.profile, context.Cause(ctx)
	}
	judgeHint(b.profile)
	return b.profile, nil
}

// missRest says of all questions that have no answer, and no reason for that, that the
// measurement was interrupted.
func missRest(p *profile.Profile) {
	for _, q := range profile.Questions(p.Kind) {
		if _, has := p.Value(q.ID); !has && p.NotMeasured[q.ID] == "" {
			p.Miss(q.ID, "interrupted")
		}
	}
}

// judgeHint takes back what a client did with a hint where it closes as soon without one.
func judgeHint(p *profile.Profile) {
	idle, ok := p.Value("idle_close")
	if !ok || idle.Bound != profile.Exact {
		return
	}
	// "no" and "on_reuse" are by a second call, which comes after settle: the connection may
	// have been closed by then without a hint.
	within := map[string]time.Duration{"yes": hintWait, "no": hintWait + 2*settle, "on_reuse": hintWait + 2*settle}
	if v, ok := p.Value("honours_hint"); ok && idle.Time <= within[v.String()] {
		delete(p.Values, "honours_hint")
		p.Miss("honours_hint", "it closes an idle connection after "+idle.String()+" without a hint")
	}
}

// clientBattery is a measurement in progress.
type clientBattery struct {
	Client
	once  bool          // the command makes one call and ends
	slots chan struct{} // held by those that do not wait
	// startup is how long an answered call takes, with the start of a program that makes
	// one call.
	startup time.Duration

	mu      sync.Mutex // guards profile
	profile *profile.Profile
}

// try makes one call, which must succeed.
func (b *clientBattery) try(ctx context.Context) error {
	t := &trial{b: b, ctx: ctx, stderr: &lastWords{}}
	defer t.end()
	if err := t.start(); err != nil {
		return err
	}
	r, err := t.call()
	switch {
	case err == nil && !r.OK:
		err = fmt.Errorf("COMMAND reported %q for its first call, which was answered with 200", r)
	case err == nil && t.server.look().requests == 0:
		err = fmt.Errorf("COMMAND reported ok, and no request came: does it ask the URL of the line that it reads?")
	}
	for i := 1; i < trials && err == nil; i++ { // the first may read the program from disk
		if r, err = t.call(); err == nil {
			b.startup = max(b.startup, r.Took)
		}
	}
	if errors.Is(err, errNoReport) {
		err = fmt.Errorf("%w: it writes a line such as \"1 ok\" for each line that it reads, at once (docs/profiles.md)", err)
	}
	if err != nil {
		t.end() // and with it all that it says
		return fmt.Errorf("%w%s", err, t.stderr)
	}
	return nil
}

// cannot says why an experiment is not made; "" is no reason.
func (b *clientBattery) cannot(e experiment) string {
	switch {
	case e.needs != "" && !slices.Contains(b.Can, e.needs):
		name := "SOCKETLAB_BODY"
		if e.needs == New || e.needs == Closed {
			name = "SOCKETLAB_CLIENT"
		}
		return fmt.Sprintf("say --can %s if COMMAND follows %s=%s", e.needs, name, e.needs)
	case e.reuses && b.once:
		return "COMMAND makes one call and ends: its connections end with it"
	}
	return ""
}

func (b *clientBattery) miss(asks []string, why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.missLocked(asks, why)
}

// missLocked says why questions that have no answer yet have none.
func (b *clientBattery) missLocked(asks []string, why string) {
	for _, id := range asks {
		if _, has := b.profile.Value(id); !has && b.profile.NotMeasured[id] == "" {
			b.profile.Miss(id, why)
		}
	}
}

// experiment is one process of the program and what is done with it.
type experiment struct {
	name string
	asks []string
	env  []string
	// needs is what the program must be able to do; "" is nothing.
	needs Ability
	// reuses says that it makes sense only where the program lives on after a call.
	reuses bool
	run    func(*trial) error
}

// trial is an experiment in progress.
type trial struct {
	b       *clientBattery
	ctx     context.Context
	env     []string
	server  *recorder
	program *program
	stderr  *lastWords // of the program, also after its end
}

// start starts a server and the program.
func (t *trial) start() error {
	server, err := listen("127.0.0.1")
	if err != nil {
		return err
	}
	t.server = server
	return t.startProgram(server.addr())
}

// startProgram starts the program with an address to call.
func (t *trial) startProgram(addr string) (err error) {
	return t.startLine(func(s string) string { return s }, "http", addr)
}

func (t *trial) startLine(wrap func(string) string, scheme, addr string) (err error) {
	url := scheme + "://" + addr + "/"
	env := append([]string{
		"SOCKETLAB_URL=" + url, "SOCKETLAB_ADDR=" + addr,
		"SOCKETLAB_METHOD=GET", "SOCKETLAB_BODY=read", "SOCKETLAB_CLIENT=shared",
	}, t.env...)
	if t.program, err = start(t.b.Supervisor, t.b.Dir, wrap(line(t.b.Command, url)), env); err != nil {
		return err
	}
	t.stderr = t.program.stderr
	return nil
}

// errorNames finds the line that names an error: many runtimes write a trace or their
// version behind it.
var errorNames = regexp.MustCompile(`[A-Za-z]*(Error|Exception)\b|^panic: `)

// said is what the program wrote to standard error, for a message.
func (t *trial) said() string {
	lines := strings.Split(t.stderr.String(), "\n")
	says := lines[len(lines)-1]
	for _, line := range slices.Backward(lines) {
		if errorNames.MatchString(line) {
			says = line
			break
		}
	}
	if says = strings.TrimSpace(says); says == "" {
		return ""
	}
	return "; it says: " + words.Printable(says)
}

func (t *trial) end() {
	if t.program != nil {
		t.program.end()
		t.program = nil
	}
	if t.server != nil {
		t.server.end()
		t.server = nil
	}
}

// set enters a value.
func (t *trial) set(id string, v profile.Value, seen ...string) {
	t.b.mu.Lock()
	defer t.b.mu.Unlock()
	t.setLocked(id, v, seen...)
}

// setLocked is set for one who holds the lock. What is seen after an interruption comes of
// that: each wait ends then.
func (t *trial) setLocked(id string, v profile.Value, seen ...string) {
	if t.ctx.Err() == nil {
		t.b.profile.Set(id, v, seen...)
	}
}

// call makes a call.
func (t *trial) call() (Result, error) { return t.program.do(t.ctx) }

// ok makes a call that must succeed.
func (t *trial) ok() error {
	r, err := t.call()
	if err == nil && !r.OK {
		err = fmt.Errorf("a call that was answered with 200 is reported as %s", r)
	}
	return err
}

// aside lets others start while this one waits.
func (t *trial) aside(wait func()) {
	<-t.b.slots
	defer func() { t.b.slots <- struct{}{} }()
	wait()
}

// pause waits for a time that is part of the experiment.
func (t *trial) pause(d time.Duration) error {
	var err error
	t.aside(func() {
		select {
		case <-time.After(d):
		case <-t.ctx.Done():
			err = context.Cause(t.ctx)
		}
	})
	return err
}

// lookAfter returns what was noted after a time, of that moment: it may be a while until
// this experiment goes on.
func (t *trial) lookAfter(d time.Duration) (counts, error) {
	limit, stop := t.limit(d)
	defer stop()
	var n counts
	t.aside(func() { n = t.server.until(limit, func(counts) bool { return false }) })
	return n, t.ctx.Err()
}

// limit ends a wait after the battery's time, or with ctx.
func (t *trial) limit(d time.Duration) (<-chan time.Time, func()) {
	c := make(chan time.Time)
	ctx, cancel := context.WithTimeout(t.ctx, d)
	stop := context.AfterFunc(ctx, func() { close(c) })
	return c, func() { stop(); cancel() }
}
