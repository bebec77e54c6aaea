package e2e

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// guess waits for the question before a run and answers it.
func guess(n string) []chromedp.Action[chromedp.Void] {
	return []chromedp.Action[chromedp.Void]{chromedp.SendKeys(chromedp.CSS("#number"), n+"\r")}
}

const (
	asked   = `document.getElementById("room")?.hidden === false && document.getElementById("number").offsetParent`
	counted = `document.getElementById("count").textContent`
	said    = `document.getElementById("now").textContent`
)

// label is the text of what a selector finds.
func label(selector string) string {
	return `document.querySelector("` + selector + `").textContent`
}

// Everybody guesses, the presenter starts the run, and in the end all see what was
// guessed beside what was measured.
func TestRoomGuessesBeforeTheRun(t *testing.T) {
	report := filepath.Join(t.TempDir(), "run.html")
	p := await(t, "body-not-closed", "--speed", "4", "--web", "--report", report)
	presenter := open(t, 1280, 720)
	do(t, presenter, chromedp.Navigate(p.url))
	wait(t, presenter, asked)
	phones := []string{"3", "60", "10"}
	for i, n := range phones {
		phone := open(t, 390, 844)
		do(t, phone, chromedp.Navigate(p.url))
		wait(t, phone, asked)
		require.False(t, eval[bool](t, phone, `!document.getElementById("start").hidden`), "only the presenter can start it")
		if i == 0 {
			keep(t, phone, "room-asked-phone")
		}
		do(t, phone, guess(n)...)
		wait(t, phone, `document.getElementById("mine").textContent === "Your guess: `+n+`"`)
		require.LessOrEqual(t, eval[int64](t, phone, `document.documentElement.scrollWidth`), int64(390))
		keep(t, phone, "room-guessed-phone")
	}
	wait(t, presenter, counted+` === "3 of 4 have guessed"`)
	require.Equal(t, "Guess", eval[string](t, presenter, label("#first button")))
	require.Equal(t, "Start the run", eval[string](t, presenter, label("#start")))
	keep(t, presenter, "room-presenter")
	do(t, presenter, guess("25")...)
	wait(t, presenter, counted+` === "4 of 4 have guessed"`)
	do(t, presenter, chromedp.Click(chromedp.CSS("#start")))
	wait(t, presenter, `document.getElementById("room").hidden && document.querySelector(".faulty .n")`)
	require.False(t, eval[bool](t, presenter, `document.getElementById("ask").open`), "it asks once")
	wait(t, presenter, said+`.includes("4 guesses, from 3 to 60, median 17.5. Measured: ")`)
	number := eval[string](t, presenter, `document.querySelector(".faulty .n").textContent + " " + document.querySelector(".faulty .unit").textContent`)
	require.Contains(t, eval[string](t, presenter, said), "Measured: "+number+".", "the same as in the largest digits")
	require.Contains(t, eval[string](t, presenter, `document.querySelector(".faulty .chart").ariaLabel`), "4 guesses")
	keep(t, presenter, "room-over")
	require.Eventually(t, func() bool {
		_, _ = io.WriteString(p.out, "\r") // the terminal's last picture stays until then
		data, err := os.ReadFile(report)
		return err == nil && strings.Contains(string(data), "4 guesses, from 3 to 60, median 17.5. Measured: "+number+".")
	}, time.Minute, 200*time.Millisecond, "the report says the same")
}

// Who is alone answers, and the run begins.
func TestPresenterAloneStartsWithTheGuess(t *testing.T) {
	p := await(t, "body-not-closed", "--speed", "4", "--web")
	tab := open(t, 1280, 720)
	do(t, tab, chromedp.Navigate(p.url))
	wait(t, tab, asked)
	wait(t, tab, label("#first button")+` === "Guess and start"`)
	require.Equal(t, "Start without a guess", eval[string](t, tab, label("#start")))
	do(t, tab, guess("12")...)
	wait(t, tab, `document.querySelector(".faulty .chart")?.ariaLabel.includes("Your guess was 12.")`)
}

// For other machines the presenter's page shows the address as a code.
func TestAddressIsACodeOnThePageThatWaits(t *testing.T) {
	p := await(t, "body-not-closed", "--web", "0.0.0.0:0")
	tab := open(t, 1280, 720)
	do(t, tab, chromedp.Navigate(p.url))
	wait(t, tab, asked)
	wait(t, tab, `document.getElementById("qr").complete && document.getElementById("qr").naturalWidth > 0`)
	require.Equal(t, p.url, eval[string](t, tab, `document.getElementById("address").textContent`))
	for _, size := range []struct{ w, h int64 }{{1280, 720}, {1920, 1080}, {390, 844}} {
		do(t, tab, chromedp.EmulateViewport(size.w, size.h))
		wait(t, tab, `innerWidth === `+fmt.Sprint(size.w))
		keep(t, tab, "room-code-"+fmt.Sprint(size.w))
		require.LessOrEqual(t, eval[int64](t, tab, `document.documentElement.scrollWidth`), size.w)
	}
	do(t, tab, guess("5")...)
	wait(t, tab, `document.getElementById("mine").textContent === "Your guess: 5"`)
	require.True(t, eval[bool](t, tab, `!document.getElementById("start").hidden && !document.getElementById("room").hidden`), "others may come")
}
