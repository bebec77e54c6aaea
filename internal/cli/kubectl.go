package cli

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"socketlab/internal/cli/program"
	"socketlab/internal/kubectl"
)

// pluginName is what the program is called as a plugin of kubectl.
const pluginName = "kubectl-sockwatch"

// Main is the program sockwatch. Under the name of a plugin of kubectl it is the command kubectl.
func Main() {
	if strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe") == pluginName {
		os.Args = slices.Insert(os.Args, 1, "kubectl")
	}
	program.Main(Command)
}

var _ = register(kubectlCommand)

func kubectlCommand(streams program.Streams) *cobra.Command {
	c := &cobra.Command{
		Use:   "kubectl",
		Short: "Look into a running pod of Kubernetes, with nothing installed in it",
		Long: `Adds a container with sockwatch to a pod that runs, in the namespaces of one of its
containers, has it look at the processes there, and prints what it says. As kubectl-sockwatch
on PATH it is a plugin: kubectl sockwatch diagnose pod/shop.

The container has two capabilities, by which it sees the processes of every user, and one
more for --where. Where Pod Security refuses that it runs as the user of the processes, with
none. It ends with the command; Kubernetes keeps its entry in the pod until the pod is deleted.
docs/kubernetes.md says more. Exit codes are those of the command.`,
		Example: `  kubectl sockwatch diagnose pod/shop
  kubectl sockwatch diagnose pod/shop -n prod -c app -o json
  kubectl sockwatch watch pod/shop --for 1m
  kubectl sockwatch record pod/shop -o incident.jsonl --for 5m
  kubectl sockwatch check pod/shop --for 30s --no-fault`,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	for name, short := range map[string]string{
		"diagnose": "Say what is wrong with the processes of a pod, and how to fix it",
		"watch":    "Show the sockets of a pod's processes, a line for each count",
		"record":   "Record the sockets of a pod's processes in a file on this machine",
		"check":    "Fail if a pod's processes hold more than they may",
	} {
		c.AddCommand(podCommand(streams, name, short))
	}
	return c
}

// podOptions are the flags of a command on a pod beside those of the command inside.
type podOptions struct {
	pod, container, namespace, context, image string
	inner                                     []string // for sockwatch inside
	where                                     bool     // asked for among these
}

func podCommand(streams program.Streams, name, short string) *cobra.Command {
	c := &cobra.Command{
		Use:   name + " pod/NAME [flags of sockwatch " + name + "]",
		Short: short,
		Long: short + `.

Flags beside those below are those of sockwatch ` + name + `, and mean the same inside the pod.
Without --pid, --name, --port and the like it looks at all processes of the container.`,
		Args:               cobra.ArbitraryArgs,
		DisableFlagParsing: true, // those of the command inside are not known here
	}
	// For the help alone.
	f := c.Flags()
	f.StringP("container", "c", "", "the container to look into (default: the first)")
	f.StringP("namespace", "n", "", "the pod's namespace (default: that of the context)")
	f.String("context", "", "kubectl's context (default: the current one)")
	f.String("image", "", "image of sockwatch (default: that of this release)")
	c.RunE = func(c *cobra.Command, args []string) error {
		if slices.Contains(args, "--help") || slices.Contains(args, "-h") {
			return c.Help()
		}
		o, err := parsePod(args)
		switch {
		case err != nil:
			return program.Usagef(c, "%w", err)
		case o.pod == "":
			return program.Usagef(c, "which pod? give pod/NAME")
		case o.image == "" && program.Release() == "":
			return program.Usagef(c, "--image is needed: this sockwatch is no release, so that no image goes with it; scripts/release makes one")
		}
		if o.image == "" {
			o.image = sockwatchImage()
		}
		return onPod(c, streams, name, o)
	}
	return c
}

// parsePod takes what is of a pod out of arguments.
func parsePod(args []string) (o podOptions, err error) {
	into := map[string]*string{
		"--container": &o.container, "-c": &o.container, "--namespace": &o.namespace, "-n": &o.namespace, "--context": &o.context, "--image": &o.image,
	}
	for i := 0; i < len(args); i++ {
		name, value, joined := strings.Cut(args[i], "=")
		kind, pod, slash := strings.Cut(args[i], "/")
		// --container is a flag of the commands inside, too: a pod's containers have names here.
		switch of := into[name]; {
		case of != nil && joined:
			*of = value
		case of != nil && i+1 == len(args):
			return o, fmt.Errorf("flag needs an argument: %s", name)
		case of != nil:
			i++
			*of = args[i]
		case slash && slices.Contains([]string{"pod", "pods", "po"}, kind) && o.pod == "":
			o.pod = pod
		case i == 0 && !strings.HasPrefix(args[i], "-"):
			o.pod = args[i]
		default:
			o.inner = append(o.inner, args[i])
		}
	}
	return o, nil
}

// inside is the command line of sockwatch in the pod, and the file on this machine that a
// recording is for.
func (o *podOptions) inside(name string, target []string) (args []string, file string, err error) {
	inner, rest, err := Command(program.Streams{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard}).Find([]string{name})
	if err == nil {
		err = inner.ParseFlags(append(rest, o.inner...))
	}
	if err != nil {
		return nil, "", err
	}
	args = append([]string{name}, o.inner...)
	if f := inner.Flags().Lookup("where"); f != nil {
		o.where = f.Changed
	}
	named := slices.ContainsFunc([]string{"pid", "name", "port", "cgroup", "unit", "pprof"}, func(flag string) bool {
		f := inner.Flags().Lookup(flag)
		return f != nil && f.Changed
	})
	if !named {
		args = append(args, target...)
	}
	for _, flag := range []string{"bundle", "junit", "web"} {
		if f := inner.Flags().Lookup(flag); f != nil && f.Changed {
			return nil, "", fmt.Errorf("--%s is not for a pod: record, and use it on the recording", flag)
		}
	}
	if name != "record" {
		return args, "", nil
	}
	if file = inner.Flags().Lookup("output").Value.String(); file == "" {
		return nil, "", errors.New("nowhere to record: give -o FILE")
	}
	return append(args, "--output", innerRecording), file, checkRecord(file)
}

// innerRecording is where a recording is until it is copied out.
const innerRecording = "/tmp/recording.jsonl"

// onPod runs a command in a pod, and ends with its exit code.
func onPod(c *cobra.Command, streams program.Streams, name string, o podOptions) error {
	ctx := c.Context()
	if _, _, err := o.inside(name, nil); err != nil { // before anything is asked
		return program.Usagef(c, "%w", err)
	}
	k := kubectl.Client{Context: o.context, Namespace: o.namespace}
	var pod kubectl.Pod
	if err := k.Get(ctx, "look at pod "+o.pod, &pod, "pod", o.pod); err != nil {
		return interruptedOr(ctx, err)
	}
	container, err := pod.Container(o.container)
	if err != nil {
		return err
	}
	args, file, err := o.inside(name, pod.Target(container))
	if err != nil {
		return err
	}
	debugger := "sockwatch-" + strings.ToLower(rand.Text())[:8]
	say := func(format string, args ...any) { program.Say(streams.Err, format, args...) }
	say("sockwatch: adding container %s to pod %s, beside %s\n", debugger, o.pod, container)
	var more []string
	if o.where {
		more = []string{"SYS_ADMIN"} // for probes: see package uprobe
	}
	if err := k.Debug(ctx, &pod, container, debugger, o.image, more, append([]string{"/sockwatch", ephemeralName, "--"}, args...), say); err != nil {
		return interruptedOr(ctx, err)
	}
	return readPod(ctx, k, streams, o.pod, debugger, file)
}

// frame is a line of the log of the container.
type frame struct {
	// PID is the process in the container's own numbers.
	PID      int    `json:",omitempty"`
	Out, Err string `json:",omitempty"`
	File     []byte `json:",omitempty"`
	Exit     *int   `json:",omitempty"`
}

// endPatience is how long the command may take to end after SIGINT or SIGTERM.
const endPatience = 15 * time.Second

// readPod copies what the command in the pod writes, until its end. Ctrl-C ends it in order.
func readPod(ctx context.Context, k kubectl.Client, streams program.Streams, pod, container, file string) error {
	reading, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	cmd := k.Command(reading, "logs", "--follow", "pod/"+pod, "--container="+container)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return k.Explain("read what the container says", "", err)
	}
	var mu sync.Mutex
	pid := 0
	stop := context.AfterFunc(ctx, func() {
		mu.Lock()
		inside := pid
		mu.Unlock()
		within, done := context.WithTimeout(reading, endPatience)
		defer done()
		_, err := k.Run(within, "end sockwatch in the pod", nil, "exec", "pod/"+pod, "--container="+container, "--", "/sockwatch", endName, strconv.Itoa(inside))
		if err != nil && reading.Err() == nil {
			program.Say(streams.Err, "sockwatch: %v\n  it ends by itself, after %s at most\n", err, longestInPod)
			cancel()
		}
	})
	defer stop()
	exit := -1
	var copied *os.File
	lost := ""
	in := bufio.NewScanner(out)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var f frame
		if json.Unmarshal(in.Bytes(), &f) != nil {
			lost = in.Text() // what the runtime or the kernel says of a program that cannot be started
			continue
		}
		if f.PID != 0 {
			mu.Lock()
			pid = f.PID
			mu.Unlock()
		}
		_, _ = io.WriteString(streams.Out, f.Out)
		_, _ = io.WriteString(streams.Err, strings.ReplaceAll(f.Err, innerRecording, file))
		if f.Exit != nil {
			exit = *f.Exit
		}
		if len(f.File) == 0 || file == "" {
			continue
		}
		if copied == nil {
			if copied, err = os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644); err != nil {
				return err
			}
		}
		if _, err := copied.Write(f.File); err != nil {
			return errors.Join(err, copied.Close())
		}
	}
	ended := cmd.Wait()
	if copied != nil {
		if err := copied.Close(); err != nil {
			return err
		}
	}
	switch {
	case exit > 0:
		return &program.CodeError{Code: exit}
	case exit == 0:
		return nil
	case ctx.Err() != nil:
		return &program.CodeError{Code: program.ExitInterrupted}
	case lost != "":
		return fmt.Errorf("sockwatch in pod %s ended: %s", pod, lost)
	case ended != nil:
		return k.Explain("read what the container says", stderr.String(), ended)
	}
	return fmt.Errorf("sockwatch in pod %s ended without a result: was the pod deleted, or its node lost?", pod)
}

