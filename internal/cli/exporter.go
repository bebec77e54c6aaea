package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/olekukonko/tablewriter/pkg/twwidth"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/exporter-toolkit/web"
	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v2"

	"socketlab/internal/cli/program"
	"socketlab/internal/kubelet"
	"socketlab/internal/observe"
	"socketlab/internal/regular"
	"socketlab/internal/render/prom"
	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

var _ = register(exporterCommand)

// exporterOptions are the flags of exporter beside its target.
type exporterOptions struct {
	listen, webConfig string
	most, rest        int
	selector          string
	ownNamespace      bool
	kubelet           kubelet.Options
}

func exporterCommand(streams program.Streams) *cobra.Command {
	var (
		t targetFlags
		o exporterOptions
	)
	c := &cobra.Command{
		Use:   "exporter",
		Short: "Export sockets and verdicts as metrics for Prometheus",
		Long: `Watches processes and serves what it sees as metrics, at /metrics: sockets by
process, container, pod, end, state and peer; what was opened and closed;
descriptors and their limit; accept queues; the verdict of sockwatch diagnose on
each process; and what it could not see. Without a target it watches every process
that it may see. It never counts itself.

It counts every --interval, and less often where a count takes longer than a
hundredth of that (of an interval that is given, a fifth); each scrape gets the
newest count. At most --max-processes have
series of their own. It listens on loopback unless --listen says otherwise;
--web-config sets TLS and passwords, in the form of Prometheus's exporter-toolkit.

docs/fleet.md says what each metric is, what the exporter costs, and how Prometheus,
its rules and a dashboard are set up. Exit codes: 0 after Ctrl-C, 1 failed.`,
		Example: `  sockwatch exporter
  sockwatch exporter --name myservice --listen 10.0.0.7:9719 --web-config web.yml
  sockwatch exporter --kubelet https://127.0.0.1:10250 --pod-label app=shop`,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := t.check(c); err != nil {
				return err
			}
			_, port, err := net.SplitHostPort(o.listen)
			if err == nil {
				_, err = net.LookupPort("tcp", port)
			}
			switch {
			case err != nil:
				return program.Usagef(c, "--listen %s: give HOST:PORT, such as %s", o.listen, defaultExporter)
			case o.most < 1:
				return program.Usagef(c, "--max-processes must be at least 1")
			case o.kubelet.URL != "" && !isURL(o.kubelet.URL):
				return program.Usagef(c, "--kubelet %s: give a URL, such as https://127.0.0.1:10250", o.kubelet.URL)
			}
			var selector kubelet.Selector
			if o.selector != "" {
				var err error
				if selector, err = kubelet.ParseSelector(o.selector); err != nil {
					return program.Usagef(c, "--pod-label: %w", err)
				}
			}
			protected, err := readWebConfig(o.webConfig)
			if err != nil {
				return fmt.Errorf("--web-config: %s: %w", o.webConfig, err)
			}
			if o.rest = leastRest; c.Flags().Changed("interval") {
				o.rest = leastRestAsked
			}
			t.all = !t.named()
			return runExporter(c.Context(), streams, &t, &o, selector, protected)
		},
	}
	f := c.Flags()
	t.add(f, "a server's port on this machine: its clients, and itself")
	f.Lookup("interval").DefValue = "15s"
	t.interval = 15 * time.Second
	f.StringVar(&o.listen, "listen", defaultExporter, "HOST:PORT to listen on; beyond loopback anybody who reaches it gets the metrics, unless --web-config asks for a password")
	f.StringVar(&o.webConfig, "web-config", "", "file with TLS and passwords, as Prometheus's exporter-toolkit has it")
	f.IntVar(&o.most, "max-processes", 100, "most processes with series of their own; the rest are one, called other")
	f.BoolVar(&o.ownNamespace, "own-namespace", false, "watch only processes in the exporter's own network namespace")
	f.StringVar(&o.selector, "pod-label", "", "watch the processes of pods with these labels: NAME=VALUE, several with commas")
	f.StringVar(&o.kubelet.URL, "kubelet", "", "URL of this node's kubelet, for the names and labels of pods, such as https://127.0.0.1:10250")
	f.StringVar(&o.kubelet.TokenFile, "kubelet-token", "", "file with the bearer token for the kubelet (in a pod: its service account's)")
	f.StringVar(&o.kubelet.CAFile, "kubelet-ca", "", "file with the certificates that sign the kubelet's")
	f.BoolVar(&o.kubelet.SkipVerify, "kubelet-insecure", false, "do not check the kubelet's certificate")
	for _, name := range []string{"pod-label", "kubelet-token", "kubelet-ca", "kubelet-insecure"} {
		program.Needs(f, name, "kubelet")
	}
	return c
}

