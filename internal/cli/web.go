package cli

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"socketlab/internal/cli/program"
	"socketlab/internal/render/tui"
	"socketlab/internal/render/web"
	"socketlab/internal/series"
)

// webFlag is --web [HOST:PORT].
type webFlag struct {
	addr string
	now  bool // begin without a viewer
}

// addNow adds --now, for commands that begin something.
func (w *webFlag) addNow(f *pflag.FlagSet) {
	f.BoolVar(&w.now, "now", false, "with --web on a terminal, begin at once, and do not wait for its viewers")
	program.Needs(f, "now", "web")
}

// wait asks the page's viewers what the run that h announces will show, and waits for
// Enter, or for the presenter.
func (w *webFlag) wait(ctx context.Context, page *web.Server, screen *tui.Terminal, h series.Header) error {
	if page == nil || w.now || !screen.Waits() {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := screen.Wait(ctx, "The run begins with Enter, or with Start on the page.", page.Gather(ctx, h), controls(cancel).Interrupt)
	if ctx.Err() != nil {
		return &program.CodeError{Code: program.ExitInterrupted}
	}
	return err
}

func (w *webFlag) add(f *pflag.FlagSet) {
	f.StringVar(&w.addr, "web", "", "show a live page, too, at HOST:PORT (without one, at a free port of this machine)")
	f.Lookup("web").NoOptDefVal = web.Default
}

// args checks --web's address, and the arguments without it.
func (w *webFlag) args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		args = w.take(args)
		if w.addr != "" && !isAddress(w.addr) {
			return fmt.Errorf("--web %s: give HOST:PORT, such as %s", w.addr, web.Default)
		}
		return check(c, args)
	}
}

// take returns the arguments without the address that follows --web: a flag that
// can do without a value leaves it among them.
func (w *webFlag) take(args []string) []string {
	if w.addr == "" {
		return args
	}
	return slices.DeleteFunc(slices.Clone(args), func(arg string) bool {
		if !isAddress(arg) || (w.addr != web.Default && w.addr != arg) {
			return false
		}
		w.addr = arg
		return true
	})
}

func isAddress(s string) bool {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

// open starts the page and says where it is; nil without --web.
func (w *webFlag) open(errs io.Writer) (*web.Server, error) {
	if w.addr == "" {
		return nil, nil
	}
	page, err := web.Start(w.addr)
	if err != nil {
		return nil, err
	}
	sayAddress(errs, "the page", page.URL(), page.Beyond())
	return page, nil
}

// onPage is how a page is shown an event; without a page nothing is.
func onPage(page *web.Server) func(series.Event) {
	if page == nil {
		return func(series.Event) {}
	}
	return page.Show
}

// linger keeps the page until Ctrl-C, and closes it.
func linger(ctx context.Context, page *web.Server, wait bool, errs io.Writer) error {
	page.Finish()
	if text := page.Guesses(); text != "" {
		program.Say(errs, "sockwatch: %s\n", text)
	}
	if wait && ctx.Err() == nil {
		fmt.Fprintln(errs, "sockwatch: the page stays until Ctrl-C")
		<-ctx.Done()
	}
	return page.Close()
}