// The commands that run in a pod.
const (
	ephemeralName = "kubernetes-ephemeral"
	endName       = "kubernetes-end"
)

// longestInPod is how long a command goes on in a pod when nothing ends it: its user's
// machine may be gone.
const longestInPod = time.Hour

// ephemeralCommand runs a command of sockwatch in a pod, and writes all that it writes as
// frames to its log.
func ephemeralCommand(streams program.Streams) *cobra.Command {
	return &cobra.Command{
		Use:   ephemeralName,
		Short: "Run a command of sockwatch in a pod that is looked into",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			frames := &framer{to: json.NewEncoder(streams.Out)}
			frames.write(frame{PID: os.Getpid()})
			over := time.AfterFunc(longestInPod, endSelf)
			defer over.Stop()
			code := program.Run(Command, args, program.Streams{In: strings.NewReader(""), Out: frames.stream(false), Err: frames.stream(true)})
			if args[0] == "record" {
				if err := frames.file(innerRecording); err != nil && !errors.Is(err, os.ErrNotExist) {
					frames.write(frame{Err: fmt.Sprintf("sockwatch: copy the recording: %v\n", err)})
				}
			}
			frames.write(frame{Exit: &code})
			return nil
		},
	}
}

func endSelf() {
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Signal(syscall.SIGTERM)
	}
}

