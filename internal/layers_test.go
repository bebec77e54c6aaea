// Package internal_test holds the code to the layers that docs/architecture.md
// draws.
package internal_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// layers reads the drawing: each package's rank, from the top down.
func layers(t *testing.T) map[string]int {
	t.Helper()
	data, err := os.ReadFile("../docs/architecture.md")
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)```\n(cmd/.*?)```").FindSubmatch(data)
	require.NotNil(t, block)
	rank := map[string]int{}
	for i, line := range strings.Split(string(block[1]), "\n") {
		for _, name := range regexp.MustCompile(`^(internal[\w/]+|scenarios|exercises|profiles)|(cmd/[\w-]+)|sockettest|httppool`).FindAllString(line, -1) {
			rank["socketlab/"+name] = i
		}
	}
	return rank
}

func TestDependenciesPointDownTheDrawing(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "../...").Output()
	require.NoError(t, err)
	rank := layers(t)
	seen := map[string]bool{}
	for in := json.NewDecoder(strings.NewReader(string(out))); in.More(); {
		var p struct {
			ImportPath string
			Imports    []string
		}
		require.NoError(t, in.Decode(&p))
		layer := layerOf(p.ImportPath)
		if layer == "socketlab" || layer == "socketlab/internal" || layer == "socketlab/internal/bench" || strings.HasPrefix(layer, "socketlab/scripts/") || strings.HasPrefix(layer, "socketlab/field") {
			continue // the sources, which import nothing, this test, the benchmarks, the corpus and a script's tests, which stand aside
		}
		require.Contains(t, rank, layer, "not in the drawing")
		seen[layer] = true
		for _, imported := range p.Imports {
			if below := layerOf(imported); strings.HasPrefix(imported, "socketlab/") && below != layer {
				require.Contains(t, rank, below, "not in the drawing")
				require.Less(t, rank[layer], rank[below], "%s imports %s, which is not below it", p.ImportPath, imported)
			}
		}
	}
	for layer := range rank {
		require.True(t, seen[layer], "%s is drawn, and is not there", layer)
	}
}

// layerOf is the drawn package that an import path belongs to. A package below
// another, such as internal/render/tui, is a layer of its own; only the
// incidents are one layer together, and so are the exercises.
func layerOf(path string) string {
	for _, one := range []string{"socketlab/scenarios", "socketlab/exercises"} {
		if strings.HasPrefix(path, one+"/") {
			return one
		}
	}
	return path
}
