package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"socketlab/tools/detectors/leaks"
	"socketlab/tools/detectors/peer"
)

// row is what is seen of one leak, with one version of Go: for each detector a word.
type row struct {
	inside
	Bodyclose bool
	SS        int
	Verdict   string
}

// player plays the leaks with some versions of Go.
type player struct {
	dir, sockwatch, bodyclose string
	peer                      leaks.Peer
}

// play plays all leaks, and returns what is seen: a row for each leak and version.
func play(sockwatch, bodyclose string, versions []string) (map[string]map[string]*row, error) {
	dir, err := os.MkdirTemp("", "detectors")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	p := &player{dir: dir, sockwatch: sockwatch, bodyclose: bodyclose}
	if p.peer, err = peer.Start(); err != nil {
		return nil, err
	}
	rows := map[string]map[string]*row{}
	for _, v := range versions {
		rows[v] = map[string]*row{}
		for _, l := range leaks.All {
			rows[v][l.Name] = &row{}
		}
		if err := p.build(v, rows[v]); err != nil {
			return nil, err
		}
	}
	// All at once: they mostly wait.
	var (
		playing sync.WaitGroup
		mu      sync.Mutex
		failed  error
	)
	start := func(play func() error, of string) {
		playing.Go(func() {
			if err := play(); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed = errors.Join(failed, fmt.Errorf("%s: %w", of, err))
			}
		})
	}
	for _, v := range versions {
		for _, l := range leaks.All {
			start(func() error { return p.quickly(v, l.Name, rows[v][l.Name]) }, "Go "+v+", "+l.Name)
			start(func() error { return p.slowly(v, l.Name, rows[v][l.Name]) }, "Go "+v+", "+l.Name)
		}
	}
	playing.Wait()
	return rows, failed
}

// build builds the program that leaks, and has bodyclose look at its source.
func (p *player) build(version string, rows map[string]*row) error {
	env := append(os.Environ(), "GOTOOLCHAIN=go"+version)
	if strings.HasPrefix(version, "1.26.") { // newer ones have the profile without it
		env = append(env, "GOEXPERIMENT=goroutineleakprofile")
	}
	cmd := exec.Command("go", "build", "-o", p.program(version), ".")
	cmd.Env = env
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build with Go %s: %w: %s", version, err, out)
	}
	vet := exec.Command("go", "vet", "-vettool="+p.bodyclose, "./leaks")
	vet.Env = env
	out, err := vet.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || !bytes.Contains(out, []byte("response body must be closed"))) {
		return fmt.Errorf("bodyclose with Go %s: %w: %s", version, err, out)
	}
	for name, row := range rows {
		row.Bodyclose = bytes.Contains(out, []byte("/"+strings.ReplaceAll(name, "-", "_")+".go:"))
	}
	return nil
}

func (p *player) program(version string) string { return filepath.Join(p.dir, "go"+version) }

// start starts a program that leaks. It ends when its stdin is closed.
func (p *player) start(version, how, name string) (*exec.Cmd, io.WriteCloser, *bufio.Reader, error) {
	cmd := exec.Command(p.program(version), how, name)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, nil, err
	}
	return cmd, stdin, bufio.NewReader(stdout), json.NewEncoder(stdin).Encode(p.peer)
}

// quickly has a program leak, and asks the detectors outside of it and inside.
func (p *player) quickly(version, name string, row *row) error {
	cmd, stdin, stdout, err := p.start(version, "leak", name)
	if err != nil {
		return err
	}
	err = func() error {
		defer stdin.Close()
		if _, err := stdout.ReadBytes('\n'); err != nil {
			return err
		}
		out, err := exec.Command("ss", "-tanpH").Output()
		if err != nil {
			return fmt.Errorf("ss: %w", err)
		}
		row.SS = strings.Count(string(out), fmt.Sprintf(",pid=%d,", cmd.Process.Pid))
		if _, err := stdin.Write([]byte{'\n'}); err != nil {
			return err
		}
		return json.NewDecoder(stdout).Decode(&row.inside)
	}()
	return errors.Join(err, cmd.Wait())
}

// slowly has a program leak for as long as sockwatch watches it.
func (p *player) slowly(version, name string, row *row) error {
	cmd, stdin, _, err := p.start(version, "leaks", name)
	if err != nil {
		return err
	}
	err = func() error {
		defer stdin.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
		defer cancel()
		out, err := exec.CommandContext(ctx, p.sockwatch, "diagnose", "--pid", strconv.Itoa(cmd.Process.Pid), "-q", "-o", "json").Output()
		var answer struct{ Kind string }
		if wrong := json.Unmarshal(out, &answer); wrong != nil {
			return fmt.Errorf("sockwatch diagnose: %w: %w: %s", err, wrong, out)
		}
		row.Verdict = answer.Kind
		return nil
	}()
	return errors.Join(err, cmd.Wait())
}
