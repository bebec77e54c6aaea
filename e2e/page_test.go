package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

const held = `Number(document.querySelector(".faulty .n").textContent)`

// edge is how far to the right each side's chart has the colour of ESTABLISHED:
// the newest sample. Its area says less, as the scale grows with what is shown.
const edge = `(() => {
	const probe = document.body.appendChild(document.createElement("i"));
	probe.style.color = "var(--ESTABLISHED)";
	const colour = getComputedStyle(probe).color.match(/\d+/g).map(Number);
	probe.remove();
	return [...document.querySelectorAll(".chart canvas")].map((c) => {
		const { data, width } = c.getContext("2d").getImageData(0, 0, c.width, c.height);
		let right = -1;
		for (let i = 0; i < data.length; i += 4)
			if (colour.every((v, j) => data[i + j] === v)) right = Math.max(right, i / 4 % width);
		return right;
	});
})()`

// whole says whether all of an element is on the screen, and nothing lies above it.
func whole(selector string) string {
	return `(() => {
		const e = document.querySelector("` + selector + `"), r = e.getBoundingClientRect();
		return [r.top + 2, r.bottom - 2].every((y) => e.contains(document.elementFromPoint(r.left + 4, y)));
	})()`
}

func TestPageAsksThenBothNumbersAndChartsMove(t *testing.T) {
	p := play(t, "transport-per-request")
	tab := open(t, 1280, 720)
	do(t, tab, chromedp.Navigate(p.url))
	wait(t, tab, `document.getElementById("ask").open`)
	do(t, tab, chromedp.SendKeys(chromedp.CSS("#guess"), "40\r"))
	wait(t, tab, `!document.getElementById("ask").open`)
	wait(t, tab, `Number(document.querySelector(".fixed .n")?.textContent) > 0`)
	before, was := eval[float64](t, tab, held), eval[[]float64](t, tab, edge)
	require.Len(t, was, 2, "a chart for each side")
	wait(t, tab, fmt.Sprintf("%s > %g", held, before+5))
	now := eval[[]float64](t, tab, edge)
	require.Greater(t, now[0], was[0], "the faulty side's chart")
	require.Greater(t, now[1], was[1], "the fixed side's chart")
	require.Contains(t, eval[string](t, tab, `document.querySelector(".faulty .chart").ariaLabel`), "Your guess was 40.")
	require.Contains(t, eval[string](t, tab, `document.querySelector(".faulty .unit").textContent`), "ESTABLISHED", "the script's headline")
	do(t, tab, chromedp.KeyEvent("c"))
	wait(t, tab, `document.getElementById("code").open`)
	require.NotZero(t, eval[int](t, tab, `document.querySelectorAll("#code .faulty mark").length`))
	require.True(t, eval[bool](t, tab, whole("#close")), "the button can be seen without scrolling")
	for _, side := range []string{".faulty", ".fixed"} {
		require.True(t, eval[bool](t, tab, whole("#code "+side+" mark")), "what differs can be seen without scrolling, %s", side)
	}
	keep(t, tab, "code")
	do(t, tab, chromedp.KeyEvent("\x1b"))
	// The end stays to be seen, and says what the guess was worth.
	wait(t, tab, `document.getElementById("link").textContent.includes("over")`)
	require.Contains(t, eval[string](t, tab, `document.getElementById("now").textContent`), "Your guess was 40.")
	keep(t, tab, "over")
}

