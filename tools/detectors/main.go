// Detectors shows what each detector of leaks sees of each leak, with each version of
// Go: it plays them, and writes docs/detectors.md. scripts/detectors calls it.
//
//	detectors [-update] DOCUMENT SOCKWATCH BODYCLOSE VERSION...
//	detectors leak NAME       leaks some, says what is seen inside, waits for stdin to end
//	detectors leaks NAME      leaks one after the other, until stdin ends
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"socketlab/tools/detectors/leaks"
)

// count is how many of a leak are leaked.
const count = 20

func main() {
	args := os.Args[1:]
	update := len(args) > 0 && args[0] == "-update"
	if update {
		args = args[1:]
	}
	var err error
	switch {
	case len(args) == 2 && (args[0] == "leak" || args[0] == "leaks"):
		err = subject(args[0] == "leaks", args[1])
	case len(args) > 3:
		show := func() error {
			rows, err := play(args[1], args[2], args[3:])
			if err != nil {
				return err
			}
			return compare(args[0], table(args[3:], rows), update)
		}
		// A program that waits for a processor may be seen while it still begins or ends.
		if err = show(); err != nil {
			fmt.Fprintln(os.Stderr, "detectors, and once more:", err)
			err = show()
		}
	default:
		err = errors.New("the form is: detectors [-update] DOCUMENT SOCKWATCH BODYCLOSE VERSION...")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "detectors:", err)
		os.Exit(1)
	}
}

// subject is the process that leaks. Its peer is the first line of its standard input.
func subject(slowly bool, name string) error {
	var peer leaks.Peer
	stdin := bufio.NewReader(os.Stdin)
	line, err := stdin.ReadBytes('\n')
	if err != nil {
		return err
	}
	if err := json.Unmarshal(line, &peer); err != nil {
		return err
	}
	i := slices.IndexFunc(leaks.All, func(l leaks.Leak) bool { return l.Name == name })
	if i < 0 {
		return fmt.Errorf("no leak %q", name)
	}
	once := leaks.All[i].Once
	if prepare := leaks.All[i].Prepare; prepare != nil {
		if err := prepare(peer); err != nil {
			return err
		}
	}
	over := make(chan struct{})
	if slowly {
		go func() { defer close(over); _, _ = io.Copy(io.Discard, stdin) }()
		for next := time.NewTicker(500 * time.Millisecond); ; {
			if err := once(peer); err != nil {
				return err
			}
			select {
			case <-next.C:
			case <-over:
				return nil
			}
		}
	}
	return quickly(once, peer, stdin)
}
