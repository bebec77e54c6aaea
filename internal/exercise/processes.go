package exercise

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"socketlab/exercises"
	"socketlab/internal/scratch"
)

// Process is one of the processes of a diagnosis.
type Process struct {
	Name    string
	PID     int
	Profile string // the address of its goroutine profile; "" of the backend
}

// startTimeout is how long a process may take until it says where it listens.
const startTimeout = 10 * time.Second

// Processes are those of a diagnosis. The caller ends them.
type Processes struct {
	List  []Process
	dir   *scratch.Folder
	stdin *os.File // the end that keeps them alive: they end with their standard input
	ended chan error
	count int
}

// backend is the name of the server that the processes call.
const backend = "backend"

// StartProcesses builds the processes of a diagnosis, and starts them. They end when this
// process does, however it ends.
func StartProcesses(ctx context.Context, e Exercise) (_ *Processes, err error) {
	if _, err := exec.LookPath("go"); err != nil {
		return nil, errors.New("the processes of this exercise are built by Go, which is not installed, or not on PATH (https://go.dev/dl)")
	}
	folder, err := scratch.New("exercise")
	if err != nil {
		return nil, err
	}
	dir := folder.Path
	names := append([]string{backend}, e.Processes...)
	p := &Processes{dir: folder, ended: make(chan error, len(names))}
	defer func() {
		if err != nil {
			p.End()
		}
	}()
	files := map[string][]byte{"go.mod": goMod}
	for _, name := range names {
		from := e.ID + "/processes/" + name
		if name == backend {
			from = "harness/" + backend
		}
		if files[name+"/main.go"], err = exercises.Files.ReadFile(from + "/main.go"); err != nil {
			return nil, err
		}
	}
	if err := writeFiles(dir, files); err != nil {
		return nil, err
	}
	if err := compile(ctx, dir, goEnv(), "go", "build", "-trimpath", "-buildvcs=false", "-o", filepath.Join(dir, "bin")+string(filepath.Separator), "./..."); err != nil {
		return nil, err
	}
	stdin, keep, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer stdin.Close()
	p.stdin = keep
	url := ""
	for _, name := range names {
		started, said, err := p.start(name, stdin, url)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if name == backend {
			url = said
			continue
		}
		p.List = append(p.List, Process{Name: name, PID: started, Profile: said})
	}
	return p, nil
}

// start starts a process, and waits for its first line, which is an address.
func (p *Processes) start(name string, stdin *os.File, args ...string) (pid int, said string, err error) {
	program := filepath.Join(p.dir.Path, "bin", name)
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	cmd := exec.Command(program, args...)
	cmd.Stdin, cmd.Stderr = stdin, io.Discard
	out, theirs, err := os.Pipe()
	if err != nil {
		return 0, "", err
	}
	defer out.Close()
	cmd.Stdout = theirs
	err = cmd.Start()
	_ = theirs.Close()
	if err != nil {
		return 0, "", err
	}
	p.count++
	go func() {
		_ = cmd.Wait()
		p.ended <- fmt.Errorf("%s ended by itself: %s", name, cmd.ProcessState)
	}()
	_ = out.SetReadDeadline(time.Now().Add(startTimeout)) // where pipes have none, it ends with the process
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = cmd.Process.Kill()
		return 0, "", fmt.Errorf("it did not say where it listens: %w", err)
	}
	return cmd.Process.Pid, strings.TrimSpace(line), nil
}

// Wait waits until ctx is done, or one of the processes has ended by itself, which is an
// error.
func (p *Processes) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-p.ended:
		p.count--
		if ctx.Err() != nil {
			return nil // a terminal's Ctrl-C has reached them all
		}
		return err
	}
}

// End ends the processes, waits for them, and removes what was built.
func (p *Processes) End() {
	if p.stdin != nil {
		_ = p.stdin.Close()
	}
	for range p.count {
		<-p.ended
	}
	_ = p.dir.Remove()
}
