package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v3/host"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"socketlab/internal/cli/program"
	"socketlab/internal/profile"
	"socketlab/internal/regular"
	"socketlab/internal/render"
)

// profileAnswer prints a measured profile, and with --save it writes a file too.
type profileAnswer struct {
	output  outputFlag
	file    string
	name    string
	version string
}

func (a *profileAnswer) add(f *pflag.FlagSet) {
	a.output.add(f, "table", tableAnswer)
	f.StringVar(&a.file, "save", "", "write the profile to this file, or, if it exists, measure the program in it again and say what changed")
	f.StringVar(&a.name, "name", "", "what the program is called in the profile (default: its command)")
	f.StringVar(&a.version, "program-version", "", "the program's version, for the profile")
}

// old reads the file that is to be replaced; nil if there is none. It is an error if none
// can be written there, before a measurement of a minute.
func (a *profileAnswer) old(c *cobra.Command, kind profile.Kind) (*profile.Profile, error) {
	if err := checkNew(a.file, true, false); err != nil {
		return nil, program.Usagef(c, "--save: %w", err)
	}
	if a.file == "" {
		return nil, nil
	}
	if at, err := destinationOf(a.file); err != nil || at.stream {
		return nil, err
	}
	text, err := regular.Read(a.file, maxProfile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var old *profile.Profile
	if err == nil {
		old, err = profile.Parse(a.file, text)
	}
	if err == nil && old.Kind != kind {
		err = fmt.Errorf("%s is the profile of a %s, not of a %s", a.file, old.Kind, kind)
	}
	if err != nil {
		return nil, program.Usagef(c, "--save: %w", err)
	}
	return old, nil
}

// write prints the profile and saves it. old is what [profileAnswer.old] returned before
// the measurement, and interruption is the error of one that was interrupted: that is a part,
// which takes no file's place.
func (a *profileAnswer) write(streams program.Streams, p, old *profile.Profile, interruption error) error {
	p.Measured, p.System = time.Now().Format(time.DateOnly), systemName()
	p.Name, p.Version = cmp.Or(a.name, p.Command), a.version
	if interruption != nil {
		if err := a.output.write(streams.Out, render.Profile(p)); err != nil {
			return err
		}
		return interrupted()
	}
	if old != nil {
		p.Keep(old)
		for _, d := range profile.Compare(old, p) {
			program.Say(streams.Err, "changed: %s\n", d)
		}
	}
	saved := a.save(p)
	// What took minutes to measure is printed, whether or not it could be saved.
	return errors.Join(saved, a.output.write(streams.Out, render.Profile(p)))
}

// save writes the profile to the file of --save, if there is one.
func (a *profileAnswer) save(p *profile.Profile) error {
	if a.file == "" {
		return nil
	}
	if p.ID == "" {
		p.ID = strings.TrimSuffix(filepath.Base(a.file), filepath.Ext(a.file))
	}
	text, err := p.YAML()
	if err != nil {
		return err
	}
	return writeNew(a.file, true, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// systemName is where a profile was measured: "linux 6.18, amd64".
func systemName() string {
	name := runtime.GOOS
	if kernel, err := host.KernelVersion(); err == nil && kernel != "" {
		// Of "6.18.5-cloud" the first two numbers: behaviour does not change with the rest.
		name += " " + strings.Join(strings.SplitN(kernel, ".", 3)[:min(2, strings.Count(kernel, ".")+1)], ".")
	}
	return name + ", " + runtime.GOARCH
}
