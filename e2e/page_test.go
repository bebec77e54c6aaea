package e2e

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

const held = `Number(document.querySelector(".faulty .n").textContent)`

// drawn is how many points of a panel's chart have the colour of no background:
// the sum over the canvas of what is drawn in it.
const drawn = `[...document.querySelectorAll(".chart canvas")].map((c) => {
	const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
	let n = 0;
	for (let i = 3; i < d.length; i += 4) if (d[i] > 0) n++;
	return n;
})`

func TestPageAsksThenBothNumbersAndChartsMove(t *testing.T) {
	p := play(t, "transport-per-request")
	tab := open(t, 1280, 720)
	do(t, tab, chromedp.Navigate(p.url))
	wait(t, tab, `document.getElementById("ask").open`)
	do(t, tab, chromedp.SendKeys(chromedp.CSS("#guess"), "40\r"))
	wait(t, tab, `!document.getElementById("ask").open`)
	wait(t, tab, `Number(document.querySelector(".fixed .n")?.textContent) > 0`)
	before, was := eval[float64](t, tab, held), eval[[]float64](t, tab, drawn)
	require.Len(t, was, 2, "a chart for each side")
	wait(t, tab, fmt.Sprintf("%s > %g", held, before+5))
	now := eval[[]float64](t, tab, drawn)
	require.Greater(t, now[0], was[0], "the faulty side's chart")
	require.NotEqual(t, now[1], was[1], "the fixed side's chart")
	require.Contains(t, eval[string](t, tab, `document.querySelector(".faulty .chart").ariaLabel`), "Your guess was 40.")
	require.NotZero(t, eval[int](t, tab, `document.querySelectorAll(".faulty .code mark").length`))
	// The end stays to be seen, and says what the guess was worth.
	wait(t, tab, `document.getElementById("link").textContent.includes("over")`)
	require.Contains(t, eval[string](t, tab, `document.getElementById("now").textContent`), "Your guess was 40.")
	keep(t, tab, "over")
}

func TestReloadInMidRunShowsThePast(t *testing.T) {
	p := play(t, "transport-per-request")
	tab := open(t, 1280, 720)
	do(t, tab, chromedp.Navigate(p.url))
	skip(t, tab)
	wait(t, tab, held+" > 10")
	do(t, tab, chromedp.Reload())
	wait(t, tab, `document.querySelector(".faulty .n") !== null && `+held+` > 10`)
	require.False(t, eval[bool](t, tab, `document.getElementById("ask").open`), "it asks once")
	// All of the past is there, from the first second on: the chart of the faulty
	// side is drawn at the left of what the new page has seen itself.
	require.Contains(t, eval[string](t, tab, `document.querySelector(".faulty .chart").ariaLabel`), "Sockets of FAULTY over time")
	n := eval[float64](t, tab, `(async () => {
		const text = await new Promise((done) => {
			const s = new EventSource("events");
			s.addEventListener("more", (e) => { s.close(); done(e.data); });
		});
		return JSON.parse(text).points[0].at_ns;
	})()`, chromedp.EvalAwaitPromise)
	require.Less(t, n, float64(time.Second))
}

func TestNothingIsCut(t *testing.T) {
	p := play(t, "transport-per-request")
	tab := open(t, 1280, 720)
	do(t, tab, chromedp.Navigate(p.url))
	skip(t, tab)
	wait(t, tab, held+" > 20")
	for _, size := range []struct{ w, h int64 }{{1280, 720}, {390, 844}, {1920, 1080}} {
		do(t, tab, chromedp.EmulateViewport(size.w, size.h))
		wait(t, tab, fmt.Sprintf("innerWidth === %d", size.w))
		name := fmt.Sprintf("%dx%d", size.w, size.h)
		wait(t, tab, `document.querySelector(".chart canvas").clientWidth <= document.querySelector(".chart").clientWidth`)
		keep(t, tab, name)
		require.LessOrEqual(t, eval[int64](t, tab, `document.documentElement.scrollWidth`), size.w, name)
		if size.w >= 1280 {
			require.LessOrEqual(t, eval[int64](t, tab, `document.documentElement.scrollHeight`), size.h, name)
		}
		// Nothing is wider than its box, or below the edge of its panel.
		require.Empty(t, eval[[]string](t, tab, `[...document.querySelectorAll("body *")].filter((e) => {
			if (e.closest(".hidden, dialog, .code") || !e.clientWidth) return false;
			const panel = e.closest(".panel"), box = e.getBoundingClientRect(), around = (panel ?? document.body).getBoundingClientRect();
			return e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline" ||
				box.right > around.right + 1 || box.left < around.left - 1 || panel && box.bottom > around.bottom + 1;
		}).map((e) => e.tagName + "." + e.className + " " + e.textContent.slice(0, 40))`), name)
		require.GreaterOrEqual(t, eval[float64](t, tab, `Math.min(...[...document.querySelectorAll(".chart")].map((c) => c.clientHeight))`), 150.0, name)
	}
}

