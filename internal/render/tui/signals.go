package tui

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	tea "charm.land/bubbletea/v2"
)

// interrupted is the exit code of a program that was.
const interrupted = 130

// restoreTime is how long the terminal may take to be as it was: it may have stopped
// (Ctrl-S), or be gone.
const restoreTime = time.Second

// run runs a view. The first signal closes it in order, which is the commands' business.
// A second one ends the process at once, and then the terminal is as it was, too.
func run(p *tea.Program) error {
	signals := make(chan os.Signal, 2)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		if !signal.Ignored(s) { // as by nohup
			signal.Notify(signals, s)
		}
	}
	over := make(chan struct{})
	defer close(over)
	defer signal.Stop(signals)
	go func() {
		for range 2 {
			select {
			case <-signals:
			case <-over:
				return
			}
		}
		restored := make(chan struct{})
		go func() {
			defer close(restored)
			p.Kill()
		}()
		select {
		case <-restored:
		case <-time.After(restoreTime):
		}
		os.Exit(interrupted)
	}()
	_, err := p.Run()
	return err
}
