package kubectl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// Pod has the parts of a pod's description that a diagnosis needs.
type Pod struct {
	Metadata struct{ Name string }
	Spec     struct {
		NodeName              string
		ShareProcessNamespace bool
		HostPID               bool
		SecurityContext       struct{ RunAsUser *int64 }
		Containers            []struct {
			Name            string
			SecurityContext struct{ RunAsUser *int64 }
		}
	}
	Status struct {
		Phase                      string
		ContainerStatuses          []ContainerStatus
		EphemeralContainerStatuses []ContainerStatus
	}
}

// ContainerStatus is a container's state; the zero value is one that has not started.
type ContainerStatus struct {
	Name, ContainerID string
	User              struct{ Linux *struct{ UID int64 } }
	State             struct {
		Waiting    *struct{ Reason, Message string }
		Running    *struct{}
		Terminated *struct {
			ExitCode        int
			Reason, Message string
		}
	}
}

// Container returns the name of the container to look at: the one that is named, or the
// only one, or the first of several.
func (p *Pod) Container(name string) (string, error) {
	var names []string
	for _, c := range p.Spec.Containers {
		names = append(names, c.Name)
	}
	switch {
	case p.Status.Phase != "Running":
		return "", fmt.Errorf("pod %s is %s: only one that runs can be looked into", p.Metadata.Name, strings.ToLower(p.Status.Phase))
	case len(names) == 0:
		return "", fmt.Errorf("pod %s has no containers, says the cluster", p.Metadata.Name)
	case name == "":
		return names[0], nil
	case !slices.Contains(names, name):
		return "", fmt.Errorf("pod %s has no container %q: use one of %s", p.Metadata.Name, name, strings.Join(names, ", "))
	}
	return name, nil
}

// user is the user of a container's processes; false if that is not known.
func (p *Pod) user(container string) (int64, bool) {
	for _, s := range p.Status.ContainerStatuses {
		if s.Name == container && s.User.Linux != nil {
			return s.User.Linux.UID, true
		}
	}
	for _, c := range p.Spec.Containers {
		if c.Name == container && c.SecurityContext.RunAsUser != nil {
			return *c.SecurityContext.RunAsUser, true
		}
	}
	if u := p.Spec.SecurityContext.RunAsUser; u != nil {
		return *u, true
	}
	return 0, false
}

// Target returns the flags by which sockwatch, in a container beside it, chooses the processes of a container:
// the first process of the namespace with its children, unless that is not the container's own.
func (p *Pod) Target(container string) []string {
	if !p.Spec.ShareProcessNamespace && !p.Spec.HostPID {
		return []string{"--pid", "1"}
	}
	for _, s := range p.Status.ContainerStatuses {
		if _, id, ok := strings.Cut(s.ContainerID, "://"); ok && s.Name == container {
			return []string{"--container", id[:min(len(id), 12)]}
		}
	}
	return []string{"--pid", "1"}
}

// Debug adds a container to a pod that runs, in the process namespace of one of its
// containers, and returns once it has started. It has two capabilities, by which it sees the
// processes of every user, and those in more, such as "SYS_ADMIN"; where Pod Security refuses that, it
// is started as the user of those processes, with none. say gets what that means.
func (c Client) Debug(ctx context.Context, p *Pod, container, name, image string, more, command []string, say func(format string, args ...any)) error {
	type object = map[string]any
	err := c.debug(ctx, p, container, name, image, "general", object{
		"runAsUser": 0, "runAsNonRoot": false, "capabilities": object{"drop": []string{"ALL"}, "add": append([]string{"SYS_PTRACE", "DAC_READ_SEARCH"}, more...)},
	}, command)
	var refused *Error
	if errors.As(err, &refused) && strings.Contains(refused.Happened, "violates PodSecurity") {
		user, known := p.user(container)
		if !known || user == 0 {
			return fmt.Errorf("%w\n  as the user of container %s it would be allowed, but that user is not known, or is root", err, container)
		}
		say("sockwatch: Pod Security allows no capability here: it looks as user %d, and sees the processes of that user\n", user)
		err = c.debug(ctx, p, container, name, image, "restricted", object{
			"runAsUser": user, "runAsNonRoot": true, "allowPrivilegeEscalation": false,
			"capabilities": object{"drop": []string{"ALL"}}, "seccompProfile": object{"type": "RuntimeDefault"},
		}, command)
	}
	if err != nil {
		return err
	}
	return c.awaitStart(ctx, p.Metadata.Name, name)
}

func (c Client) debug(ctx context.Context, p *Pod, container, name, image, profile string, security map[string]any, command []string) error {
	custom, err := os.CreateTemp("", "sockwatch-*.json")
	if err != nil {
		return err
	}
	defer os.Remove(custom.Name())
	err = errors.Join(json.NewEncoder(custom).Encode(map[string]any{"securityContext": security, "imagePullPolicy": "IfNotPresent"}), custom.Close())
	if err != nil {
		return err
	}
	args := append([]string{
		"debug", "pod/" + p.Metadata.Name, "--image=" + image, "--target=" + container, "--container=" + name,
		"--profile=" + profile, "--custom=" + custom.Name(), "--attach=false", "--quiet", "--",
	}, command...)
	_, err = c.Run(ctx, "add a container to pod "+p.Metadata.Name, nil, args...)
	return err
}

// startTimeout is how long a container may take to start: its image may have to be pulled.
const startTimeout = 2 * time.Minute

// awaitStart waits until an ephemeral container has started.
func (c Client) awaitStart(ctx context.Context, pod, name string) error {
	late := time.NewTimer(startTimeout)
	defer late.Stop()
	again := time.NewTicker(300 * time.Millisecond)
	defer again.Stop()
	said := ""
	for began := time.Now(); ; {
		var p Pod
		if err := c.Get(ctx, "look at pod "+pod, &p, "pod", pod); err != nil {
			return err
		}
		for _, s := range p.Status.EphemeralContainerStatuses {
			switch w := s.State.Waiting; {
			case s.Name != name:
			case s.State.Running != nil, s.State.Terminated != nil && s.State.Terminated.Reason != "StartError":
				return nil
			case s.State.Terminated != nil:
				return c.explain("start a container in pod "+pod, s.State.Terminated.Message, "")
			case w != nil:
				said = strings.TrimSuffix(w.Reason+": "+w.Message, ": ")
				if patience := 20 * time.Second; strings.Contains(w.Reason, "Never") || strings.Contains(w.Reason, "Invalid") || strings.Contains(w.Reason, "BackOff") ||
					(strings.HasPrefix(w.Reason, "Err") || strings.HasPrefix(w.Reason, "Create")) && time.Since(began) > patience {
					return c.explain("start a container in pod "+pod, said, Advice(said, c.Namespace))
				}
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-late.C:
			return c.explain("start a container in pod "+pod, strings.TrimSuffix(fmt.Sprintf("it has not started within %s: %s", startTimeout, said), ": "), Advice(said, c.Namespace))
		case <-again.C:
		}
	}
}
