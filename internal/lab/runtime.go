package lab

import (
	"slices"

	"socketlab/internal/fixes"
	"socketlab/internal/runtimes"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
	"socketlab/internal/worker/orphans"
)

// recognitions is in how many samples it is looked for what a program runs.
const recognitions = 5

// recognise completes the identity of a side whose client is a program of the user's
// with what that runs, so that the fix is in its words. It looks once there are
// connections: until then a shell may be about to start it.
func (s *side) recognise(of *series.SubjectSample) {
	if s.Command == "" || s.recognitions == recognitions || of.Client.Counts.Open() == 0 {
		return
	}
	s.recognitions++
	pids := orphans.Below(s.client.shown())
	slices.Reverse(pids) // a program is below the shell, or the tool, that started it
	if s.client.command != 0 {
		pids = append(pids, s.client.command)
	}
	for _, pid := range pids {
		runs := runtimes.Of(int32(pid))
		if runs.Runtime == "" {
			continue
		}
		id := s.identity
		id.Runtime, id.RuntimeVersion = runs.Runtime, runs.Version
		id.Protocol = s.protocol
		id.Role, id.Library = runs.Role(false, true, []string{s.protocol}), runs.Library(s.protocol)
		of.Identity, s.recognitions = &id, recognitions
		return
	}
}

// speaks notes what our server speaks, in the words of the table of fixes.
func (s *side) speaks(protocol string) {
	switch protocol {
	case "", scenario.DefaultProtocol, "https":
		s.protocol = fixes.HTTP
	}
}
