package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

func TestReportFitsEveryScreenAndHasNoSeriousFault(t *testing.T) {
	axe, err := os.ReadFile("testdata/axe.min.js")
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "run.html")
	out, err := exec.Command(sockwatch, "run", "body-not-drained", "-q", "--isolate", "never", "--report", file).CombinedOutput()
	require.NoError(t, err, "%s", out)
	tab := open(t, 1280, 720)
	do(t, tab, chromedp.Navigate("file://"+file))
	require.Equal(t, 4, eval[int](t, tab, `document.querySelectorAll("svg.chart").length`))
	for _, size := range []struct{ w, h int64 }{{1280, 720}, {390, 844}} {
		do(t, tab, chromedp.EmulateViewport(size.w, size.h))
		wait(t, tab, fmt.Sprintf("innerWidth === %d", size.w))
		keep(t, tab, fmt.Sprintf("report-%d", size.w))
		require.LessOrEqual(t, eval[int64](t, tab, `document.documentElement.scrollWidth`), size.w)
	}
	faults := eval[[]string](t, tab, string(axe)+`; axe.run().then((r) => r.violations.filter((v) => v.impact === "serious" || v.impact === "critical")
		.map((v) => v.id + ": " + v.nodes.map((n) => n.target.join() + " " + n.failureSummary).slice(0, 3).join("; ")))`, chromedp.EvalAwaitPromise)
	require.Empty(t, faults)
}
