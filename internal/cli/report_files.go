package cli

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"socketlab/internal/recording"
)

// checkNew returns an error if a file, or a folder, cannot be written at path, or
// would take the place of something there and force does not say so. "" is no
// path and always good.
func checkNew(path string, force, folder bool) error {
	if path == "" {
		return nil
	}
	if err := checkDash(path, "standard output gets what -o FORMAT prints"); err != nil {
		return err
	}
	if err := checkFree(path, force, folder); err != nil {
		return err
	}
	if folder {
		path = filepath.Clean(path)
	}
	if force {
		at, err := destinationOf(path)
		if err != nil || at.stream {
			return err
		}
		path = at.path
	}
	// Only a try shows whether something can be made there.
	parent := folderOf(path)
	f, err := os.CreateTemp(parent, temporary)
	if err != nil {
		return notWritable(parent, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// checkRecord is checkNew for a recording, which is written line by line.
func checkRecord(path string) error {
	if err := checkDash(path, "sockwatch watch -o json prints each count"); err != nil {
		return err
	}
	return (&recording.Writer{Path: path}).Check()
}

// checkDash refuses "-", which other programs take for standard output, and says what is
// for that.
func checkDash(path, instead string) error {
	if path != "-" {
		return nil
	}
	return fmt.Errorf("- is no file: %s, and a file named - is ./-", instead)
}

// checkOutput is checkNew for a command that must not write over what it reads: with force,
// too, that would be lost.
func checkOutput(c *cobra.Command, path string, force, folder bool) error {
	if path == "" {
		return nil
	}
	if out, err := os.Stat(path); err == nil && out.Mode().IsRegular() {
		for _, read := range c.Flags().Args() {
			if in, err := os.Stat(read); err == nil && os.SameFile(in, out) {
				return fmt.Errorf("%s is what this command reads: choose another name", path)
			}
		}
	}
	return checkNew(path, force, folder)
}

// notWritable says why no file can be made in a folder, without the name of the one
// that was tried.
func notWritable(folder string, err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	return fmt.Errorf("nothing can be written in the folder %s: %w", filepath.Clean(folder), err)
}

// folderOf is the folder of a file. It is not cleaned: ".." after a link to a folder leads out of
// the folder that the link points to.
func folderOf(path string) string {
	folder, _ := filepath.Split(path)
	return cmp.Or(folder, ".")
}

// destination is where something is written, once all links are followed.
type destination struct {
	path string
	// stream says that something is there that is written to as it is, such as a pipe or
	// /dev/stdout, and that no file may take its place.
	stream bool
}

// destinationOf follows the links at a path: what they point to is written, and they stay.
func destinationOf(path string) (destination, error) {
	const most = 40 // as many as Linux follows
	for at, n := path, 0; n < most; n++ {
		folder := folderOf(at)
		real, err := filepath.EvalSymlinks(folder)
		if err != nil {
			return destination{path: at}, nil // there is nothing, and whoever writes will say so
		}
		// In /proc links are made up: what they say need not be the name of anything.
		inProc := real == "/proc" || strings.HasPrefix(real, "/proc/")
		link, err := os.Readlink(at)
		if err != nil || inProc {
			// A regular file is a stream, too, where its name is that of an open file. /dev/shm has
			// files like any other folder.
			named := inProc || real == "/dev" || real == "/dev/fd"
			info, err := os.Stat(at)
			return destination{at, err == nil && !info.IsDir() && (named || !info.Mode().IsRegular())}, nil
		}
		if !filepath.IsAbs(link) {
			link = folder + string(filepath.Separator) + link
		}
		at = link
	}
	return destination{}, fmt.Errorf("%s leads through more than %d links: give the name of the file that they lead to", path, most)
}

// sameFile reports whether two paths are of one file or folder, which need not be there yet, also
// where links lead to it. "" is no path.
func sameFile(a, b string) bool {
	return a != "" && b != "" && withoutLinks(a) == withoutLinks(b)
}

// withoutLinks is a path without links.
func withoutLinks(path string) string {
	path = filepath.Clean(path)
	at, err := destinationOf(path)
	if err != nil {
		return path // whoever writes there will say so
	}
	if folder, err := filepath.EvalSymlinks(folderOf(at.path)); err == nil {
		path = filepath.Join(folder, filepath.Base(at.path))
	}
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	return path
}

// temporary names what is written before it gets its name.
const temporary = ".sockwatch-*.tmp"

// checkFree returns an error if what is at a path must not be written over.
func checkFree(path string, force, folder bool) error {
	stat := os.Lstat
	if force {
		stat = os.Stat // what a link points to is written
	}
	info, err := stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.IsDir() && !folder:
		return fmt.Errorf("%s is a folder: give the name of a file", path)
	case folder && !info.IsDir():
		return fmt.Errorf("%s is there already and is no folder: choose another name, or one that ends in .html for a single page", path)
	case folder && !force:
		files, err := os.ReadDir(path)
		if err == nil && len(files) > 0 {
			return fmt.Errorf("%s is not empty: choose another folder, or write into it with --force", path)
		}
		return err
	case !force:
		return fmt.Errorf("%s is there already: remove it, choose another name, or write over it with --force", path)
	}
	return nil
}

// writeNew writes a file beside its place and then moves it there, so that
// nobody finds a half of it. With force it takes the place of a file, also of one that a
// link points to, and a stream is written to as it is.
func writeNew(path string, force bool, write func(io.Writer) error) error {
	return writeAs(path, path, force, write)
}

// writeAs is writeNew for a file that people know by another name: its place once all
// that belongs to it is written.
func writeAs(known, path string, force bool, write func(io.Writer) error) (err error) {
	if force {
		at, err := destinationOf(path)
		if err != nil {
			return err
		}
		if at.stream {
			f, err := openStream(at.path)
			if err != nil {
				return err
			}
			return errors.Join(write(f), f.Close())
		}
		path = at.path
	}
	parent := folderOf(path)
	// With the mode of a new file: CreateTemp has one of its own, and the umask would be lost.
	name := filepath.Join(parent, strings.Replace(temporary, "*", rand.Text(), 1))
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return notWritable(parent, err)
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	err = errors.Join(write(f), f.Close())
	if at := (*fs.PathError)(nil); errors.As(err, &at) && at.Path == f.Name() { // a name that people need not know
		return fmt.Errorf("write %s: %w: nothing of it is kept", known, at.Err)
	}
	if err == nil {
		err = checkFree(path, force, false) // it may have come meanwhile
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// namedFile is a file of a folder.
type namedFile struct {
	name  string
	write func(io.Writer) error
}

// writeFolder writes all files beside their place before the first of them is
// moved there. Files of other names stay.
func writeFolder(path string, force bool, files []namedFile) error {
	path = filepath.Clean(path)
	if force {
		at, err := destinationOf(path)
		if err != nil {
			return err
		}
		path = at.path
	}
	parent := folderOf(path)
	stage, err := os.MkdirTemp(parent, temporary)
	if err != nil {
		return notWritable(parent, err)
	}
	defer os.RemoveAll(stage)
	for _, f := range files {
		if err := writeAs(filepath.Join(path, f.name), filepath.Join(stage, f.name), false, f.write); err != nil {
			return err
		}
	}
	if err := checkFree(path, force, true); err != nil {
		return err
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		if err := os.Rename(filepath.Join(stage, f.name), filepath.Join(path, f.name)); err != nil {
			return err
		}
	}
	return nil
}
