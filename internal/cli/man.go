package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"socketlab/internal/cli/client"
	"socketlab/internal/cli/program"
	"socketlab/internal/cli/slowserver"
	"socketlab/internal/scenario"
)

var _ = register(manCommand)

func manCommand(streams program.Streams) *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "man [COMMAND... | PROGRAM]",
		Short: "Print the manual page of a command",
		Long: `Prints the manual page of sockwatch, of one of its commands, or of another of the lab's
programs, in the form that man reads. With --dir it writes all of them into a folder, for
a package or a MANPATH.`,
		Example: `  sockwatch man run | man -l -
  sockwatch man slowserver
  sockwatch man --dir ~/.local/share/man/man1`,
		Args: program.Args(0, 2),
		RunE: func(c *cobra.Command, args []string) error {
			pages := append(manPages(c.Root()),
				slowserver.Command(streams), client.Command(scenario.Faulty)(streams), client.Command(scenario.Fixed)(streams))
			if dir != "" {
				if len(args) > 0 {
					return program.Usagef(c, "--dir is for all pages: leave %s out", args[0])
				}
				if err := checkDash(dir, "without --dir, standard output gets one page"); err != nil {
					return program.Usagef(c, "--dir: %w", err)
				}
				return writeManPages(dir, pages)
			}
			wanted := strings.TrimSpace(strings.TrimPrefix(strings.Join(args, " "), c.Root().Name()))
			for _, p := range pages {
				if wanted != strings.TrimPrefix(p.CommandPath(), c.Root().Name()+" ") && (wanted != "" || p != c.Root()) {
					continue
				}
				page, err := manPage(p)
				if err != nil {
					return err
				}
				_, err = streams.Out.Write(page)
				return err
			}
			return program.Usagef(c, "no page for %q: it is one of %s", wanted, strings.Join(commandPaths(pages), ", "))
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "write the pages of all commands and programs into this `folder`")
	return c
}

// manPages is a command and those of its commands that are for people.
func manPages(c *cobra.Command) []*cobra.Command {
	pages := []*cobra.Command{c}
	for _, sub := range c.Commands() {
		if !sub.Hidden && sub.Name() != "help" {
			pages = append(pages, manPages(sub)...)
		}
	}
	return pages
}

func commandPaths(commands []*cobra.Command) []string {
	var names []string
	for _, c := range commands {
		names = append(names, c.CommandPath())
	}
	return names
}

// manPage is a command's manual page. It has no date and no version, so that it is the
// same from one build to the next.
func manPage(c *cobra.Command) ([]byte, error) {
	c.DisableAutoGenTag = true
	var page bytes.Buffer
	if err := doc.GenMan(c, &doc.GenManHeader{Section: "1", Source: "socketlab", Manual: "socketlab", Date: &time.Time{}}, &page); err != nil {
		return nil, fmt.Errorf("write the manual page of %s: %w", c.CommandPath(), err)
	}
	return bytes.Replace(page.Bytes(), []byte(`"Jan 0001"`), []byte(`""`), 1), nil
}

func writeManPages(dir string, pages []*cobra.Command) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	files := make([]namedFile, 0, len(pages))
	for _, c := range pages {
		page, err := manPage(c)
		if err != nil {
			return err
		}
		files = append(files, namedFile{strings.ReplaceAll(c.CommandPath(), " ", "-") + ".1", func(w io.Writer) error {
			_, err := w.Write(page)
			return err
		}})
	}
	return writeFolder(dir, true, files)
}