// What the browser shows in the end is what the run prints, at both ends.
func TestNumbersInTheBrowserAreThoseOfTheRun(t *testing.T) {
	p := begin(t, "demo", "body-not-closed", "--isolate", "never", "-o", "json", "--web")
	tab := open(t, 1280, 720)
	do(t, tab, chromedp.Navigate(p.url))
	skip(t, tab)
	wait(t, tab, `document.getElementById("link").textContent.includes("over")`)
	type end struct{ Peak, Final map[string]int }
	type side struct {
		Client, Server end
		Requests       struct {
			Sent, OK, Failed int
			InFlight         int `json:"in_flight"`
		}
		Connections struct{ Opened, Reused int }
		Verdict     struct{ Kind string }
	}
	var run struct{ Faulty, Fixed side }
	require.Eventually(t, func() bool { // the page is told first
		data, err := os.ReadFile(p.out.Name())
		return err == nil && json.Unmarshal(data, &run) == nil
	}, time.Minute, 10*time.Millisecond)
	require.NotZero(t, run.Faulty.Client.Final["CLOSE_WAIT"])
	for _, which := range []string{"client", "server"} {
		wait(t, tab, fmt.Sprintf(`document.getElementById("about").textContent.endsWith("%s end")`, which))
		for name, side := range map[string]side{"faulty": run.Faulty, "fixed": run.Fixed} {
			of := map[string]end{"client": side.Client, "server": side.Server}[which]
			text := func(selector string) string {
				return eval[string](t, tab, fmt.Sprintf(`document.querySelector(".%s %s").textContent`, name, selector))
			}
			shown := eval[map[string]int](t, tab, fmt.Sprintf(`Object.fromEntries([...document.querySelectorAll(".%s .states li")]
				.map((li) => [li.querySelector(".name").textContent, Number(li.querySelector(".count").textContent)]))`, name))
			held := 0
			for state, n := range shown {
				require.Equal(t, of.Final[state], n, "%s, %s end, %s", name, which, state)
				// In this run no program has a descriptor of what its end closed first.
				if !slices.Contains([]string{"TIME_WAIT", "FIN_WAIT1", "FIN_WAIT2", "CLOSING", "LAST_ACK"}, state) {
					held += n
				}
			}
			for state, n := range of.Final {
				require.True(t, n == 0 || shown[state] == n || slices.Contains([]string{"LISTEN", "total", "open"}, state), "%s is not shown", state)
			}
			require.Equal(t, of.Final["open"], held)
			require.Equal(t, fmt.Sprint(side.Connections.Opened), text(".n"), "the script's headline")
			require.Equal(t, "connections opened", text(".unit"))
			require.Equal(t, "sockets, "+which+" end", text(".picture"), "the number stays that of the run, and the picture says of what it is")
			require.Contains(t, text(".numbers"), fmt.Sprintf("connections opened %d, reused %d · requests sent %d, ok %d, failed %d, in flight %d",
				side.Connections.Opened, side.Connections.Reused, side.Requests.Sent, side.Requests.OK, side.Requests.Failed, side.Requests.InFlight))
			words := map[string]string{"response-body-leak": "Responses arrive and their bodies are never closed", "healthy": "No fault found"}
			require.Equal(t, words[side.Verdict.Kind], text(".verdict"))
		}
		keep(t, tab, which)
		do(t, tab, chromedp.Click(chromedp.CSS("#end")))
	}
}

// A chart shows each count from its sample on, up to the next one.
func TestChartHoldsEachCountFromItsSampleOn(t *testing.T) {
	p := play(t, "body-not-closed")
	tab := open(t, 1280, 720)
	do(t, tab, chromedp.Navigate(p.url))
	skip(t, tab)
	wait(t, tab, `document.getElementById("link").textContent.includes("over")`)
	type bar struct{ Counted, High float64 }
	bars := eval[[]bar](t, tab, `(async () => {
		const more = await new Promise((done) => {
			const s = new EventSource("events");
			s.addEventListener("more", (e) => { s.close(); done(e.data); });
		});
		const points = JSON.parse(more).points.map((p) => ({ at: p.at_ns, n: p.counts.client.faulty.ESTABLISHED ?? 0 }));
		const probe = document.body.appendChild(document.createElement("i"));
		probe.style.color = "var(--ESTABLISHED)";
		const colour = getComputedStyle(probe).color.match(/\d+/g).map(Number);
		probe.remove();
		const canvas = document.querySelector(".faulty .chart canvas");
		const { data, width, height } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
		// The line of the headline lies over the top: what counts is where the colour begins.
		const high = [...Array(width).keys()].map((x) => {
			let rows = 0;
			for (let y = 0; y < height; y++) rows += colour.every((v, j) => data[4 * (y * width + x) + j] === v);
			return rows;
		});
		const left = high.findIndex((h) => h > 0), right = high.findLastIndex((h) => h > 0);
		const first = points.findIndex((p) => p.n > 0), gone = points.findIndex((p, i) => i > first && p.n === 0);
		const x = (at) => left + (right + 1 - left) * (at - points[first].at) / (points[gone].at - points[first].at);
		return points.slice(first, gone).map((p, i) => ({ counted: p.n, from: x(p.at), to: x(points[first + i + 1].at) }))
			.filter((p) => p.to - p.from > 4).map((p) => ({ counted: p.counted, high: high[Math.floor((p.from + p.to) / 2)] }));
	})()`, chromedp.EvalAwaitPromise)
	require.Greater(t, len(bars), 3)
	most := slices.MaxFunc(bars, func(a, b bar) int { return cmp.Compare(a.Counted, b.Counted) })
	for _, b := range bars {
		require.InDelta(t, b.Counted/most.Counted, b.High/most.High, 0.06, "%v", bars)
	}
}

