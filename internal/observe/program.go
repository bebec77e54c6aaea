package observe

import (
	"slices"
	"strings"

	"socketlab/internal/runtimes"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// programs are what the watched processes run, and what part they were seen to play.
// What a process runs is read once.
type programs map[int32]*program

type program struct {
	runtimes.Program
	// listens and connects say that it was seen to do so, and peers and clients are
	// the protocols of the ports that it connects to and listens on; sorted.
	listens, connects bool
	peers, clients    []string
}

// see enters a sample's sockets, each for the process that stands for its own.
func (p programs) see(sockets []socketstats.Socket, row func(*socketstats.Socket) (int32, socketstats.End, bool), standsFor func(pid int32) int32) {
	for i := range sockets {
		s := &sockets[i]
		pid, end, ok := row(s)
		if pid = standsFor(pid); !ok || pid == 0 {
			continue
		}
		of := p.of(pid)
		if end == socketstats.Client {
			of.connects = true
			of.peers = with(of.peers, runtimes.ProtocolOf(s.Remote.Port()))
		} else if standsFor(s.PID) == pid {
			of.listens = true
			of.clients = with(of.clients, runtimes.ProtocolOf(s.Local.Port()))
		}
	}
}

func (p programs) of(pid int32) *program {
	if p[pid] == nil {
		p[pid] = &program{Program: runtimes.Of(pid)}
	}
	return p[pid]
}

// with adds a text to a sorted list, unless it is there or "".
func with(list []string, text string) []string {
	i, there := slices.BinarySearch(list, text)
	if there || text == "" {
		return list
	}
	return slices.Insert(list, i, text)
}

// describe adds to a process's identity what it runs.
func (p programs) describe(id *series.Identity) {
	of := p.of(id.PID)
	id.Runtime, id.RuntimeVersion, id.Module = of.Runtime, of.Version, printable(of.Module)
	id.Role = of.Role(of.listens, of.connects, of.peers)
	protocols := of.peers
	if !of.connects {
		if protocols = of.clients; len(protocols) == 0 {
			protocols = with(nil, of.Speaks())
		}
	}
	id.Protocol = strings.Join(protocols, ",")
	if len(protocols) == 1 {
		id.Library = of.Library(protocols[0])
	}
}

// describeTogether gives several processes together what they all run and speak.
func describeTogether(id *series.Identity, of []series.Identity) {
	for i := range of {
		for _, f := range []struct {
			of    *string
			value string
		}{
			{&id.Runtime, of[i].Runtime}, {&id.RuntimeVersion, of[i].RuntimeVersion}, {&id.Module, of[i].Module},
			{&id.Role, of[i].Role}, {&id.Protocol, of[i].Protocol}, {&id.Library, of[i].Library},
		} {
			switch {
			case i == 0:
				*f.of = f.value
			case *f.of != f.value:
				*f.of = ""
			}
		}
	}
}
