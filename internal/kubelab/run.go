package kubelab

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"socketlab/internal/kubectl"
	"socketlab/internal/lab"
	"socketlab/internal/series"
)

// Run is one run on a cluster. Kubectl's namespace is the manifest's.
type Run struct {
	Manifest
	Kubectl kubectl.Client
	// Prometheus is where the counts are read from; nil takes those of the pods.
	Prometheus *Prometheus
	// Provenance is who plays the run; nil says nothing.
	Provenance *series.Provenance
	// Observe is given every event as it happens, and Say what the user should know
	// meanwhile. Both are required.
	Observe func(series.Event)
	Say     func(format string, args ...any)

	// service is the Service's address, and seen are the pods, once the run has begun.
	service string
	seen    pods
}

const (
	// cleanTimeout bounds what is done to delete the objects of a run.
	cleanTimeout = time.Minute
	// patienceOfPods is how long pods may take to go; a busy cluster takes ten seconds for some dozens.
	patienceOfPods = 30 * time.Second
	// lookEvery is the time between two looks at the pods while they start.
	lookEvery = 2 * time.Second
)

// Play applies the manifests, hands over what the pods count, and deletes all that it has
// made, whatever happens. With an error the observation has what was seen up to then; it is
// [lab.ErrInterrupted] if ctx ended first.
func (r *Run) Play(ctx context.Context) (*series.Observation, error) {
	o := &series.Observation{}
	if err := r.check(ctx); err != nil {
		return o, interrupted(ctx, err)
	}
	var interval time.Duration
	began := time.Now()
	err := r.apply(ctx)
	if err == nil {
		r.Say("%s: waiting for %d pods in namespace %s\n", r.Scenario.ID, 1+2*r.Clients, r.Namespace)
		err = r.follow(ctx, func(e series.Event) {
			if e.Header != nil {
				e.Header.Provenance, interval = r.Provenance, e.Header.Interval
			}
			o.Add(e)
			if r.Prometheus == nil {
				r.Observe(e)
			}
		})
	}
	if r.Prometheus != nil {
		return r.playFromPrometheus(ctx, o, began, err)
	}
	if err == nil && 2*o.Cost.Samples < due(o.Duration, interval) {
		r.Say("sockwatch: %d of %d samples were taken by every pod in time: the cluster is too busy for this, play it with fewer --clients or a --speed below %g\n",
			o.Cost.Samples, due(o.Duration, interval), r.Speed)
	}
	err = interrupted(ctx, err)
	if err != nil && !o.Started.IsZero() && !o.Over { // what was seen stands, and says why it ends
		end := series.Event{End: &series.Ending{Duration: o.Duration, Stopped: err.Error()}}
		o.Add(end)
		r.Observe(end)
	}
	return o, errors.Join(err, r.clean(ctx))
}

// due is how many samples a run has whose pods take each of them in time; 0 if it did not
// begin.
func due(run, interval time.Duration) int {
	if interval <= 0 {
		return 0
	}
	return int(run / interval)
}

func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return lab.ErrInterrupted
	}
	return err
}

// check finds out whether there is a cluster, and the namespace in it, before anything is
// made. Who may not look at namespaces finds out later.
func (r *Run) check(ctx context.Context) error {
	var namespace struct{}
	err := r.Kubectl.Get(ctx, "look for the namespace "+r.Namespace, &namespace, "namespace", r.Namespace)
	var why *kubectl.Error
	if errors.As(err, &why) && strings.Contains(why.Happened, "(Forbidden)") {
		err = nil
	}
	if err == nil && r.Prometheus != nil {
		err = r.checkPrometheus(ctx)
	}
	return err
}

// object is what is read of any object.
type object struct {
	Kind     string
	Metadata struct{ Name, UID string }
	Spec     struct {
		ClusterIP string
		NodeName  string
	}
	Items []object
}

// apply makes the objects: the hub's Job, which owns the others, the Service, whose address
// the clients get, and then all else.
func (r *Run) apply(ctx context.Context) error {
	m := r.Manifest
	m.Hub, m.Rest = true, false
	hub, err := r.create(ctx, "make the hub's Job", m)
	if err != nil {
		return err
	}
	m.Owner = hub.Metadata.UID
	m.Hub, m.Rest, m.Address = false, true, "0.0.0.0"
	text, err := m.Render()
	if err != nil {
		return err
	}
	documents := bytes.SplitN(text, []byte("\n---\n"), 2)
	service, err := r.createText(ctx, "make the Service", documents[0])
	if err != nil {
		return err
	}
	if m.Address = service.Spec.ClusterIP; m.Address == "" || m.Address == "None" {
		return fmt.Errorf("make the Service: the cluster gave %s no address", m.Name)
	}
	r.service = m.Address
	if text, err = m.Render(); err != nil {
		return err
	}
	_, err = r.createText(ctx, "make the clients' Jobs and the network policies", bytes.SplitN(text, []byte("\n---\n"), 2)[1])
	return err
}

func (r *Run) create(ctx context.Context, what string, m Manifest) (object, error) {
	text, err := m.Render()
	if err != nil {
		return object{}, err
	}
	return r.createText(ctx, what, text)
}

func (r *Run) createText(ctx context.Context, what string, text []byte) (o object, err error) {
	out, err := r.Kubectl.Run(ctx, what, bytes.NewReader(text), "create", "-f", "-", "-o", "json")
	if err != nil {
		return o, err
	}
	// Of several objects kubectl writes one after the other, or a list.
	if err := json.NewDecoder(bytes.NewReader(out)).Decode(&o); err != nil {
		return o, fmt.Errorf("%s: kubectl's answer cannot be read: %w", what, err)
	}
	return o, nil
}

