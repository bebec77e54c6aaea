package cli_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/goccy/go-yaml"
)

// fakeKubectl is a kubectl whose cluster is this machine: of a Job it starts the processes,
// each with its standard output in a file. Its state is in the folder FAKE_KUBECTL:
//
//	calls       the command lines that it was given, one a line
//	addr        the address of the cluster's pods and services, on loopback
//	fail        what it writes to standard error when it fails; beside it fail.verb, the verb
//	            of the call that fails
//	NAME.pod    a pod as JSON, NAME.pid its process, NAME.log what that wrote
//	answer.KIND what get answers about pods, events or nodes in place of what there is
func fakeKubectl() {
	if err := fakeCall(os.Getenv("FAKE_KUBECTL"), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func fakeCall(dir string, args []string) error {
	calls, err := os.OpenFile(filepath.Join(dir, "calls"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	fmt.Fprintln(calls, strings.Join(args, " "))
	_ = calls.Close()
	for len(args) > 0 && strings.HasPrefix(args[0], "--") {
		args = args[1:]
	}
	if verb, err := os.ReadFile(filepath.Join(dir, "fail.verb")); err == nil && strings.TrimSpace(string(verb)) == args[0] {
		text, _ := os.ReadFile(filepath.Join(dir, "fail"))
		return fmt.Errorf("%s", bytes.TrimSpace(text))
	}
	switch args[0] {
	case "config":
		return nil
	case "get":
		return fakeGet(dir, args[1])
	case "create":
		return fakeCreate(dir)
	case "logs":
		if len(args) > 3 { // of a container that was added to a pod
			return fakeLogs(dir, strings.TrimPrefix(args[3], "--container="))
		}
		return fakeLogs(dir, strings.TrimPrefix(args[2], "pod/"))
	case "debug":
		return fakeDebug(dir, args)
	case "delete":
		return fakeDelete(dir)
	}
	return fmt.Errorf("the fake kubectl has no %s", args[0])
}

func fakeGet(dir, kind string) error {
	if answer, err := os.ReadFile(filepath.Join(dir, "answer."+kind)); err == nil {
		if added, err := os.ReadFile(filepath.Join(dir, "added")); err == nil && kind == "pod" {
			status := fmt.Sprintf(`"phase": "Running", "ephemeralContainerStatuses": [{"name": %q, "state": {"running": {}}}]`, added)
			answer = bytes.Replace(answer, []byte(`"phase": "Running"`), []byte(status), 1)
		}
		_, err = os.Stdout.Write(answer)
		return err
	}
	items := []json.RawMessage{}
	if kind == "pods" {
		files, _ := filepath.Glob(filepath.Join(dir, "*.pod"))
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				return err
			}
			items = append(items, data)
		}
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"items": items})
}

type fakeObject struct {
	Kind     string
	Metadata struct{ Name string }
	Spec     struct {
		Completions int
		Template    struct {
			Metadata struct{ Labels map[string]string }
			Spec     struct {
				Containers []struct {
					Command, Args []string
					Env           []struct{ Name, Value string }
				}
			}
		}
	}
}

func fakeCreate(dir string) error {
	in, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	addr, err := os.ReadFile(filepath.Join(dir, "addr"))
	if err != nil {
		return err
	}
	at := strings.TrimSpace(string(addr))
	for _, text := range bytes.Split(in, []byte("\n---\n")) {
		var o fakeObject
		if err := yaml.Unmarshal(text, &o); err != nil {
			return err
		}
		answer := map[string]any{"kind": o.Kind, "metadata": map[string]any{"name": o.Metadata.Name, "uid": "uid-of-" + o.Metadata.Name}}
		if o.Kind == "Service" {
			answer["spec"] = map[string]any{"clusterIP": at}
		}
		if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
			return err
		}
		for i := 0; o.Kind == "Job" && i < max(1, o.Spec.Completions); i++ {
			if err := fakePod(dir, at, o, i); err != nil {
				return err
			}
		}
	}
	return nil
}

// fakePod starts the process of a pod.
func fakePod(dir, addr string, o fakeObject, index int) error {
	name, container := fmt.Sprintf("%s-%d", o.Metadata.Name, index), o.Spec.Template.Spec.Containers[0]
	log, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return err
	}
	cmd := exec.Command("sockwatch", append(container.Command[1:], container.Args...)...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), "JOB_COMPLETION_INDEX="+strconv.Itoa(index))
	for _, e := range container.Env {
		switch {
		case strings.HasSuffix(e.Name, "_POD_IP"):
			e.Value = addr
		case strings.HasSuffix(e.Name, "_POD"):
			e.Value = name
		case strings.HasSuffix(e.Name, "_NODE"):
			e.Value = "node-" + strconv.Itoa(index%2)
		}
		cmd.Env = append(cmd.Env, e.Name+"="+strings.ReplaceAll(e.Value, "$$(", "$("))
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, name+".pid"), []byte(strconv.Itoa(cmd.Process.Pid)), 0o644); err != nil {
		return err
	}
	labels := maps.Clone(o.Spec.Template.Metadata.Labels)
	labels["batch.kubernetes.io/job-completion-index"] = strconv.Itoa(index)
	pod, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"name": name, "uid": "uid-of-" + name, "labels": labels, "creationTimestamp": time.Now()},
		"spec":     map[string]any{"nodeName": "node-" + strconv.Itoa(index%2)},
		"status":   map[string]any{"phase": "Running", "podIP": addr},
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name+".pod"), pod, 0o644)
}

// fakeDebug starts the command of a container that is added to a pod.
func fakeDebug(dir string, args []string) error {
	name := ""
	for i, a := range args {
		if is, ok := strings.CutPrefix(a, "--container="); ok {
			name = is
		}
		if is, ok := strings.CutPrefix(a, "--custom="); ok {
			custom, err := os.ReadFile(is)
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, "custom"), custom, 0o644)
			}
			if err != nil {
				return err
			}
		}
		if a == "--" {
			args = args[i+1:]
			break
		}
	}
	log, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return err
	}
	cmd := exec.Command("sockwatch", args[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	return errors.Join(os.WriteFile(filepath.Join(dir, name+".pid"), []byte(strconv.Itoa(cmd.Process.Pid)), 0o644),
		os.WriteFile(filepath.Join(dir, "added"), []byte(name), 0o644))
}

// fakePID is the process of a pod, and whether it is there.
func fakePID(dir, pod string) (int, bool) {
	text, err := os.ReadFile(filepath.Join(dir, pod+".pid"))
	pid, bad := strconv.Atoi(string(text))
	if err != nil || bad != nil {
		return 0, false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return pid, err == nil && !bytes.Contains(stat, []byte(") Z "))
}

// fakeLogs writes a pod's log until its process has ended.
func fakeLogs(dir, pod string) error {
	log, err := os.Open(filepath.Join(dir, pod+".log"))
	if err != nil {
		return err
	}
	defer log.Close()
	for {
		_, alive := fakePID(dir, pod)
		if _, err := io.Copy(os.Stdout, log); err != nil || !alive {
			return err
		}
		time.Sleep(10 * time.Millisecond) // as kubectl, it looks again and again
	}
}

func fakeDelete(dir string) error {
	files, _ := filepath.Glob(filepath.Join(dir, "*.pid"))
	for _, f := range files {
		pod := strings.TrimSuffix(filepath.Base(f), ".pid")
		if pid, alive := fakePID(dir, pod); alive {
			if p, err := os.FindProcess(pid); err == nil {
				_ = p.Signal(syscall.SIGTERM)
			}
		}
		_ = os.Remove(filepath.Join(dir, pod+".pod"))
	}
	return nil
}
