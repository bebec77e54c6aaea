package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	psnet "github.com/shirou/gopsutil/v3/net"

	"socketlab/internal/socketstats"
	_ "socketlab/internal/taskfiles" // as sockwatch has
)

// census is how many sockets there are to be found, listeners included.
type census struct {
	All    int // in the namespace
	Ours   int // with the watched port at either end
	Served int // with it at the local end
}

// listing lists sockets once and returns how many it found.
type listing func(context.Context) (int, error)

// lister is one way to list sockets.
type lister struct {
	name    string // as the table calls it
	program string // that must be installed; "" for none
	finds   func(census) int
	// fresh begins anew before each call; that is not in the call's time.
	fresh bool
	pause time.Duration // before each call; 0 for none
	open  func(port uint16) (listing, func() error, error)
}

func findsAll(c census) int    { return c.All }
func findsOurs(c census) int   { return c.Ours }
func findsServed(c census) int { return c.Served }

// restFor is a pause as between two samples. Others use the processor
// meanwhile, and its caches.
const restFor = 50 * time.Millisecond

// The listers that a bar or a sentence names.
const (
	rest           = ", after a pause"
	firstCall      = ", first call"
	diagPort       = "Sockdiag, our port"
	diagPortOwners = "Sockdiag, our port, with owners"
	diagAll        = "Sockdiag, all ports"
	psConnections  = "gopsutil's net.Connections"
	ssAll          = "`ss -tan`"
	ssPort         = "`ss -tan sport = :P`"
	ssPortOwners   = "`ss -tanp sport = :P`"
)

var listers = []lister{
	{name: diagPort, finds: findsOurs, open: sockdiag(true, socketstats.Query{})},
	{name: diagPort + rest, finds: findsOurs, pause: restFor, open: sockdiag(true, socketstats.Query{})},
	{name: diagPort + ", on one thread", finds: findsOurs, open: sockdiag(true, socketstats.Query{Thrifty: true})},
	{name: diagPortOwners, finds: findsOurs, open: sockdiag(true, socketstats.Query{Owners: true})},
	{name: diagPortOwners + firstCall, finds: findsOurs, fresh: true, open: sockdiag(true, socketstats.Query{Owners: true})},
	{name: diagAll, finds: findsAll, open: sockdiag(false, socketstats.Query{})},
	{name: "Gopsutil, our port", finds: findsOurs, open: gopsutil(socketstats.Query{})},
	{name: "Gopsutil, our port, with owners", finds: findsOurs, open: gopsutil(socketstats.Query{Owners: true})},
	{name: psConnections, finds: findsAll, open: connections(psnet.ConnectionsWithContext)},
	{name: "gopsutil's net.ConnectionsWithoutUids", finds: findsAll, open: connections(psnet.ConnectionsWithoutUidsWithContext)},
	{name: ssAll, program: "ss", finds: findsAll, open: run(1, "ss", "-tan")},
	{name: ssPort, program: "ss", finds: findsServed, open: runFiltered("ss", "-tan")},
	{name: ssPort + rest, program: "ss", finds: findsServed, pause: restFor, open: runFiltered("ss", "-tan")},
	{name: ssPortOwners, program: "ss", finds: findsServed, open: runFiltered("ss", "-tanp")},
	{name: "`netstat -tan`", program: "netstat", finds: findsAll, open: run(2, "netstat", "-tan")},
	{name: "`true`: starting a process alone", program: "true", finds: func(census) int { return 0 }, open: run(0, "true")},
}

func nothing() error { return nil }

// counted lists through one of our sources, and counts both ends by state.
func counted(s socketstats.Source, port uint16, q socketstats.Query) listing {
	server := netip.AddrPortFrom(netip.Addr{}, port)
	return func(ctx context.Context) (int, error) {
		sockets, err := s.Sockets(ctx, q)
		if err != nil {
			return 0, err
		}
		client, srv := socketstats.Count(sockets, server)
		if len(q.Ports) > 0 && client.Total()+srv.Total() != len(sockets) {
			return 0, fmt.Errorf("%d client ends and %d server ends of %d sockets", client.Total(), srv.Total(), len(sockets))
		}
		return len(sockets), nil
	}
}

func sockdiag(filtered bool, q socketstats.Query) func(uint16) (listing, func() error, error) {
	return func(port uint16) (listing, func() error, error) {
		s, err := socketstats.OpenSource("sockdiag")
		if err != nil {
			return nil, nil, err
		}
		asked := q
		if filtered {
			asked.Ports = []uint16{port}
		}
		return counted(s, port, asked), s.Close, nil
	}
}

func gopsutil(q socketstats.Query) func(uint16) (listing, func() error, error) {
	return func(port uint16) (listing, func() error, error) {
		asked := q
		asked.Ports = []uint16{port}
		return counted(socketstats.Gopsutil{}, port, asked), nothing, nil
	}
}

func connections(list func(context.Context, string) ([]psnet.ConnectionStat, error)) func(uint16) (listing, func() error, error) {
	return func(uint16) (listing, func() error, error) {
		return func(ctx context.Context) (int, error) {
			stats, err := list(ctx, "tcp")
			return len(stats), err
		}, nothing, nil
	}
}

// run runs a program and reads its output to the end; headings are the lines
// that are no sockets.
func run(headings int, command ...string) func(uint16) (listing, func() error, error) {
	return func(uint16) (listing, func() error, error) {
		return func(ctx context.Context) (int, error) {
			var lines lineCounter
			cmd := exec.CommandContext(ctx, command[0], command[1:]...)
			cmd.SysProcAttr = diesWithUs()
			cmd.Stdout, cmd.Stderr = &lines, os.Stderr
			err := cmd.Run()
			count(cmd.ProcessState)
			return int(lines) - headings, err
		}, nothing, nil
	}
}

func runFiltered(command ...string) func(uint16) (listing, func() error, error) {
	return func(port uint16) (listing, func() error, error) {
		return run(1, append(command, "sport", "=", ":"+strconv.Itoa(int(port)))...)(port)
	}
}

type lineCounter int

func (c *lineCounter) Write(b []byte) (int, error) {
	*c += lineCounter(bytes.Count(b, []byte("\n")))
	return len(b), nil
}

// installed reports whether the lister can be used here.
func (l lister) installed() bool {
	if l.program == "" {
		return true
	}
	_, err := exec.LookPath(l.program)
	return err == nil
}

// isRace reports whether gopsutil met a process that ended while it read its
// descriptors, and gave up. The call is made again, as our own source does.
func isRace(err error) bool { return errors.Is(err, syscall.ESRCH) }