func TestReloadInMidRunShowsThePast(t *testing.T) {
	p := play(t, "transport-per-request")
	tab := open(t, 1280, 720)
	do(t, tab, chromedp.Navigate(p.url))
	skip(t, tab)
	oldest := func() float64 { // of the snapshots that a new viewer is sent
		return eval[float64](t, tab, `(async () => {
			const text = await new Promise((done) => {
				const s = new EventSource("events");
				s.addEventListener("more", (e) => { s.close(); done(e.data); });
			});
			return JSON.parse(text).points[0].at_ns;
		})()`, chromedp.EvalAwaitPromise)
	}
	wait(t, tab, held+" > 0")
	first := oldest()
	wait(t, tab, held+" > 10")
	do(t, tab, chromedp.Reload())
	wait(t, tab, `document.querySelector(".faulty .n") !== null && `+held+` > 10`)
	require.False(t, eval[bool](t, tab, `document.getElementById("ask").open`), "it asks once")
	// All of the past is there, from the first snapshot on: the chart of the faulty
	// side is drawn at the left of what the new page has seen itself.
	require.Contains(t, eval[string](t, tab, `document.querySelector(".faulty .chart").ariaLabel`), "Sockets of FAULTY over time")
	require.InDelta(t, first, oldest(), 0)
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

// A page of another name gets nothing, though the name leads to this machine.
func TestForeignHostIsRefused(t *testing.T) {
	p := play(t, "transport-per-request")
	tab := open(t, 1280, 720)
	at, err := url.Parse(p.url)
	require.NoError(t, err)
	do(t, tab, chromedp.Navigate(fmt.Sprintf("http://%s:%s/", foreign, at.Port())))
	require.Equal(t, foreign, eval[string](t, tab, `location.hostname`))
	require.Equal(t, "this page has no such name", strings.TrimSpace(eval[string](t, tab, `document.body.innerText`)))
	status := `fetch("/events").then((r) => r.status)`
	require.Equal(t, 421, eval[int](t, tab, status, chromedp.EvalAwaitPromise))
	do(t, tab, chromedp.Navigate(p.url)) // and by its own it is there
	wait(t, tab, `document.getElementById("ask")?.open`)
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
	wait(t, tab, `!document.getElementById("ask").open && document.querySelector(".fixed .chart")`)
	reached := map[string]bool{}
	for range 7 {
		do(t, tab, chromedp.KeyEvent("\t"))
		reached[eval[string](t, tab, `document.activeElement.id || document.activeElement.ariaLabel || ""`)] = true
		require.Equal(t, "solid", eval[string](t, tab, `document.activeElement === document.body ? "solid" : getComputedStyle(document.activeElement).outlineStyle`))
	}
	for _, id := range []string{"end", "whole", "theme"} {
		require.True(t, reached[id], "%s of %v", id, reached)
	}
}

func TestWatchedProcessesHaveAPanelEach(t *testing.T) {
	p := play(t, "transport-per-request")
	w := begin(t, "watch", "--name", filepath.Base(sockwatch), "--no-children", "--interval", "200ms", "--web")
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
