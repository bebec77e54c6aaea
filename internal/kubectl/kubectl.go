// Package kubectl runs kubectl, and says in plain words what its errors mean and what to
// try. It is the only way in which sockwatch reaches a cluster.
package kubectl

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// Client is kubectl with what every call has in common. The zero Client is that of the
// current context and namespace. It is safe for use by several goroutines.
type Client struct {
	// Context and Namespace are those of kubectl's flags; "" is the current one.
	Context, Namespace string
}

// requestTimeout bounds a call that answers at once. It covers a slow control plane, and
// several requests in a row.
const requestTimeout = 30 * time.Second

// program is looked up on PATH.
const program = "kubectl"

func (c Client) args(args []string) []string {
	var all []string
	if c.Context != "" {
		all = append(all, "--context="+c.Context)
	}
	if c.Namespace != "" {
		all = append(all, "--namespace="+c.Namespace)
	}
	return append(all, args...)
}

// Command is kubectl with these arguments, in a process group of its own, so that a
// terminal's Ctrl-C reaches sockwatch alone. It is ended when the context is.
func (c Client) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, c.args(args)...)
	cmd.SysProcAttr = ownGroup()
	cmd.WaitDelay = time.Second
	return cmd
}

// Run runs kubectl with an input, which may be nil, and returns what it writes. what says
// in a few words what is attempted, for the error.
func (c Client) Run(ctx context.Context, what string, in io.Reader, args ...string) ([]byte, error) {
	within, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	// Flags come first: some arguments end with a command.
	cmd := c.Command(within, append([]string{"--request-timeout=" + (requestTimeout - 5*time.Second).String()}, args...)...)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = in, &stderr
	out, err := cmd.Output()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case within.Err() != nil:
		return nil, c.explain(what, fmt.Sprintf("kubectl did not answer within %s", requestTimeout), noCluster)
	case err != nil:
		return nil, c.Explain(what, stderr.String(), err)
	}
	return out, nil
}

// Get asks for objects as JSON.
func (c Client) Get(ctx context.Context, what string, into any, args ...string) error {
	out, err := c.Run(ctx, what, nil, append(append([]string{"get"}, args...), "-o", "json")...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, into); err != nil {
		return fmt.Errorf("%s: kubectl's answer cannot be read: %w", what, err)
	}
	return nil
}

// Error is a call that failed: what was attempted, on what, what happened, and what to try.
type Error struct {
	What, Where, Happened, Try string
	// NotFound says that an object that was named is not there.
	NotFound bool
}

func (e *Error) Error() string {
	text := e.What
	if e.Where != "" {
		text += " (" + e.Where + ")"
	}
	text += ": " + e.Happened
	if e.Try != "" {
		text += "\n  try: " + e.Try
	}
	return text
}

const noCluster = "kubectl cluster-info; kubectl config get-contexts lists the clusters that it knows"

// where names the cluster and the namespace as far as flags have named them.
func (c Client) where() string {
	context, namespace := "the current context", "its namespace"
	if c.Context != "" {
		context = "context " + c.Context
	}
	if c.Namespace != "" {
		namespace = "namespace " + c.Namespace
	}
	return context + ", " + namespace
}

func (c Client) explain(what, happened, try string) *Error {
	return &Error{What: what, Where: c.where(), Happened: happened, Try: try}
}

// Explain makes an error of what kubectl wrote to standard error when it failed.
func (c Client) Explain(what, stderr string, err error) error {
	if errors.Is(err, exec.ErrNotFound) {
		return &Error{What: what, Happened: "there is no kubectl on PATH, by which sockwatch reaches a cluster", Try: "install it: https://kubernetes.io/docs/tasks/tools/"}
	}
	said := lastLine(stderr)
	if said == "" {
		said = err.Error()
	}
	e := c.explain(what, said, Advice(stderr, c.Namespace))
	e.NotFound = strings.Contains(stderr, "(NotFound)")
	return e
}

// lastLine is the last line that says something: kubectl repeats what it tries before.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// Advice says what to try about a message of kubectl or of the cluster; "" where nothing is
// known.
func Advice(message, namespace string) string {
	in := ""
	if namespace != "" {
		in = " -n " + namespace
	}
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(message, p) {
				return true
			}
		}
		return false
	}
	switch {
	case has("violates PodSecurity"):
		return "another namespace, or its label pod-security.kubernetes.io/enforce: kubectl get namespace --show-labels"
	case has("exceeded quota", "failed quota"):
		return "fewer --clients, or a namespace with room: kubectl describe quota" + in
	case has("(Forbidden)", "forbidden: User", "is forbidden"):
		return "a user with that right: kubectl auth can-i --list" + in
	case has("namespaces \"") && has("not found"):
		return "kubectl create namespace" + strings.TrimPrefix(in, " -n") + ", or another --namespace"
	case has("context \"") && has("does not exist"), has("error: no context exists"):
		return "kubectl config get-contexts lists those that there are"
	case has("connection refused", "was refused", "no configuration has been provided", "Unable to connect", "no such host", "i/o timeout", "context deadline exceeded", "couldn't get current server"):
		return noCluster
	case has("(Unauthorized)", "must be logged in", "provide credentials"):
		return "log in to the cluster again: kubectl cluster-info"
	case has("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"):
		return "an image that the nodes can pull, with --image; one of scripts/release is imported on each node by: ctr -n k8s.io images import FILE"
	case has("Insufficient", "nodes are available"):
		return "fewer --clients, or more nodes: kubectl describe nodes"
	}
	return ""
}
