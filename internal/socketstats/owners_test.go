package socketstats_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
)

// attribute shows one sample's only socket to o and returns the owner it got.
func attribute(o *socketstats.Owners, s socketstats.State, pid int32) int32 {
	socket := conn("127.0.0.1:4000", "127.0.0.1:80", s)
	socket.PID = pid
	sample := []socketstats.Socket{socket}
	o.Attribute(sample)
	return sample[0].PID
}

func TestAClosingSocketKeepsItsOwner(t *testing.T) {
	for _, s := range []socketstats.State{
		socketstats.FinWait1, socketstats.FinWait2, socketstats.Closing,
		socketstats.TimeWait, socketstats.LastAck, socketstats.Close,
	} {
		o := new(socketstats.Owners)
		require.Equal(t, int32(7), attribute(o, socketstats.Established, 7))
		for range 3 { // in sample after sample
			require.Equal(t, int32(7), attribute(o, s, 0), s)
		}
	}
}

func TestASocketThatIsNotClosingKeepsNoOwner(t *testing.T) {
	for _, s := range []socketstats.State{
		socketstats.Established, socketstats.SynRecv, socketstats.SynSent,
		socketstats.CloseWait, socketstats.Listen,
	} {
		o := new(socketstats.Owners)
		attribute(o, socketstats.Established, 7)
		require.Equal(t, int32(0), attribute(o, s, 0), "%v: the four-tuple is a new connection's", s)
		require.Equal(t, int32(0), attribute(o, socketstats.TimeWait, 0), "%v: nor is what it becomes", s)
	}
}

func TestASocketThatWasGoneHasNoOwner(t *testing.T) {
	o := new(socketstats.Owners)
	attribute(o, socketstats.Established, 7)
	o.Attribute(nil)
	require.Equal(t, int32(0), attribute(o, socketstats.TimeWait, 0))
}

func TestASocketSeenTooLateHasNoOwner(t *testing.T) {
	require.Equal(t, int32(0), attribute(new(socketstats.Owners), socketstats.TimeWait, 0))
}

func TestAnOwnerThatIsSeenWins(t *testing.T) {
	o := new(socketstats.Owners)
	attribute(o, socketstats.Established, 7)
	require.Equal(t, int32(8), attribute(o, socketstats.FinWait2, 8), "the descriptor was handed on")
	require.Equal(t, int32(8), attribute(o, socketstats.TimeWait, 0))
}

// The server's end has the client's four-tuple the other way round.
func TestTheOtherEndsOwnerIsNotTaken(t *testing.T) {
	o := new(socketstats.Owners)
	attribute(o, socketstats.Established, 7)
	sample := []socketstats.Socket{conn("127.0.0.1:80", "127.0.0.1:4000", socketstats.TimeWait)}
	o.Attribute(sample)
	require.Equal(t, int32(0), sample[0].PID)
}