const (
	defaultExporter = "127.0.0.1:9719"
	// keptSamples is how many samples are judged at most.
	keptSamples = 32
	// leastRest is how many times as long as a sample the time to the next one is, at
	// least: a hundredth is what the exporter may take from what it watches. Who gives an
	// interval may have a fifth.
	leastRest, leastRestAsked = 100, 5
	// garbage is how much of it the collector lets stand, in percent of what is in use.
	garbage = 20
	// traceBuffer is for 10,900 changes of state between two looks at them.
	traceBuffer = 1 << 20
	// hearAgain is the time between two looks at what came and went.
	hearAgain = time.Second
	// askAgain is the time between two questions to the kubelet.
	askAgain = 30 * time.Second
	// scrapeTimeout is how long a scraper may take, of which mostScrapes are served at once:
	// those that read nothing would keep out all others. Prometheus gives up after 10 s.
	scrapeTimeout = 15 * time.Second
	mostScrapes   = 4
	// serviceAccount is where a pod has its token.
	serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount/token"
)

func runExporter(ctx context.Context, streams program.Streams, t *targetFlags, o *exporterOptions, selector kubelet.Selector, protected protection) (err error) {
	log := program.Logger(streams)
	watch := observe.Options{Details: true, Waits: true, Thrifty: true, TraceBuffer: traceBuffer, OwnNamespace: o.ownNamespace}
	exporter := &prom.Exporter{Most: o.most, Every: !t.all || selector != nil, Expiry: max(time.Minute, 4*t.interval)}
	if o.kubelet.URL != "" {
		pods, err := askKubelet(ctx, log, o.kubelet)
		if err != nil {
			return err
		}
		exporter.Name = func(p observe.Owner) (namespace, pod, container string) {
			known, _ := pods.Pod(p.Cgroup)
			return known.Namespace, known.Name, known.Containers[p.Cgroup.ID]
		}
		if selector != nil {
			watch.Admits = func(c socketstats.Cgroup) bool {
				p, known := pods.Pod(c)
				return known && selector.Selects(p)
			}
		}
	}
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	watch.Except = uint16(listener.Addr().(*net.TCPAddr).Port)
	f, err := t.open(ctx, watch, 0, streams.Err)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, f.close()) }()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	counted, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		export(ctx, log, f, o.rest, exporter, sync.OnceFunc(func() { close(counted) }))
	}()
	select {
	case <-counted: // so that the first scrape finds something
	case <-ended:
	}
	if t.named() && ctx.Err() == nil && exporter.Processes() == 0 {
		fmt.Fprintln(streams.Err, "sockwatch: there is no process yet that the flags name: one that comes will be watched")
	}
	server := exporterServer(exporterPage(exporter))
	served := make(chan error, 1)
	go func() {
		// The address is said below; that the file became invalid is said here, for each request.
		quiet := slog.New(slog.NewTextHandler(streams.Err, &slog.HandlerOptions{Level: slog.LevelError})).With("web_config", o.webConfig)
		served <- web.Serve(listener, server, &web.FlagConfig{WebConfigFile: &o.webConfig}, quiet)
	}()
	if warning := protected.warning(listener.Addr()); warning != "" {
		program.Say(streams.Err, "sockwatch: warning: %s\n", warning)
	}
	fmt.Fprintf(streams.Err, "sockwatch: the metrics are at %s\n", protected.url(listener.Addr()))
	select {
	case err = <-served: // as where the web configuration is wrong
		cancel(err)
		<-ended
		return err
	case <-ctx.Done():
	}
	<-ended
	shutdown, done := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer done()
	if err := server.Shutdown(shutdown); err != nil {
		return server.Close()
	}
	return nil
}

// askKubelet asks for the pods, now and again and again until the context is over. That
// it does not answer is no failure: it may be restarted.
func askKubelet(ctx context.Context, log *slog.Logger, o kubelet.Options) (*kubelet.Client, error) {
	if _, err := os.Stat(serviceAccount); err == nil && o.TokenFile == "" {
		o.TokenFile = serviceAccount
	}
	pods, err := kubelet.New(o)
	if err != nil {
		return nil, fmt.Errorf("--kubelet: %w", err)
	}
	ask := func() {
		if err := pods.Refresh(ctx); err != nil && ctx.Err() == nil {
			log.Warn("pods have no names", "err", err)
		}
	}
	ask()
	go func() {
		tick := time.NewTicker(askAgain)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				ask()
			}
		}
	}()
	return pods, nil
}

// protection is how the metrics are protected. The zero protection is none.
type protection struct {
	tls bool
	// asks says that a scraper must have a password or a certificate, and passwords that
	// it is a password.
	asks, passwords bool
}

