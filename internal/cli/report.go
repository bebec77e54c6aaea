package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"socketlab/internal/cli/program"
	"socketlab/internal/expect"
	"socketlab/internal/recording"
	"socketlab/internal/render/report"
)

// keepOptions are the flags of demo, run and ab that keep a report.
type keepOptions struct {
	report string
	svg    string
	force  bool
}

func (k *keepOptions) add(f *pflag.FlagSet) {
	f.StringVar(&k.report, "report", "", "also write a page to this new file, NAME.html; any other name is a new folder, with a page for each run and an index.html")
	f.StringVar(&k.svg, "svg", "", "also write both sides' charts to this new SVG file, for slides")
	f.BoolVar(&k.force, "force", false, "write --report and --svg over what is there already")
}

// check looks at the files before anything is played.
func (k *keepOptions) check(c *cobra.Command, runs int, record string) error {
	if k.svg != "" && runs > 1 {
		return program.Usagef(c, "--svg takes one run, not %d", runs)
	}
	for _, other := range []string{k.svg, record} {
		if other != "" && other == k.report {
			return program.Usagef(c, "--report names a file that another flag names, too: %s", other)
		}
	}
	if record != "" && record == k.svg {
		return program.Usagef(c, "--svg and --record name the same file")
	}
	if err := checkNew(k.report, k.force, !isPage(k.report)); err != nil {
		return program.Usagef(c, "--report: %w", err)
	}
	if err := checkNew(k.svg, k.force, false); err != nil {
		return program.Usagef(c, "--svg: %w", err)
	}
	return nil
}

// write keeps what was played.
func (k *keepOptions) write(entries []report.Entry) error {
	var err error
	switch {
	case k.report == "" || len(entries) == 0:
	case isPage(k.report):
		err = writeNew(k.report, k.force, func(w io.Writer) error { return report.Page(w, entries) })
	default:
		err = writeFolder(k.report, k.force, pagesOf(entries))
	}
	if k.svg != "" && len(entries) > 0 {
		err = errors.Join(err, writeNew(k.svg, k.force, func(w io.Writer) error { return writeSVG(w, entries[0]) }))
	}
	if err != nil {
		return fmt.Errorf("keep the report: %w", err)
	}
	return nil
}

// isPage reports whether a name is that of one page.
func isPage(path string) bool {
	path = strings.ToLower(path)
	return strings.HasSuffix(path, ".html") || strings.HasSuffix(path, ".htm")
}

// pagesOf are the files of a folder. The index is the last, so that it leads
// nowhere that is not there.
func pagesOf(entries []report.Entry) []namedFile {
	var files []namedFile
	names := report.Files(entries)
	for i, name := range names {
		files = append(files, namedFile{name, func(w io.Writer) error { return report.Page(w, entries[i:i+1]) }})
	}
	return append(files, namedFile{"index.html", func(w io.Writer) error { return report.Index(w, entries, names) }})
}

func writeSVG(w io.Writer, e report.Entry) error {
	return report.SVG(w, e.Run)
}

func reportCommand(streams program.Streams) *cobra.Command {
	var (
		format  = program.NewChoice("html", report.Formats()...)
		to, svg string
		force   bool
	)
	c := &cobra.Command{
		Use:   "report FILE...",
		Short: "Make a page, a picture or a table of recorded runs",
		Long: `Reads recordings of run --record, demo --record and ab --record, and writes a
report: one HTML file that needs nothing beside itself, unless -o says otherwise.
It goes to standard output, or with --to to a new file.

The exit code says whether the report was written, and not what it says. A
recording that is cut off is reported as far as it goes, with exit code 1.`,
		Example: `  sockwatch report run.jsonl > run.html
  sockwatch report run.jsonl --to run.html --svg run.svg
  sockwatch report monday.jsonl tuesday.jsonl -o markdown`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if svg != "" && len(args) > 1 {
				return program.Usagef(c, "--svg takes one recording, not %d", len(args))
			}
			if svg != "" && svg == to {
				return program.Usagef(c, "--svg and --to name the same file")
			}
			for _, file := range []struct{ flag, path string }{{"--to", to}, {"--svg", svg}} {
				if err := checkNew(file.path, force, false); err != nil {
					return program.Usagef(c, "%s: %w", file.flag, err)
				}
			}
			entries, failed := recorded(args)
			if len(entries) == 0 {
				return failed
			}
			write := func(w io.Writer) error { return report.Write(w, format.String(), entries, len(args) > 1) }
			if err := writeReport(streams.Out, to, force, write); err != nil {
				return errors.Join(failed, fmt.Errorf("write the report: %w", err))
			}
			if svg != "" {
				return errors.Join(failed, writeNew(svg, force, func(w io.Writer) error { return writeSVG(w, entries[0]) }))
			}
			return failed
		},
	}
	f := c.Flags()
	f.VarP(&format, "output", "o", "form of the report")
	f.StringVar(&to, "to", "", "write the report to this new file, not to standard output")
	f.StringVar(&svg, "svg", "", "also write both sides' charts to this new SVG file, for slides")
	f.BoolVar(&force, "force", false, "write --to and --svg over what is there already")
	return c
}

// writeReport writes to a file, or to out if path is "".
func writeReport(out io.Writer, path string, force bool, write func(io.Writer) error) error {
	if path != "" {
		return writeNew(path, force, write)
	}
	var text bytes.Buffer
	if err := write(&text); err != nil {
		return err
	}
	_, err := out.Write(text.Bytes())
	return err
}

// recorded reads the runs of recordings, and of those that cannot be read what
// can.
func recorded(paths []string) ([]report.Entry, error) {
	var entries []report.Entry
	var failed []error
	for _, path := range paths {
		r, err := recording.Read(path)
		if err != nil {
			failed = append(failed, err)
		}
		if r == nil {
			continue
		}
		if r.Run == nil {
			failed = append(failed, fmt.Errorf("%s is a recording of a watch, not of a run: use sockwatch diagnose %s", path, quoted(path)))
			continue
		}
		entries = append(entries, recordedEntry(r))
	}
	return entries, errors.Join(failed...)
}

// recordedEntry is a recording of a run with what it says.
func recordedEntry(r *recording.Recording) report.Entry {
	if !r.Ended && r.Run.Stopped == "" {
		r.Run.Stopped = "the recording has no end"
	}
	return report.Entry{Run: r.Run, Outcome: expect.Judge(r.Run)}
}