func TestServerKilledAndRestarted(t *testing.T) {
	at := freeAddress(t)
	p := play(t, "transport-per-request", "--web="+at)
	tab := open(t, 1280, 720)
	do(t, tab, chromedp.Navigate(p.url))
	skip(t, tab)
	wait(t, tab, held+" > 5")
	p.kill(t)
	wait(t, tab, `document.getElementById("link").textContent.includes("connection lost")`)
	require.Greater(t, eval[float64](t, tab, held), 5.0, "what was shown stays")
	play(t, "transport-per-request", "--web="+at)
	skip(t, tab) // it is another run, with a question of its own
	wait(t, tab, `document.getElementById("link").textContent.includes("live") && `+held+" > 5")
}

func TestNoRequestLeavesTheMachine(t *testing.T) {
	p := play(t, "transport-per-request")
	tab := open(t, 1280, 720)
	var mu sync.Mutex
	var asked, faults []string
	require.NoError(t, chromedp.Listen(tab, func(ev any) {
		mu.Lock()
		defer mu.Unlock()
		switch ev := ev.(type) {
		case *network.EventRequestWillBeSent:
			asked = append(asked, ev.Request.URL)
		case *network.EventLoadingFailed:
			faults = append(faults, ev.ErrorText)
		}
	}))
	do(t, tab, func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, network.Enable, network.EnableParams{})
		return chromedp.Void{}, err
	}, chromedp.Navigate(p.url))
	skip(t, tab)
	wait(t, tab, held+" > 10")
	mu.Lock()
	require.GreaterOrEqual(t, len(asked), 6)
	for _, u := range asked {
		parsed, err := url.Parse(u)
		require.NoError(t, err)
		require.Equal(t, "127.0.0.1", parsed.Hostname(), u)
	}
	require.Empty(t, faults)
	mu.Unlock()
	// The policy would not let one leave.
	require.Equal(t, "refused", eval[string](t, tab, `fetch("http://192.0.2.1/").then(() => "answered", () => "refused")`, chromedp.EvalAwaitPromise))
}

func TestAxeFindsNoSeriousFault(t *testing.T) {
	axe, err := os.ReadFile("testdata/axe.min.js")
	require.NoError(t, err)
	p := play(t, "transport-per-request")
	tab := open(t, 1280, 720)
	do(t, tab, chromedp.Navigate(p.url))
	wait(t, tab, `document.getElementById("ask").open`)
	check := func(what string) {
		t.Helper()
		_ = eval[bool](t, tab, string(axe)+"; true")
		faults := eval[[]string](t, tab, `axe.run().then((r) => r.violations.filter((v) => v.impact === "serious" || v.impact === "critical")
			.map((v) => v.id + ": " + v.nodes.map((n) => n.target.join() + " " + n.failureSummary).slice(0, 3).join("; ")))`, chromedp.EvalAwaitPromise)
		require.Empty(t, faults, what)
	}
	check("the question")
	skip(t, tab)
	wait(t, tab, held+" > 10")
	for _, theme := range []string{"light", "dark"} {
		if eval[string](t, tab, `getComputedStyle(document.documentElement).colorScheme`) != theme {
			do(t, tab, chromedp.Click(chromedp.CSS("#theme")))
		}
		require.Equal(t, theme, eval[string](t, tab, `getComputedStyle(document.documentElement).colorScheme`))
		check(theme)
		keep(t, tab, theme)
	}
	do(t, tab, chromedp.Click(chromedp.CSS("#whole")))
	wait(t, tab, `document.getElementById("code").open`)
	check("the code")
}

func TestKeysAloneReachEverything(t *testing.T) {
	p := play(t, "transport-per-request")
	tab := open(t, 1280, 720)
	do(t, tab, chromedp.Navigate(p.url))
	wait(t, tab, `document.getElementById("ask").open && document.activeElement.id === "guess"`)
	do(t, tab, chromedp.KeyEvent("\x1b"))
	wait(t, tab, `!document.getElementById("ask").open && document.querySelector(".fixed .code")`)
	reached := map[string]bool{}
	for range 8 {
		do(t, tab, chromedp.KeyEvent("\t"))
		reached[eval[string](t, tab, `document.activeElement.id || document.activeElement.ariaLabel || ""`)] = true
		require.Equal(t, "solid", eval[string](t, tab, `document.activeElement === document.body ? "solid" : getComputedStyle(document.activeElement).outlineStyle`))
	}
	for _, id := range []string{"whole", "theme", "Code of the faulty side: the lines that differ", "Code of the fixed side: the lines that differ"} {
		require.True(t, reached[id], "%s of %v", id, reached)
	}
}

func TestWatchedProcessesHaveAPanelEach(t *testing.T) {
	p := play(t, "transport-per-request")
	w := begin(t, "watch", "--name", "sockwatch", "--interval", "200ms", "--web")
	tab := open(t, 1280, 720)
	do(t, tab, chromedp.Navigate(w.url))
	wait(t, tab, `document.querySelectorAll(".panel").length >= 3`)
	require.False(t, eval[bool](t, tab, `document.getElementById("ask").open`), "there is no question")
	wait(t, tab, `Math.max(...[...document.querySelectorAll(".n")].map((n) => Number(n.textContent))) > 10`)
	keep(t, tab, "watch")
	require.LessOrEqual(t, eval[int64](t, tab, `document.documentElement.scrollHeight`), int64(720))
	p.kill(t)
	wait(t, tab, `[...document.querySelectorAll(".n")].every((n) => Number(n.textContent) < 10)`)
}
