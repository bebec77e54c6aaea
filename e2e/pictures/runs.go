package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/chromedp"
)

// The run is pictured at three quarters of its load, which takes 8 of its 10.8 s.
const inMidRun = `document.getElementById("time").textContent >= "00:06"`

// page pictures one run on its page, as three viewers see it at the same time,
// and keeps the charts of that run.
func (s *studio) page() (err error) {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.sockwatch, "demo", "--web", "--quiet", "--svg", filepath.Join(s.to, "chart.svg"))
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it ends its own processes
	cmd.WaitDelay = 10 * time.Second
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	address := make(chan string, 1)
	said := make(chan string, 1)
	go func() {
		at := regexp.MustCompile(`the page is at (http://\S+)`)
		var all strings.Builder
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			fmt.Fprintln(&all, lines.Text())
			if m := at.FindStringSubmatch(lines.Text()); m != nil {
				address <- m[1]
			}
		}
		said <- all.String()
		close(address)
	}()
	defer func() {
		if err != nil {
			cancel()
		}
		text := <-said
		if ended := cmd.Wait(); err == nil {
			err = ended
		}
		if err != nil {
			err = fmt.Errorf("%w; sockwatch said: %s", err, text)
		}
	}()
	url, ok := <-address
	if !ok {
		return errors.New("sockwatch showed no page")
	}
	viewers := []struct {
		name          string
		width, height int64
		theme         string
		tab           context.Context
	}{
		{name: "page-dark.png", width: 1280, height: 720, theme: "dark"},
		{name: "page-light.png", width: 1280, height: 720, theme: "light"},
		{name: "page-phone.png", width: 390, height: 844, theme: "dark"},
	}
	for i := range viewers {
		v := &viewers[i]
		tab, end, err := s.tab(v.width, v.height, 1)
		if err != nil {
			return err
		}
		defer end()
		v.tab = tab
		if err := chromedp.Do(tab, chromedp.Navigate(url)); err != nil {
			return err
		}
		if err := wait(tab, `document.getElementById("ask")?.open`); err != nil {
			return err
		}
		if err := chromedp.Do(tab, chromedp.SendKeys(chromedp.CSS("#guess"), "30\r")); err != nil {
			return err
		}
		const theme = `getComputedStyle(document.documentElement).colorScheme`
		if now, err := chromedp.Run(tab, chromedp.Evaluate[string](theme)); err != nil {
			return err
		} else if now != v.theme {
			if err := chromedp.Do(tab, chromedp.Click(chromedp.CSS("#theme"))); err != nil {
				return err
			}
		}
		if err := wait(tab, theme+` === "`+v.theme+`"`); err != nil {
			return err
		}
	}
	errs := make([]error, len(viewers))
	var all sync.WaitGroup
	for i, v := range viewers {
		all.Go(func() {
			if errs[i] = wait(v.tab, inMidRun); errs[i] == nil {
				errs[i] = s.keep(v.tab, v.name)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// report pictures the first screen of a run's report.
func (s *studio) report() error {
	file := filepath.Join(s.from, "report.html")
	cmd := exec.CommandContext(s.ctx, s.sockwatch, "run", "body-not-closed", "--quiet", "--report", file)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("sockwatch: %w: %s", err, out)
	}
	tab, end, err := s.tab(1200, 900, 1)
	if err != nil {
		return err
	}
	defer end()
	if err := load(tab, file); err != nil {
		return err
	}
	if err := wait(tab, `document.readyState === "complete" && document.querySelector("h1")`); err != nil {
		return err
	}
	return s.keep(tab, "report.png")
}
