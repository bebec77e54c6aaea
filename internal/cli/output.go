package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"socketlab/internal/cli/program"
	"socketlab/internal/render"

	// The formats register themselves.
	_ "socketlab/internal/render/data"
	_ "socketlab/internal/render/html"
	_ "socketlab/internal/render/text"
)

// What the answers of the commands have, and so which formats they take.
const (
	textAnswer  = render.HasBlocks | render.HasData // show
	tableAnswer = textAnswer | render.HasRecords    // list, explain, sweep
	checkAnswer = tableAnswer | render.HasChecks    // check
	fullAnswer  = checkAnswer | render.HasCharts    // all that observe something
)

// outputFlag is -o, the format of an answer. One that the answer cannot be written
// in fails while the command line is read.
type outputFlag struct {
	name string
	has  render.Content
	// paged shows an answer that is longer than the terminal by a pager, unless noPager.
	paged, noPager bool
	// manifests says that yaml is a format, too: the manifests of a run on Kubernetes.
	manifests bool
}

// manifestFormat is the format of manifests, which no document has.
const manifestFormat = "yaml"

func (o *outputFlag) String() string { return o.name }
func (o *outputFlag) Type() string   { return strings.Join(render.Formats(o.has), "|") }
func (o *outputFlag) Set(name string) error {
	if o.manifests && name == manifestFormat {
		o.name = name
		return nil
	}
	_, err := render.FormatOf(name, o.has)
	if err == nil {
		o.name = name
	}
	return err
}

// add adds the flag for an answer that has so much. Unless it is given, the format
// is name.
func (o *outputFlag) add(f *pflag.FlagSet, name string, has render.Content) {
	o.name, o.has = name, has
	f.VarP(o, "output", "o", "format of the answer")
}

// addPager adds --no-pager, for a command whose answer is there at once.
func (o *outputFlag) addPager(f *pflag.FlagSet) {
	o.paged = true
	f.BoolVar(&o.noPager, "no-pager", false, "do not show an answer that is longer than the terminal by a pager ($PAGER, or less)")
}

// write writes an answer, in the width and the colours of the terminal if it goes to one:
// all of it or, if it cannot be made, nothing.
func (o *outputFlag) write(w io.Writer, d *render.Document) error {
	return o.writeUntil(context.Background(), w, d)
}

// writeUntil is write that gives up when ctx is done: the page of a recording of tens of thousands
// of processes takes a minute.
func (o *outputFlag) writeUntil(ctx context.Context, w io.Writer, d *render.Document) error {
	f, err := render.FormatOf(o.name, d.Has())
	if err != nil {
		return fmt.Errorf("this answer cannot be written as %s: %w", o.name, err)
	}
	options := render.Options{Width: program.Width(w), Colours: program.Colours(w)}
	text, err := madeUntil(ctx, func() ([]byte, error) {
		var text bytes.Buffer
		err := f.Render(&text, d, options)
		return text.Bytes(), err
	})
	if err == nil {
		if o.paged && !o.noPager && (f.Name == "table" || f.Name == "markdown") {
			if shown, err := page(w, text); shown {
				return err
			}
		}
		_, err = w.Write(text)
	}
	if err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}

// oneRun refuses a format that shows one run where there are several.
func (o *outputFlag) oneRun(runs int) error {
	if o.name == "svg" && runs > 1 {
		return fmt.Errorf("-o svg takes one run, not %d", runs)
	}
	return nil
}

// madeUntil makes something of what is in memory, or returns the error of ctx when that is done
// before it is made. What makes it goes on until it has it, or until the process ends; it must
// write nothing but the answer.
func madeUntil[T any](ctx context.Context, makeIt func() (T, error)) (T, error) {
	type made struct {
		it  T
		err error
	}
	done := make(chan made, 1)
	go func() {
		it, err := makeIt()
		done <- made{it, err}
	}()
	select {
	case m := <-done:
		return m.it, m.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// doneUntil is madeUntil for what ends with its answer.
func doneUntil(ctx context.Context, do func() error) error {
	_, err := madeUntil(ctx, func() (struct{}, error) { return struct{}{}, do() })
	return err
}
