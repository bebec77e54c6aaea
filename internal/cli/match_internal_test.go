package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/profile"
)

func TestWhyAProgramIsNotPlayedItself(t *testing.T) {
	t.Parallel()
	of, err := findProfile("node-fetch-3")
	require.NoError(t, err)
	require.NoError(t, notOfTheAtlas(of))

	file := filepath.Join(t.TempDir(), "mine.yaml")
	require.NoError(t, os.WriteFile(file, []byte("schema: socketlab/profile/1\nid: mine\nkind: server\nname: mine\ncommand: mine {port}\nvalues:\n  idle_timeout: 6.0s\n"), 0o600))
	mine, err := findProfile(file)
	require.NoError(t, err)
	require.ErrorContains(t, notOfTheAtlas(mine), "its profile is a file")

	require.ErrorContains(t, notOfTheAtlas(&profile.Profile{Kind: profile.Client, Name: "a client"}), "a number")
	of.Name += ", --client-idle 4s"
	require.ErrorContains(t, notOfTheAtlas(of), "a number")
}
