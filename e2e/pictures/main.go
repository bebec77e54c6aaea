// Pictures makes the pictures of the documentation out of recordings of a
// terminal, and out of runs of its own, with a browser. scripts/pictures
// records, builds and calls it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/chromedp/chromedp"
)

// studio is where pictures are made. The contexts of its tabs end with ctx.
type studio struct {
	ctx       context.Context // of the browser
	sockwatch string          // the program
	from, to  string          // where recordings and the player are, and where pictures go
}

func main() {
	var (
		s       studio
		browser string
	)
	flag.StringVar(&browser, "browser", "chromium", "the browser's program")
	flag.StringVar(&s.sockwatch, "sockwatch", "sockwatch", "the program that is pictured")
	flag.StringVar(&s.from, "from", ".", "folder of the player, and of the recordings that are not kept")
	flag.StringVar(&s.to, "to", ".", "folder of the pictures, and of demo.cast")
	flag.Parse()
	if err := run(&s, browser, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func run(s *studio, browser string, names []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	ctx, end := chromedp.NewExecAllocator(ctx,
		append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox)...)
	defer end()
	s.ctx, end = chromedp.NewContext(ctx)
	defer end()
	if err := chromedp.Do(s.ctx, chromedp.Navigate("about:blank")); err != nil {
		return fmt.Errorf("the browser does not start: %w", err)
	}
	of := map[string]func() error{"demo": s.demo, "page": s.page, "report": s.report, "watch": s.watch}
	for _, name := range names {
		take, ok := of[name]
		if !ok {
			return fmt.Errorf("there is no picture %q", name)
		}
		fmt.Println("taking:", name)
		if err := take(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// demo makes the page that plays the recording, the same as an animation, and
// a still.
func (s *studio) demo() error {
	c, err := readCast(filepath.Join(s.to, "demo.cast"))
	if err != nil {
		return err
	}
	if err := s.playing(c, "demo.html"); err != nil {
		return err
	}
	gone, err := c.gone()
	if err != nil {
		return err
	}
	if err := s.still(c, gone-1, "terminal.png"); err != nil {
		return err
	}
	return s.animation(c, "demo.gif")
}

// watch makes the still of a watch, of the moment in which q was pressed.
func (s *studio) watch() error {
	c, err := readCast(filepath.Join(s.from, "watch.cast"))
	if err != nil {
		return err
	}
	for _, e := range slices.Backward(c.events) {
		if e.kind == "i" && e.data == "q" {
			return s.still(c, e.at, "watch.png")
		}
	}
	return errors.New("in the recording q is not pressed")
}
