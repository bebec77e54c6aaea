// Package kubelet asks a node's kubelet which pods it runs, so that a process, whose
// cgroup has the uid of its pod, gets the pod's name and labels.
package kubelet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"socketlab/internal/regular"
	"socketlab/internal/socketstats"
)

// Client knows the pods of one node. It is safe for use by several goroutines.
type Client struct {
	url, tokenFile string
	http           *http.Client
	pods           atomic.Pointer[map[string]Pod]
}

// Pod is one pod of the node.
type Pod struct {
	Name, Namespace string
	Labels          map[string]string
	// Containers are the names of its containers by their ids, without the runtime.
	Containers map[string]string
}

// Options say how the kubelet is reached.
type Options struct {
	// URL is where it is, such as https://127.0.0.1:10250.
	URL string
	// TokenFile has a bearer token, which is read again for each request; "" sends none.
	TokenFile string
	// CAFile has the certificates that its own is checked with; "" is those of the system.
	CAFile string
	// SkipVerify does not check its certificate: a kubelet's own is often signed by itself.
	SkipVerify bool
}

// maxFile bounds the token and the certificates: those of a whole system have some
// hundred KiB.
const maxFile = 1 << 20

// New returns a client that knows no pod yet: [Client.Refresh] asks.
func New(o Options) (*Client, error) {
	t := &tls.Config{InsecureSkipVerify: o.SkipVerify} //nolint:gosec // where it is asked for
	if o.CAFile != "" {
		pem, err := regular.Read(o.CAFile, maxFile)
		if err != nil {
			return nil, fmt.Errorf("read the certificates that sign the kubelet's: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s has no certificate", o.CAFile)
		}
	}
	c := &Client{url: strings.TrimSuffix(o.URL, "/") + "/pods", tokenFile: o.TokenFile, http: &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{TLSClientConfig: t, MaxIdleConns: 1, IdleConnTimeout: time.Minute},
		// A redirection could lead anywhere, with the token.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	c.pods.Store(&map[string]Pod{})
	return c, nil
}

// mostBytes bounds the answer: some thousand pods.
const mostBytes = 64 << 20

// Refresh asks for the pods. After an error those that were known stay.
func (c *Client) Refresh(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	if c.tokenFile != "" {
		token, err := regular.Read(c.tokenFile, maxFile)
		if err != nil {
			return fmt.Errorf("read the token for the kubelet: %w", err)
		}
		request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	}
	response, err := c.http.Do(request)
	var of *url.Error
	if errors.As(err, &of) {
		err = of.Err // the address stands here already
	}
	if err != nil {
		return fmt.Errorf("ask the kubelet at %s: %w", c.url, err)
	}
	pods, err := read(response)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return fmt.Errorf("ask the kubelet: %w", err)
	}
	c.pods.Store(&pods)
	return nil
}

// podList is the part of a v1.PodList that is used.
type podList struct {
	Items []struct {
		Metadata struct {
			Name, Namespace, UID string
			Labels, Annotations  map[string]string
		}
		Status struct{ ContainerStatuses, InitContainerStatuses, EphemeralContainerStatuses []containerStatus }
	}
}

type containerStatus struct{ Name, ContainerID string }

// staticPod is the annotation with which the kubelet marks a pod of a file: the uid in
// the cgroup is this hash, and not that of the API's object.
const staticPod = "kubernetes.io/config.hash"

func read(r *http.Response) (map[string]Pod, error) {
	if r.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s says %s", r.Request.URL, r.Status)
	}
	var list podList
	if err := json.NewDecoder(io.LimitReader(r.Body, mostBytes)).Decode(&list); err != nil {
		return nil, fmt.Errorf("%s sent no list of pods: is this the kubelet's port, such as 10250?", r.Request.URL)
	}
	pods := make(map[string]Pod, len(list.Items))
	for _, it := range list.Items {
		p := Pod{Name: it.Metadata.Name, Namespace: it.Metadata.Namespace, Labels: it.Metadata.Labels, Containers: map[string]string{}}
		for _, statuses := range [][]containerStatus{it.Status.ContainerStatuses, it.Status.InitContainerStatuses, it.Status.EphemeralContainerStatuses} {
			for _, s := range statuses {
				_, id, _ := strings.Cut(s.ContainerID, "://")
				p.Containers[id] = s.Name
			}
		}
		pods[it.Metadata.UID] = p
		if hash := it.Metadata.Annotations[staticPod]; hash != "" {
			pods[hash] = p
		}
	}
	return pods, nil
}

// Pod returns the pod of a control group, and false if it is not known.
func (c *Client) Pod(of socketstats.Cgroup) (Pod, bool) {
	p, ok := (*c.pods.Load())[of.Pod]
	return p, ok && of.Pod != ""
}

// Selector is labels that a pod must have.
type Selector map[string]string

// ParseSelector reads "name=value" or "name", several with commas between them.
func ParseSelector(text string) (Selector, error) {
	s := Selector{}
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if name == "" || strings.ContainsAny(name, "!()") {
			return nil, fmt.Errorf("%q is not of the form NAME=VALUE or NAME", part)
		}
		if strings.Contains(part, "=") {
			s[name] = strings.TrimPrefix(value, "=")
		} else {
			s[name] = anyValue
		}
	}
	return s, nil
}

// anyValue is the value in a selector of a label that only has to be there. No label
// has it (validation of label values in k8s.io/apimachinery).
const anyValue = "*"

// Selects reports whether a pod has the labels.
func (s Selector) Selects(p Pod) bool {
	for name, value := range s {
		if has, ok := p.Labels[name]; !ok || (value != anyValue && has != value) {
			return false
		}
	}
	return true
}
