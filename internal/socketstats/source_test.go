package socketstats_test

import (
	"errors"
	"io"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/socketstats"
)

func TestASourceIsOpenedByItsName(t *testing.T) {
	auto := "gopsutil"
	if runtime.GOOS == "linux" {
		auto = "sockdiag"
	}
	require.Equal(t, []string{"auto", "gopsutil", "sockdiag"}, socketstats.SourceNames())
	for _, name := range socketstats.SourceNames() {
		src, err := socketstats.OpenSource(name)
		if name == "sockdiag" && runtime.GOOS != "linux" {
			require.ErrorIs(t, err, errors.ErrUnsupported)
			require.ErrorContains(t, err, "gopsutil", "what to use")
			require.Nil(t, src)
			continue
		}
		require.NoError(t, err)
		want := name
		if name == socketstats.Auto {
			want = auto
		}
		require.Equal(t, want, src.Name())
		_, err = src.Sockets(t.Context(), socketstats.Query{States: []socketstats.State{socketstats.Listen}})
		require.NoError(t, err)
		if closer, ok := src.(io.Closer); ok {
			require.NoError(t, closer.Close())
		}
	}
}

func TestASourceOfAnotherNameIsAnError(t *testing.T) {
	for _, name := range []string{"", "Sockdiag", "sock_diag", "lsof", "auto "} {
		src, err := socketstats.OpenSource(name)
		require.ErrorIs(t, err, errors.ErrUnsupported)
		require.Nil(t, src)
		for _, right := range socketstats.SourceNames() {
			require.ErrorContains(t, err, right)
		}
	}
}

func TestNoStateIsHiddenFromSockdiag(t *testing.T) {
	var d socketstats.Sockdiag
	require.Empty(t, d.UnsupportedStates())
	require.Equal(t, "sockdiag", d.Name())
}