// follow reads what the hub says until it is over, and looks at the pods while they start.
func (r *Run) follow(ctx context.Context, see func(series.Event)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	said := make(chan line)
	ended := make(chan error, 1)
	reading := false
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	late := time.NewTimer(r.Patience)
	defer late.Stop()
	quiet := time.NewTimer(silence)
	defer quiet.Stop()
	begun, ready := false, 0
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-late.C:
			if !begun {
				return fmt.Errorf("%d of %d clients were ready within %s: %s", ready, 2*r.Clients, r.Patience, r.state(ctx))
			}
		case <-quiet.C:
			if begun {
				return r.lost(ctx)
			}
		case l := <-said:
			quiet.Reset(silence)
			switch {
			case l.Event != nil:
				if !begun && r.Prometheus != nil {
					pods, err := r.pods(ctx)
					if err != nil {
						return err
					}
					r.seen = pods
				}
				begun = true
				see(*l.Event)
			case l.Error != "":
				return r.blame(ctx, errors.New(l.Error))
			case l.Over:
				return nil
			case l.Of > 0 && l.Ready > ready:
				if ready = l.Ready; ready == l.Of {
					r.Say("%s: all %d clients are ready\n", r.Scenario.ID, l.Of)
				}
			}
		case err := <-ended:
			if err == nil {
				err = errors.New("the hub's pod ended before the run did")
			}
			return r.blame(ctx, err)
		case <-look.C:
			if begun {
				continue
			}
			pods, err := r.pods(ctx)
			if err == nil {
				err = r.trouble(ctx, pods)
			}
			if err != nil {
				return err
			}
			if hub := pods.hub(); hub != nil && hub.started() && !reading {
				reading = true
				go func() { ended <- r.read(ctx, hub.Metadata.Name, said) }()
			}
		}
	}
}

// read hands over the lines of the hub's log.
func (r *Run) read(ctx context.Context, pod string, said chan<- line) error {
	cmd := r.Kubectl.Command(ctx, "logs", "--follow", "pod/"+pod)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return r.Kubectl.Explain("read the hub's log", "", err)
	}
	in := bufio.NewScanner(out)
	in.Buffer(nil, mostLine)
	var last string
	for in.Scan() {
		var l line
		if json.Unmarshal(in.Bytes(), &l) != nil { // an error of sockwatch itself
			last = strings.TrimSpace(in.Text())
			continue
		}
		select {
		case said <- l:
		case <-ctx.Done():
		}
	}
	_, _ = io.Copy(io.Discard, out)
	if err := cmd.Wait(); err != nil {
		return r.Kubectl.Explain("read the hub's log", stderr.String(), err)
	}
	if last != "" {
		return errors.New("the hub's pod ended: " + last)
	}
	return in.Err()
}

// blame adds to an error what the nodes of the pods are like: one that is gone is the reason
// for what its pods did not do.
func (r *Run) blame(ctx context.Context, err error) error {
	if gone := r.goneNodes(ctx); len(gone) > 0 {
		return fmt.Errorf("%w\n  node %s is not ready: what was measured until then stands, and no verdict follows from it", err, strings.Join(gone, ", "))
	}
	return err
}

// lost is the error when nothing is heard of the hub any more.
func (r *Run) lost(ctx context.Context) error {
	return r.blame(ctx, fmt.Errorf("nothing was heard of the hub for %s: %s", silence, r.state(ctx)))
}

// clean deletes all objects of the run, and says what is left. It does so also when ctx is over.
func (r *Run) clean(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTimeout)
	defer cancel()
	const what = "clean up"
	label := "socketlab/run=" + r.Name
	advice := func(err error) error {
		return fmt.Errorf("%w\n  delete what is left with: kubectl delete -n %s jobs,services,networkpolicies,pods -l %s\n  Kubernetes deletes it %d s after the run's longest time", err, r.Namespace, label, r.Keep())
	}
	if _, err := r.Kubectl.Run(ctx, what, nil, "delete", "jobs,services,networkpolicies,pods", "-l", label, "--ignore-not-found", "--wait=false", "--cascade=background"); err != nil {
		return advice(err)
	}
	// The pods go a moment later; those of a node that is gone only by force. Their load has
	// ended with the hub.
	again := time.NewTicker(500 * time.Millisecond)
	defer again.Stop()
	forced := false
	for began := time.Now(); ; {
		pods, err := r.pods(ctx)
		switch {
		case err != nil:
			return advice(err)
		case len(pods.Items) == 0:
			return nil
		case time.Since(began) > patienceOfPods && !forced:
			forced = true
			r.Say("sockwatch: %d pods do not end (%s): they are deleted by force\n", len(pods.Items), strings.Join(pods.nodes(), ", "))
			if _, err := r.Kubectl.Run(ctx, what, nil, "delete", "pods", "-l", label, "--force", "--grace-period=0", "--ignore-not-found", "--wait=false"); err != nil {
				return advice(err)
			}
		}
		select {
		case <-ctx.Done():
			return advice(fmt.Errorf("%s: %d pods are still there", what, len(pods.Items)))
		case <-again.C:
		}
	}
}

// nodes are those of the pods.
func (p pods) nodes() []string {
	var names []string
	for i := range p.Items {
		if n := p.Items[i].Spec.NodeName; n != "" && !slices.Contains(names, n) {
			names = append(names, "node "+n)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