// readWebConfig checks a file of exporter-toolkit, and says what it protects; "" is no file.
func readWebConfig(path string) (protection, error) {
	if path == "" {
		return protection{}, nil
	}
	data, err := regular.Read(path, 1<<20)
	if err != nil {
		return protection{}, err
	}
	// The package that exporter-toolkit itself reads the file with, so that "http2: no" is
	// the same here and there. It reads the first document only: passwords in a second
	// one would protect nothing.
	var c web.Config
	document := yaml.NewDecoder(bytes.NewReader(data))
	badYAML := document.Decode(&c)
	if errors.Is(badYAML, io.EOF) {
		return protection{}, nil // an empty file
	}
	if badYAML == nil {
		if err := document.Decode(new(any)); !errors.Is(err, io.EOF) {
			return protection{}, errors.New("has more than one YAML document, and only the first would count: leave out the line ---")
		}
		for _, user := range slices.Sorted(maps.Keys(c.Users)) {
			if !strings.HasPrefix(string(c.Users[user]), "$2") {
				return protection{}, fmt.Errorf("basic_auth_users: the password of %q is not a bcrypt hash, which htpasswd -nB %s makes", user, user)
			}
		}
	}
	if err := cmp.Or(web.Validate(path), badYAML); err != nil {
		return protection{}, err
	}
	certificate := c.TLSConfig.ClientAuth == "RequireAnyClientCert" || c.TLSConfig.ClientAuth == "RequireAndVerifyClientCert"
	return protection{tls: c.TLSConfig.IsEnabled(), asks: certificate || len(c.Users) > 0, passwords: len(c.Users) > 0}, nil
}

// warning says what others can read who reach the address; "" where nothing is.
func (p protection) warning(addr net.Addr) string {
	switch {
	case addr.(*net.TCPAddr).IP.IsLoopback():
		return ""
	case !p.asks:
		return fmt.Sprintf("whoever reaches %s gets the metrics: --web-config sets a password (basic_auth_users) and TLS", addr)
	case p.passwords && !p.tls:
		return fmt.Sprintf("passwords and metrics are sent to %s unencrypted: --web-config sets TLS (tls_server_config)", addr)
	}
	return ""
}

func (p protection) url(addr net.Addr) string {
	scheme := "http"
	if p.tls {
		scheme = "https"
	}
	return fmt.Sprintf("%s://%s/metrics", scheme, addr)
}

// exporterServer is one that waits for no scraper without an end.
func exporterServer(page http.Handler) *http.Server {
	return &http.Server{Handler: page, ReadTimeout: 5 * time.Second, WriteTimeout: scrapeTimeout, IdleTimeout: 2 * time.Minute}
}

// exporterPage serves the metrics, with those of this process, at /metrics.
func exporterPage(exporter *prom.Exporter) http.Handler {
	own := prometheus.NewRegistry()
	own.MustRegister(
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "socketlab_build_info", Help: "Version of sockwatch: 1.", ConstLabels: prometheus.Labels{"version": program.Version()},
		}, func() float64 { return 1 }),
	)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(prometheus.Gatherers{own, exporter}, promhttp.HandlerOpts{MaxRequestsInFlight: mostScrapes}))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "sockwatch exporter: the metrics are at /metrics")
	})
	return mux
}

// export samples until the context is over, and calls counted after each. A sample that
// fails leaves nothing to scrape until one succeeds.
func export(ctx context.Context, log *slog.Logger, f *follower, rest int, exporter *prom.Exporter, counted func()) {
	debug.SetGCPercent(garbage)
	twwidth.SetCacheCapacity(1) // of the tables, which takes 3 MB and is not used here
	window := observe.Window{Most: keptSamples}
	for ctx.Err() == nil {
		began := time.Now()
		m, err := f.watcher.Sample(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			log.Error("sockets could not be counted", "err", err)
			exporter.Fail(fmt.Errorf("sockets could not be counted: %w", err))
		default:
			if window.Len() == 0 {
				h := f.watcher.Header()
				h.Interval = f.interval
				window.Add(series.Event{Header: &h})
			}
			window.Add(series.Event{Moment: &m})
			exporter.Show(prom.ViewOf(f.watcher, &window))
		}
		counted()
		debug.FreeOSMemory() // a sample leaves as much garbage as the watcher keeps, until the next
		pause(ctx, f, began.Add(max(f.interval, time.Duration(rest)*time.Since(began))))
	}
}

// pause waits until the next sample, and hears what is closed meanwhile.
func pause(ctx context.Context, f *follower, until time.Time) {
	hear := time.NewTicker(hearAgain)
	defer hear.Stop()
	next := time.NewTimer(time.Until(until))
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
			return
		case <-hear.C:
			if err := f.watcher.Hear(ctx); err != nil && !errors.Is(err, context.Canceled) {
				return // the next sample says so
			}
		}
	}
}
