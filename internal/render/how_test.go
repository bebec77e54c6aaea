package render_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/render"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
)

// A run with programs of the user's is played again with them.
func TestHowToPlayOwnProgramsAgain(t *testing.T) {
	t.Parallel()
	o := &render.Observed{Observation: &series.Observation{Header: series.Header{Source: "sockdiag", Scenario: &series.Scenario{
		ID: "body-not-drained", Speed: 1, Seed: 1, Commands: map[string]string{"fixed": "python3 it's.py"},
	}}}}
	require.Contains(t, o.How(), render.Item{
		Name: "to play it again",
		Text: `sockwatch run body-not-drained --speed 1 --seed 1 --source sockdiag --isolate never --fixed 'python3 it'\''s.py'`,
	})
	// A script's own folder is not what the catalogue has under the same id.
	o.Script = &scenario.Script{ID: "body-not-drained", Folder: "mine"}
	for _, fact := range o.How() {
		require.NotEqual(t, "to play it again", fact.Name)
	}
}
