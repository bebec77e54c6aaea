package e2e

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// The board shows who has joined, and each check, on every screen.
func TestBoardShowsParticipants(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	b := begin(t, "exercise", "board")
	tab := open(t, 1280, 720)
	do(t, tab, chromedp.Navigate(b.url))
	wait(t, tab, `document.getElementById("join")?.textContent === "sockwatch exercise join `+b.url+` --name NAME"`)
	run := func(args ...string) error {
		return exec.Command(sockwatch, append([]string{"exercise"}, args...)...).Run()
	}
	for _, name := range []string{"Ada", "<img src=x> a name of forty characters."} {
		require.NoError(t, run("join", b.url, "--name", name))
		wait(t, tab, `document.getElementById("rows").innerText.includes("`+name+`")`)
	}
	require.Zero(t, eval[int](t, tab, `document.querySelectorAll("#rows img").length`))
	dir := filepath.Join(t.TempDir(), "mine")
	require.NoError(t, run("start", "one-of-three-leaks", dir))
	_ = run("check", dir) // its answer is empty
	wait(t, tab, `document.getElementById("rows").innerText.includes("one-of-three-leaks")`)
	for _, size := range []struct{ w, h int64 }{{1280, 720}, {390, 844}} {
		do(t, tab, chromedp.EmulateViewport(size.w, size.h))
		wait(t, tab, `innerWidth === `+map[int64]string{1280: "1280", 390: "390"}[size.w])
		keep(t, tab, map[int64]string{1280: "board", 390: "board-phone"}[size.w])
		require.LessOrEqual(t, eval[int64](t, tab, `document.documentElement.scrollWidth`), size.w)
	}
	b.kill(t)
	wait(t, tab, `document.getElementById("link").textContent.includes("connection lost")`)
}
