package kubelab

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"socketlab/internal/kubectl"
)

// pods are those of a run, as kubectl has them.
type pods struct{ Items []pod }

type pod struct {
	Metadata struct {
		Name, UID         string
		Labels            map[string]string
		CreationTimestamp time.Time
	}
	Spec   struct{ NodeName string }
	Status struct {
		Phase, Reason, Message string
		PodIP                  string
		Conditions             []struct{ Type, Status, Reason, Message string }
		ContainerStatuses      []struct {
			State struct {
				Waiting    *struct{ Reason, Message string }
				Terminated *struct {
					ExitCode        int
					Reason, Message string
				}
			}
		}
	}
}

func (r *Run) pods(ctx context.Context) (p pods, err error) {
	err = r.Kubectl.Get(ctx, "look at the pods", &p, "pods", "-l", "socketlab/run="+r.Name)
	return p, err
}

// hub is the hub's pod; nil while there is none.
func (p pods) hub() *pod {
	for i := range p.Items {
		if p.Items[i].Metadata.Labels["socketlab/part"] == "hub" {
			return &p.Items[i]
		}
	}
	return nil
}

// started reports whether the pod has a log.
func (p *pod) started() bool {
	return p.Status.Phase == "Running" || p.Status.Phase == "Succeeded" || p.Status.Phase == "Failed"
}

// impatience is how long a pod may have a problem that may pass: the nodes may still be
// freed, and a pull is tried again.
const impatience = 20 * time.Second

// trouble says what keeps the pods from starting that time does not change; nil for nothing.
func (r *Run) trouble(ctx context.Context, p pods) error {
	for i := range p.Items {
		if why := p.Items[i].trouble(); why != "" {
			return fmt.Errorf("pod %s does not start: %s%s", p.Items[i].Metadata.Name, why, try(why, r.Namespace))
		}
	}
	if len(p.Items) == 1+2*r.Clients {
		return nil
	}
	// A pod that may not be made is no pod: its Job's events say why.
	var events struct {
		Items []struct {
			Reason, Message string
			InvolvedObject  struct{ Name string }
		}
	}
	if r.Kubectl.Get(ctx, "look at the events", &events, "events", "--field-selector", "reason=FailedCreate") != nil {
		return nil // who may not see events waits until the time is over
	}
	for _, e := range events.Items {
		if e.InvolvedObject.Name == r.Name || strings.HasPrefix(e.InvolvedObject.Name, r.Name+"-") {
			return fmt.Errorf("the cluster refuses a pod of Job %s: %s%s", e.InvolvedObject.Name, e.Message, try(e.Message, r.Namespace))
		}
	}
	return nil
}

// try is what to try about a message, on a line of its own.
func try(message, namespace string) string {
	if advice := kubectl.Advice(message, namespace); advice != "" {
		return "\n  try: " + advice
	}
	return ""
}

func (p *pod) trouble() string {
	since := time.Since(p.Metadata.CreationTimestamp)
	for _, c := range p.Status.Conditions {
		if c.Type == "PodScheduled" && c.Status == "False" && since > impatience {
			return fmt.Sprintf("%s: %s", c.Reason, c.Message)
		}
	}
	for _, c := range p.Status.ContainerStatuses {
		switch w, t := c.State.Waiting, c.State.Terminated; {
		case w != nil && slices.Contains([]string{"ErrImageNeverPull", "InvalidImageName", "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "ImagePullBackOff"}, w.Reason),
			w != nil && w.Reason == "ErrImagePull" && since > impatience:
			return strings.TrimSuffix(w.Reason+": "+w.Message, ": ")
		case t != nil && t.ExitCode != 0 && p.Metadata.Labels["socketlab/part"] != "hub": // the hub says itself what it died of
			return fmt.Sprintf("it ended with exit code %d (%s)%s", t.ExitCode, t.Reason, strings.TrimSuffix(": "+t.Message, ": "))
		}
	}
	if p.Status.Phase == "Failed" && p.Status.Reason != "" { // as of a pod that was evicted
		return p.Status.Reason + ": " + p.Status.Message
	}
	return ""
}

// state says in a few words how the pods are.
func (r *Run) state(ctx context.Context) string {
	p, err := r.pods(ctx)
	if err != nil {
		return err.Error()
	}
	phases := map[string]int{}
	var names []string
	for i := range p.Items {
		phase := strings.ToLower(p.Items[i].Status.Phase)
		if phases[phase]++; phases[phase] == 1 {
			names = append(names, phase)
		}
	}
	slices.Sort(names)
	for i, name := range names {
		names[i] = fmt.Sprintf("%d %s", phases[name], name)
	}
	if len(names) == 0 {
		return "there are no pods"
	}
	return "the pods are " + strings.Join(names, ", ")
}

// goneNodes are the nodes that are not ready; none where that cannot be seen.
func (r *Run) goneNodes(ctx context.Context) (gone []string) {
	var nodes struct {
		Items []struct {
			Metadata struct{ Name string }
			Status   struct {
				Conditions []struct{ Type, Status string }
			}
		}
	}
	if r.Kubectl.Get(ctx, "look at the nodes", &nodes, "nodes") != nil {
		return nil
	}
	for _, n := range nodes.Items {
		for _, c := range n.Status.Conditions {
			if c.Type == "Ready" && c.Status != "True" {
				gone = append(gone, n.Metadata.Name)
			}
		}
	}
	return gone
}
