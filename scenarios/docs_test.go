package scenarios_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"socketlab/internal/scenario"
	"socketlab/scenarios"
)

// What docs/scripts.md shows as a script is one.
func TestScriptsOfTheDocumentationAreGood(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/scripts.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(text, -1)
	require.GreaterOrEqual(t, len(blocks), 4)
	for _, block := range blocks {
		_, err := scenario.Parse("docs/scripts.md", block[1], scenarios.IDs())
		require.NoError(t, err)
	}
}
