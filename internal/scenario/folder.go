package scenario

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// isPath reports whether an implementation is a folder, and no id of the catalogue.
func isPath(implementation string) bool { return strings.ContainsAny(implementation, `/\`) }

// OwnCode is the program of one side of a script whose code is a folder of the user's.
type OwnCode struct {
	// Dir is the side's folder.
	Dir string
	// Run is the program in it, as a path; "" where the folder is a main package of Go.
	Run string
}

// OwnCode returns the program of a side. The script has a Folder.
func (s Script) OwnCode(side Side) (OwnCode, error) {
	code := OwnCode{Dir: filepath.Join(s.Folder, string(side))}
	entries, err := os.ReadDir(code.Dir)
	if err != nil {
		return code, fmt.Errorf("folder %s: %w", code.Dir, cause(err))
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".go" {
			return OwnCode{Dir: code.Dir}, nil
		}
		if e.IsDir() || strings.TrimSuffix(e.Name(), filepath.Ext(e.Name())) != "run" {
			continue
		}
		if code.Run != "" {
			return code, fmt.Errorf("folder %s has two programs, %s and %s: leave one", code.Dir, filepath.Base(code.Run), e.Name())
		}
		code.Run = filepath.Join(code.Dir, e.Name())
	}
	if code.Run == "" {
		return code, fmt.Errorf("folder %s has neither a Go file nor a program named run, such as run.sh", code.Dir)
	}
	info, err := os.Stat(code.Run)
	if err != nil {
		return code, fmt.Errorf("%s: %w", code.Run, cause(err))
	}
	if !info.Mode().IsRegular() || runtime.GOOS != "windows" && info.Mode()&0o111 == 0 {
		return code, fmt.Errorf("%s cannot be executed: make it executable (chmod +x)", code.Run)
	}
	return code, nil
}

// checkFolder looks into the folder of the script, where it has one.
func (s Script) checkFolder() *finding {
	if s.Folder == "" {
		return nil
	}
	if info, err := os.Stat(s.Folder); err != nil {
		return found("$.implementation", "folder %s: %s", s.Folder, cause(err))
	} else if !info.IsDir() {
		return found("$.implementation", "%s is no folder: name one that has the folders %s and %s", s.Folder, Faulty, Fixed)
	}
	for _, side := range Sides() {
		if _, err := s.OwnCode(side); err != nil {
			return found("$.implementation", "%s", err)
		}
	}
	return nil
}
