package socketstats_test

import (
	"errors"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
)

func TestASourceIsOpenedByItsName(t *testing.T) {
	auto, ok := map[string]string{"linux": "sockdiag", "windows": "iphlpapi"}[runtime.GOOS]
	if !ok {
		auto = "lsof" // where it is installed, as on macOS
	}
	require.Subset(t, socketstats.SourceNames(), []string{"auto", "gopsutil", auto})
	require.True(t, slices.IsSorted(socketstats.SourceNames()))
	for _, name := range socketstats.SourceNames() {
		src, err := socketstats.OpenSource(name)
		require.NoError(t, err)
		want := name
		if name == socketstats.Auto {
			want = auto
		}
		require.Equal(t, want, src.Name())
		_, err = src.Sockets(t.Context(), socketstats.Query{States: []socketstats.State{socketstats.Listen}})
		require.NoError(t, err)
		require.NoError(t, src.Close())
	}
}

func TestASourceOfAnotherNameIsAnError(t *testing.T) {
	for _, name := range []string{"", "Sockdiag", "sock_diag", "netstat", "auto "} {
		src, err := socketstats.OpenSource(name)
		require.ErrorIs(t, err, errors.ErrUnsupported)
		require.Nil(t, src)
		for _, right := range socketstats.SourceNames() {
			require.ErrorContains(t, err, right)
		}
	}
}

// What only lists is asked for nothing else, also where it is a source of this
// system's with a method replaced.
func TestWhatASourceCanDoIsAskedOfIt(t *testing.T) {
	auto, err := socketstats.OpenSource(socketstats.Auto)
	require.NoError(t, err)
	defer auto.Close()
	all := runtime.GOOS == "linux"
	require.Equal(t, all, socketstats.ReportsInfo(auto))
	require.Equal(t, all, socketstats.EntersNamespaces(auto))
	_, cheaper := socketstats.Cheaper(auto)
	require.False(t, cheaper)
	for _, src := range []socketstats.Source{socketstats.Gopsutil{}, struct{ socketstats.Source }{auto}} {
		require.False(t, socketstats.ReportsInfo(src))
		require.False(t, socketstats.EntersNamespaces(src))
		closings, err := socketstats.OpenClosings(src, nil)
		require.ErrorIs(t, err, errors.ErrUnsupported)
		require.ErrorContains(t, err, src.Name())
		require.Nil(t, closings)
	}
	name, cheaper := socketstats.Cheaper(socketstats.Gopsutil{})
	require.Equal(t, auto.Name() != "gopsutil", cheaper)
	require.Equal(t, auto.Name(), name)
}
