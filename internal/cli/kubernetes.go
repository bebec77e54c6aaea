package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"socketlab/internal/cli/program"
	"socketlab/internal/kubectl"
	"socketlab/internal/kubelab"
	"socketlab/internal/scenario"
	"socketlab/internal/series"
)

// kubeOptions are the flags of a run on Kubernetes.
type kubeOptions struct {
	on                        program.Choice
	clients                   int
	namespace, image, context string
	wait                      time.Duration
	dryRun                    bool
	prometheus, job           string
	asking
}

// kubeFlags are the flags that are for a run on Kubernetes only.
var kubeFlags = []string{"clients", "namespace", "image", "context", "wait", "dry-run", "prometheus"}

// namespaceName is what Kubernetes takes as one: a label of RFC 1123.
var namespaceName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// Where a run is played.
const (
	onThisMachine = "this-machine"
	onKubernetes  = "kubernetes"
)

func (k *kubeOptions) add(f *pflag.FlagSet, output *outputFlag) {
	k.on = program.NewChoice(onThisMachine, onThisMachine, onKubernetes)
	f.Var(&k.on, "on", "where to play: on this machine, or in the pods of a cluster, by way of kubectl (docs/kubernetes.md)")
	f.IntVar(&k.clients, "clients", 20, fmt.Sprintf("with --on kubernetes: clients of each side, a pod each, at most %d", kubelab.MostClients))
	f.StringVar(&k.namespace, "namespace", "", "with --on kubernetes: where the pods are (default: that of the context)")
	f.StringVar(&k.image, "image", "", "with --on kubernetes: image of sockwatch (default: that of this release)")
	f.StringVar(&k.context, "context", "", "with --on kubernetes: kubectl's context (default: the current one)")
	f.DurationVar(&k.wait, "wait", 5*time.Minute, "with --on kubernetes: how long all pods may take to be ready")
	f.BoolVar(&k.dryRun, "dry-run", false, "with --on kubernetes: print the manifests as YAML, as -o yaml does, and make nothing")
	f.StringVar(&k.prometheus, "prometheus", "", "with --on kubernetes: read the counts from this Prometheus, which scrapes an exporter on each node, such as http://127.0.0.1:9090")
	f.StringVar(&k.job, "job", "sockwatch", "with --prometheus: the job of the exporters")
	k.addAsking(f, "with --prometheus: ")
	for _, name := range []string{"job", "allow-remote", "timeout", "user", "ca", "insecure"} {
		program.Needs(f, name, "prometheus")
	}
	output.manifests = true
}

func (k *kubeOptions) chosen() bool { return k.on.String() == onKubernetes }

// check returns what is wrong with the flags.
func (k *kubeOptions) check(c *cobra.Command, output string) error {
	if !k.chosen() {
		for _, name := range kubeFlags {
			if c.Flags().Changed(name) {
				return program.Usagef(c, "--%s is for --on kubernetes", name)
			}
		}
		if output == manifestFormat {
			return program.Usagef(c, "-o yaml is for --on kubernetes: it prints the manifests")
		}
		return nil
	}
	for _, name := range []string{"isolate", "source", "ports", "program-dir", "faulty", "fixed", "go", "parallel", "all"} {
		if c.Flags().Changed(name) {
			return program.Usagef(c, "--%s and --on kubernetes do not go together", name)
		}
	}
	if k.dryRun && c.Flags().Changed("output") && output != manifestFormat {
		return program.Usagef(c, "--dry-run prints YAML: leave out -o %s", output)
	}
	k.dryRun = k.dryRun || output == manifestFormat
	for _, name := range []string{"record", "report", "svg", "web", "prometheus"} {
		if k.dryRun && c.Flags().Changed(name) {
			return program.Usagef(c, "a dry run plays nothing: leave out --%s", name)
		}
	}
	switch {
	case k.namespace != "" && !namespaceName.MatchString(k.namespace):
		return program.Usagef(c, "--namespace %q: a name is of lower-case letters, digits and -, 63 at most (RFC 1123)", k.namespace)
	case k.clients < 1 || k.clients > kubelab.MostClients:
		return program.Usagef(c, "--clients %d: it is 1 to %d for each side", k.clients, kubelab.MostClients)
	case k.wait < time.Second || k.wait > time.Hour:
		return program.Usagef(c, "--wait %s: it is 1s to 1h", k.wait)
	case k.image == "" && program.Release() == "":
		return program.Usagef(c, "--image is needed: this sockwatch is no release, so that no image goes with it; scripts/release makes one")
	}
	if k.image == "" {
		k.image = sockwatchImage()
	}
	if err := checkPrometheusURL(c, k.prometheus); err != nil {
		return err
	}
	if err := k.checkTLS(c, strings.HasPrefix(k.prometheus, "https:")); err != nil {
		return err
	}
	return k.checkAsking(c)
}

// sockwatchImage is the image of this release, as scripts/release names it.
func sockwatchImage() string { return "socketlab/sockwatch:" + program.Release() }

