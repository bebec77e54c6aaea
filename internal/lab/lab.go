// Package lab plays runs. A run has sides, each with a server and a client of its
// own in processes of their own. All of them get the same load at the same time,
// or run a command of the user's; the lab samples their sockets, ends the
// processes, and yields an observation with a subject for each side.
package lab

import (
	"context"
	"errors"
	"net/netip"

	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// Plan is what to play, and how. Script and Source are required.
type Plan struct {
	// Script is the scenario, at the speed to play it (Script.AtSpeed).
	Script scenario.Script
	Seed   uint64
	// Sides are the subjects of the run; nil is [Pair].
	Sides    []Side
	Source   socketstats.Source
	Programs Programs
	// Isolated plays each side in a user and network namespace of its own,
	// counted by a sock_diag source inside; Source is not used then. See
	// [CanIsolate].
	Isolated bool
	// Provenance is who plays the run; nil says nothing.
	Provenance *series.Provenance
	// Observe is given every event as it happens, by the goroutine that called
	// Play. nil observes nothing.
	Observe func(series.Event)
	// Elsewhere is what the run waits for where the other end of its connections is
	// played by other runs ([Side.Server], [Side.ServerOnly]); nil where it is not.
	Elsewhere *Elsewhere
}

// Elsewhere has the points at which a run that plays one end of its connections waits for
// the other. All three functions are required. With an error the run ends.
type Elsewhere struct {
	// Begin is called once the run's own processes are ready, with the addresses of its own
	// servers by side, and returns when the load is to begin.
	Begin func(ctx context.Context, servers []netip.AddrPort) error
	// Sent is called when the load is over and all of the run's own was sent. It returns once
	// that is so everywhere.
	Sent func(ctx context.Context) error
	// Counted is called after the last count, while every process is still there. It
	// returns once nothing elsewhere needs the run's own any more.
	Counted func(ctx context.Context) error
}

// Side is one subject of a run: a server, and a client that sends it the load.
type Side struct {
	// ID names the subject in the observation.
	ID string
	// Code is the half of the script's pair whose code is played.
	Code scenario.Side
	// Settings are the client's settings in place of the script's; nil for those.
	Settings *scenario.Client
	// Listen is where the server listens; "" takes a free port of 127.0.0.1.
	Listen string
	// Server is where the side's server listens, which somebody else has started: the run
	// starts none, and the client may connect to that address and to no other. The zero
	// AddrPort starts one.
	Server netip.AddrPort
	// ServerOnly starts no client: others are elsewhere.
	ServerOnly bool
	// Dir is the folder of the side's programs, as of [Programs]; "" is the plan's.
	Dir string
	// Half is the half of the script's pair whose expectations the side is held to;
	// "" if the ID says which, or none.
	Half scenario.Side
	// Command is the side's client, a program of the user's: in a comparison whatever it
	// does, in a run one that makes a request for each line of its standard input; "" is
	// that of its code. GoVersion is the version of Go that built it, as runtime.Version has it; "" if that is not known.
	Command, GoVersion string
	// SaysReady is for a Command that writes the line "ready" once it can make requests:
	// the load begins then, and not while the program is being loaded.
	SaysReady bool
	// Later, if not nil, returns the Command. It is called once all servers and the clients
	// of the sides without it are ready, and may take any time: a run that waits for the
	// user then begins soon. Its error is the run's.
	Later func(context.Context) (command string, err error)
	// Said, if not nil, gets what the Command said before Play returns.
	Said *Said
}

// Said holds text of a program that is not the lab's, as it came, with escape sequences and
// bytes that are no UTF-8.
type Said struct {
	// Stderr is the end of what it wrote to standard error.
	Stderr string
	// Errors are the texts of its errors: of those with a name that of the first.
	Errors map[string]string
}

// Pair is the sides of a script as it is meant: "faulty" and "fixed".
func Pair() []Side {
	var pair []Side
	for _, side := range scenario.Sides() {
		pair = append(pair, Side{ID: string(side), Code: side})
	}
	return pair
}

// Swap has each side play the other half's code. A script that then still shows
// what it expects proves nothing.
func Swap(sides []Side) []Side {
	swapped := make([]Side, len(sides))
	for i, s := range sides {
		s.Code = s.Code.Other()
		swapped[i] = s
	}
	return swapped
}

// ErrInterrupted is the error of a run whose context ended.
var ErrInterrupted = errors.New("interrupted")

// Play plays a scenario once and returns what it showed. No process of the run
// is left when it returns.
//
// With an error, the observation holds what was seen up to then; it is
// [ErrInterrupted] if ctx ended first. A leak that reached the limit of
// descriptors is no error: the observation says so in Stopped.
func Play(ctx context.Context, plan Plan) (*series.Observation, error) {
	sides := plan.Sides
	if sides == nil {
		sides = Pair()
	}
	r := newRun(sides, plan.Source, plan.Observe)
	r.isolated, r.provenance = plan.Isolated, plan.Provenance
	r.interval, r.limit, r.stopServers = plan.Script.SampleInterval.D(), plan.Script.Length(), plan.Script.Server.StopAfter.D()
	o, err := r.play(ctx, &load{run: r, Plan: &plan})
	for _, s := range r.sides {
		if s.Said != nil && s.client != nil {
			*s.Said = Said{Stderr: s.client.stderr.end(shownSize), Errors: s.report.Texts}
		}
	}
	return o, err
}

// Preview is the header of a run before it is played, without what is known only
// then: when it began, and by which processes.
func Preview(plan Plan) series.Header {
	h := (&load{run: newRun(plan.Sides, nil, nil), Plan: &plan}).header()
	h.Length = plan.Script.Length()
	for _, s := range plan.Sides {
		h.Subjects = append(h.Subjects, series.Identity{ID: s.ID, Name: s.ID, Half: string(s.Half), Paired: true})
	}
	return h
}
