package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"socketlab/internal/cli/program"
	"socketlab/internal/recording"
	"socketlab/internal/render"
	"socketlab/internal/series"
)

// keepOptions are the flags of demo, run and ab that keep a report.
type keepOptions struct {
	report string
	svg    string
	force  bool
}

func (k *keepOptions) add(f *pflag.FlagSet) {
	f.StringVar(&k.report, "report", "", "also write the answer to this new file, in the format of its name: NAME.html is a page; a name without such an end is a new folder, with a page for each run and an index.html")
	f.StringVar(&k.svg, "svg", "", "also write both sides' charts to this new SVG file, for slides")
	f.BoolVar(&k.force, "force", false, "write --report and --svg over what is there already")
	program.Needs(f, "force", "report", "svg")
}

// check looks at the files before anything is played.
func (k *keepOptions) check(c *cobra.Command, runs int, record string) error {
	format := render.FormatOfFile(k.report)
	switch {
	case k.svg != "" && runs > 1:
		return program.Usagef(c, "--svg takes one run, not %d", runs)
	case format != nil && format.Name == "svg" && runs > 1:
		return program.Usagef(c, "--report %s takes one run, not %d", k.report, runs)
	}
	for _, other := range []string{k.svg, record} {
		if sameFile(other, k.report) {
			return program.Usagef(c, "--report names a file that another flag names, too: %s", other)
		}
	}
	if sameFile(record, k.svg) {
		return program.Usagef(c, "--svg and --record name the same file")
	}
	if err := checkOutput(c, k.report, k.force, format == nil); err != nil {
		return program.Usagef(c, "--report: %w", err)
	}
	if err := checkOutput(c, k.svg, k.force, false); err != nil {
		return program.Usagef(c, "--svg: %w", err)
	}
	return nil
}

// write keeps what was played.
func (k *keepOptions) write(runs []*render.Observed) error {
	if len(runs) == 0 {
		return nil
	}
	var err error
	format := render.FormatOfFile(k.report)
	switch {
	case k.report == "":
	case format != nil:
		err = writeNew(k.report, k.force, inFormat(format.Name, render.Runs(runs, false)))
	default:
		err = writeFolder(k.report, k.force, pagesOf(runs))
	}
	if k.svg != "" {
		err = errors.Join(err, writeNew(k.svg, k.force, inFormat("svg", render.Runs(runs[:1], false))))
	}
	if err != nil {
		return fmt.Errorf("keep the report: %w", err)
	}
	return nil
}

// inFormat writes a document in a format.
func inFormat(name string, d *render.Document) func(io.Writer) error {
	return inFormatUntil(context.Background(), name, d)
}

// inFormatUntil is the same, until ctx is done.
func inFormatUntil(ctx context.Context, name string, d *render.Document) func(io.Writer) error {
	o := outputFlag{name: name}
	return func(w io.Writer) error { return o.writeUntil(ctx, w, d) }
}

// pagesOf are the files of a folder. The index is the last, so that it leads
// nowhere that is not there.
func pagesOf(runs []*render.Observed) []namedFile {
	var files []namedFile
	names := render.FileNames(runs, ".html")
	for i, name := range names {
		files = append(files, namedFile{name, inFormat("html", render.Runs(runs[i:i+1], false))})
	}
	return append(files, namedFile{"index.html", inFormat("html", render.Index(runs, names))})
}

var _ = register(reportCommand)