// prepare finds out whether the scripts can be played, and into which namespace, before
// anything is made. It returns the manifests of a dry run.
func (k *kubeOptions) prepare(ctx context.Context, o *runOptions, scripts []scenario.Script) (manifests []byte, err error) {
	for _, s := range scripts {
		if err := kubelab.CanPlay(s); err != nil {
			return nil, err
		}
		if k.prometheus != "" && len(s.Upstreams) > 0 {
			return nil, fmt.Errorf("%s cannot be read from Prometheus: its servers connect to each other, and no series says which connection is whose", s.ID)
		}
	}
	switch {
	case k.namespace != "":
	case k.dryRun:
		k.namespace = "default"
	default:
		if k.namespace, err = currentNamespace(ctx, kubectl.Client{Context: k.context}); err != nil {
			return nil, err
		}
	}
	for _, s := range scripts {
		if !k.dryRun {
			break
		}
		m := k.manifest(o, s)
		m.Hub, m.Rest = true, true
		text, err := m.Render()
		if err != nil {
			return nil, err
		}
		if len(manifests) > 0 {
			manifests = append(manifests, "---\n"...)
		}
		manifests = append(manifests, text...)
	}
	return manifests, nil
}

// currentNamespace is that of kubectl's context.
func currentNamespace(ctx context.Context, k kubectl.Client) (string, error) {
	out, err := k.Run(ctx, "read kubectl's configuration", nil, "config", "view", "--minify", "--output=jsonpath={.contexts[0].context.namespace}")
	if err != nil {
		return "", err
	}
	if name := strings.TrimSpace(string(out)); name != "" {
		return name, nil
	}
	return "default", nil
}

// manifest is that of one run, with a name of its own.
func (k *kubeOptions) manifest(o *runOptions, s scenario.Script) kubelab.Manifest {
	id := strings.ToLower(rand.Text())
	const most = 40 // of a name of a Job, to which those of its pods add some
	name := "sockwatch-" + s.ID
	return kubelab.Manifest{
		Name: strings.TrimRight(name[:min(len(name), most)], "-") + "-" + id[:6], Namespace: k.namespace, Image: k.image,
		Scenario: s, Speed: s.Speed, Seed: o.seed, Swap: o.swap, Clients: k.clients, Token: id[6:], Patience: k.wait,
	}
}

// play plays one script.
func (k *kubeOptions) play(ctx context.Context, o *runOptions, s scenario.Script, observe func(series.Event), say func(string, ...any)) (*series.Observation, error) {
	run := kubelab.Run{
		Manifest: k.manifest(o, s), Kubectl: kubectl.Client{Context: k.context, Namespace: k.namespace},
		Provenance: thisProvenance(), Observe: observe, Say: say,
	}
	if k.prometheus != "" {
		client, err := k.client(ctx)
		if err != nil {
			return &series.Observation{}, err
		}
		defer client.HTTP.CloseIdleConnections()
		run.Prometheus = &kubelab.Prometheus{Client: client, URL: k.prometheus, Job: k.job}
	}
	return run.Play(ctx)
}

// kubernetesHubCommand is what the server's pod of a run runs.
func kubernetesHubCommand(streams program.Streams) *cobra.Command {
	var (
		hub kubelab.Hub
		id  string
	)
	c := &cobra.Command{
		Use:   kubelab.HubCommand,
		Short: "Serve both sides of a run on Kubernetes, and add up what its pods count",
		RunE: func(c *cobra.Command, _ []string) (err error) {
			hub.Out, hub.Token = streams.Out, os.Getenv(kubelab.EnvToken)
			if hub.Host, err = netip.ParseAddr(os.Getenv(kubelab.EnvPodIP)); err != nil {
				return fmt.Errorf("%s: %w", kubelab.EnvPodIP, err)
			}
			if hub.Token == "" {
				return errors.New(kubelab.EnvToken + " is not set")
			}
			if hub.Script, err = scenario.Parse(id, []byte(os.Getenv(kubelab.EnvScript)), nil); err != nil {
				return err
			}
			err = hub.Serve(c.Context())
			if err != nil { // who reads the log has it
				return &program.CodeError{Code: program.ExitFailed}
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&id, "id", "", "ID of the scenario")
	f.Float64Var(&hub.Speed, "speed", 1, "speed")
	f.Uint64Var(&hub.Seed, "seed", 1, "seed of the first client")
	f.IntVar(&hub.Clients, "clients", 1, "clients of each side")
	f.BoolVar(&hub.Swap, "swap-sides", false, "play each side with the other's code")
	f.DurationVar(&hub.Patience, "wait", 5*time.Minute, "how long all clients may take to be ready")
	f.StringVar(&hub.Namespace, "namespace", "", "the pods' namespace")
	return c
}

// kubernetesAgentCommand is what a client's pod of a run runs.
func kubernetesAgentCommand() *cobra.Command {
	var (
		agent kubelab.Agent
		side  = program.NewChoice(string(scenario.Faulty), string(scenario.Faulty), string(scenario.Fixed))
	)
	c := &cobra.Command{
		Use:   kubelab.AgentCommand,
		Short: "Play the load of one client of a run on Kubernetes",
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if agent.Index, err = strconv.Atoi(os.Getenv(kubelab.EnvIndex)); err != nil {
				return fmt.Errorf("%s: %w", kubelab.EnvIndex, err)
			}
			agent.Side = scenario.Side(side.String())
			agent.Token, agent.Pod, agent.Node = os.Getenv(kubelab.EnvToken), os.Getenv(kubelab.EnvPod), os.Getenv(kubelab.EnvNode)
			return agent.Play(c.Context())
		},
	}
	c.Flags().StringVar(&agent.Hub, "hub", "", "HOST:PORT of the hub")
	c.Flags().Var(&side, "side", "whose code to play")
	return c
}