// endCommand asks a process to end.
func endCommand() *cobra.Command {
	return &cobra.Command{
		Use:   endName,
		Short: "End sockwatch in a pod that is looked into",
		Args:  program.Args(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			pid, err := strconv.Atoi(args[0])
			if err != nil || pid <= 1 {
				return fmt.Errorf("%q is no process of ours", args[0])
			}
			p, err := os.FindProcess(pid)
			if err != nil {
				return err
			}
			return p.Signal(syscall.SIGTERM)
		},
	}
}

// framer writes frames. It is safe for use by several goroutines.
type framer struct {
	mu sync.Mutex
	to *json.Encoder
}

func (f *framer) write(of frame) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_ = f.to.Encode(of) // a log that cannot be written to has no reader
}

// stream is one of the two streams.
func (f *framer) stream(stderr bool) io.Writer { return framed{f, stderr} }

type framed struct {
	*framer
	stderr bool
}

// Write implements io.Writer.
func (s framed) Write(text []byte) (int, error) {
	if s.stderr {
		s.write(frame{Err: string(text)})
	} else {
		s.write(frame{Out: string(text)})
	}
	return len(text), nil
}

// file writes a file.
func (f *framer) file(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	chunk := make([]byte, 8<<10) // a line of a log has at most 16 kB in one piece
	for {
		n, err := file.Read(chunk)
		if n > 0 {
			f.write(frame{File: chunk[:n]})
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