func reportCommand(streams program.Streams) *cobra.Command {
	var (
		output          outputFlag
		to, svg, bundle string
		force, redact   bool
	)
	c := &cobra.Command{
		Use:   "report FILE...",
		Short: "Make a page, a picture, a table or a bundle of what was recorded",
		Long: `Reads recordings of run --record, demo --record and ab --record, or one of record,
and writes a report: one HTML file that needs nothing beside itself, unless -o or
the name of the file says otherwise. It goes to standard output, or with --to to a
new file.

With --bundle it goes, with the recording and how that was made, into one file for a
ticket. With --redact other names take the place of addresses, hosts, processes and
command lines, the same name always that of the same.

The exit code says whether the report was written, and not what it says. A
recording that is cut off is reported as far as it goes, with exit code 1.`,
		Example: `  sockwatch report run.jsonl > run.html
  sockwatch report run.jsonl --to run.html --svg run.svg
  sockwatch report monday.jsonl tuesday.jsonl -o markdown
  sockwatch report incident.jsonl --redact --bundle ticket.tar.gz`,
		Args: program.Args(1, program.Any),
		RunE: func(c *cobra.Command, args []string) error {
			if f := render.FormatOfFile(to); f != nil && !c.Flags().Changed("output") {
				output.name = f.Name
			}
			switch {
			case svg != "" && len(args) > 1:
				return program.Usagef(c, "--svg takes one recording, not %d", len(args))
			case bundle != "" && len(args) > 1:
				return program.Usagef(c, "--bundle takes one recording, not %d", len(args))
			case sameFile(svg, to):
				return program.Usagef(c, "--svg and --to name the same file")
			case sameFile(bundle, to), sameFile(bundle, svg):
				return program.Usagef(c, "--bundle names a file that another flag names, too: %s", bundle)
			}
			if err := output.oneRun(len(args)); err != nil {
				return program.Usagef(c, "%w", err)
			}
			for _, file := range []struct{ flag, path string }{{"--to", to}, {"--svg", svg}} {
				if err := checkOutput(c, file.path, force, false); err != nil {
					return program.Usagef(c, "%s: %w", file.flag, err)
				}
			}
			if err := checkBundle(c, bundle, force); err != nil {
				return program.Usagef(c, "--bundle: %w", err)
			}
			recordings, failed := readRecordings(c.Context(), args, redact)
			d, err := madeUntil(c.Context(), func() (*render.Document, error) { return reportOf(recordings, len(args) > 1) })
			if d == nil {
				return errors.Join(failed, err)
			}
			failed = errors.Join(failed, err)
			if bundle != "" {
				failed = errors.Join(failed, writeBundle(c.Context(), bundle, force, recordings[0].Recording))
			}
			if to == "" && bundle != "" {
				return failed
			}
			if to == "" {
				failed = errors.Join(failed, output.writeUntil(c.Context(), streams.Out, d))
			} else {
				failed = errors.Join(failed, writeNew(to, force, inFormatUntil(c.Context(), output.name, d)))
			}
			if svg != "" {
				failed = errors.Join(failed, writeNew(svg, force, inFormatUntil(c.Context(), "svg", d)))
			}
			return failed
		},
	}
	f := c.Flags()
	output.add(f, "html", fullAnswer)
	f.StringVar(&to, "to", "", "write the report to this new file, not to standard output")
	f.StringVar(&svg, "svg", "", "also write both sides' charts to this new SVG file, for slides")
	f.StringVar(&bundle, "bundle", "", "write "+strings.TrimPrefix(bundleUsage, "also write "))
	f.BoolVar(&redact, "redact", false, redactUsage)
	f.BoolVar(&force, "force", false, "write --to, --svg and --bundle over what is there already")
	program.Needs(f, "force", "to", "svg", "bundle")
	return c
}

// redactUsage is that of --redact.
const redactUsage = "replace addresses and the names of hosts, processes and commands, each by the same other name"

// recordedFile is a recording with its path.
type recordedFile struct {
	path string
	*recording.Recording
}

// readRecordings reads recordings, and of those that cannot be read what can.
func readRecordings(ctx context.Context, paths []string, redact bool) (files []recordedFile, failed error) {
	for _, path := range paths {
		r, err := recording.Read(ctx, path)
		if r != nil && redact {
			var redactErr error
			r, redactErr = r.Redacted(ctx)
			err = errors.Join(err, redactErr)
		}
		failed = errors.Join(failed, err)
		if r != nil {
			files = append(files, recordedFile{path, r})
		}
	}
	return files, failed
}

// reportOf is the report of recorded runs, or of one watch; nil if there is nothing to
// report.
func reportOf(files []recordedFile, list bool) (*render.Document, error) {
	if len(files) == 1 && files[0].Observation.Target != nil {
		_, d, err := reported(files[0].Recording)
		return d, err
	}
	var runs []*render.Observed
	var failed error
	for _, f := range files {
		if f.Observation.Target != nil {
			failed = errors.Join(failed, fmt.Errorf("%s is a recording of a watch, not of a run: report it alone", f.path))
			continue
		}
		run, err := recordedRun(f.Observation)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", f.path, err))
			continue
		}
		runs = append(runs, run)
	}
	if len(runs) == 0 {
		return nil, failed
	}
	return render.Runs(runs, list), failed
}

// recordedRun is the run of a recording with what it says. One without an end has
// ended early.
func recordedRun(o *series.Observation) (*render.Observed, error) {
	if !o.Over && o.Stopped == "" {
		o.Stopped = "the recording has no end"
	}
	return render.Run(o)
}
