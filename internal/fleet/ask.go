package fleet

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"golang.org/x/sync/errgroup"
)

// Client asks exporters and Prometheus. Its HTTP client decides which addresses may be
// connected to, and how long an answer may take.
type Client struct {
	HTTP *http.Client
	// User and Password are sent if User is not "".
	User, Password string
}

const (
	// mostAtOnce bounds how many exporters are asked at the same time.
	mostAtOnce = 32
	// mostOfExporter bounds an answer, when it is decompressed. Of a node with thousands of
	// processes it is 0.7 MB, as 100 have series of their own, and 7 MB if 1,000 have.
	mostOfExporter = 8 << 20
	// mostOfPiece bounds a line, and what is parsed of an answer at once: that takes a hundred
	// times as much memory. A line with every label of a process has less than 2 kB.
	mostOfPiece = 16 << 10
	// Prometheus has the answer of every node.
	mostOfPrometheus = 512 << 20
)

// Exporters asks each exporter, by the URL of its metrics. One that does not answer is a
// silent node.
func (c *Client) Exporters(ctx context.Context, urls []string) (*Fleet, error) {
	f := &Fleet{Nodes: make([]Node, len(urls))}
	var group errgroup.Group
	group.SetLimit(mostAtOnce)
	for i, at := range urls {
		group.Go(func() error {
			name := at
			if u, err := url.Parse(at); err == nil {
				name = u.Host
			}
			f.Nodes[i] = c.scrape(ctx, name, at)
			return nil
		})
	}
	return f, errors.Join(group.Wait(), ctx.Err())
}

// why is an error in plain words, without the address, which stands beside it.
func why(err error) error {
	var (
		of      *url.Error
		syntax  *json.SyntaxError
		another *json.UnmarshalTypeError
	)
	if errors.As(err, &of) {
		if of.Timeout() {
			return errors.New("no answer in time")
		}
		return of.Err
	}
	var slow net.Error
	switch {
	case errors.As(err, &slow) && slow.Timeout():
		return errors.New("its answer did not end in time")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("its answer broke off")
	case errors.As(err, &syntax), errors.As(err, &another):
		return errors.New("it answers, but not as a Prometheus does")
	}
	return err
}

// bounded is a reader with an error in place of what is beyond its limit, or comes after the
// end of ctx: what is decompressed here is read on without the other end.
type bounded struct {
	ctx     context.Context
	from    io.Reader
	left    int
	tooLong error
}

func (b *bounded) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	if b.left <= 0 {
		return 0, b.tooLong
	}
	n, err := b.from.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// get reads an answer of so many bytes at most.
func (c *Client) get(ctx context.Context, at, accept string, most int, read func(io.Reader) error) error {
	if c.HTTP.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.HTTP.Timeout)
		defer cancel()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", accept)
	if c.User != "" {
		request.SetBasicAuth(c.User, c.Password)
	}
	response, err := c.HTTP.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK {
		return read(&bounded{ctx, response.Body, most, fmt.Errorf("its answer is too long: more than %d MB", most>>20)})
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, 300))
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	return errors.Join(errors.New(strings.TrimSuffix("it says "+response.Status+": "+line, ": ")), err)
}

// scrape asks one exporter.
func (c *Client) scrape(ctx context.Context, name, at string) Node {
	m := newMaking(name)
	err := c.get(ctx, at, string(expfmt.NewFormat(expfmt.TypeTextPlain)), mostOfExporter, m.read)
	if err != nil {
		return Node{Name: name, Silent: short(why(err).Error())}
	}
	return m.done()
}

// read takes the samples of an exporter's answer, piece by piece: all of it at once takes a
// hundred times the memory of its text.
func (m *making) read(body io.Reader) error {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	pieces := bufio.NewScanner(body)
	pieces.Buffer(make([]byte, 0, mostOfPiece), mostOfPiece)
	pieces.Split(wholeLines)
	line := 0
	for pieces.Scan() {
		families, err := parser.TextToMetricFamilies(bytes.NewReader(pieces.Bytes()))
		if pieces.Err() != nil {
			break // the last line is cut off by that
		}
		var wrong expfmt.ParseError
		if errors.As(err, &wrong) {
			wrong.Line += line
			err = wrong
		}
		if err != nil {
			return err
		}
		line += bytes.Count(pieces.Bytes(), []byte("\n"))
		for _, name := range metrics {
			for _, metric := range families[name].GetMetric() {
				if err := m.add(&sample{name, labelsOf(metric), value(metric)}, time.Now()); err != nil {
					return err
				}
			}
		}
	}
	if errors.Is(pieces.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("its answer has a line of more than %d kB", mostOfPiece>>10)
	}
	return pieces.Err()
}

// wholeLines splits an answer at line ends, into pieces of as many lines as are there.
func wholeLines(data []byte, atEnd bool) (int, []byte, error) {
	n := bytes.LastIndexByte(data, '\n') + 1
	if n == 0 && atEnd {
		n = len(data)
	}
	if n == 0 {
		return 0, nil, nil
	}
	return n, data[:n], nil
}

// short is what is shown of a reason, which may quote an answer.
func short(reason string) string {
	const most = 300
	if len(reason) <= most {
		return reason
	}
	return strings.ToValidUTF8(reason[:most], "") + "..."
}

func value(m *dto.Metric) float64 {
	switch {
	case m.Gauge != nil:
		return m.GetGauge().GetValue()
	case m.Counter != nil:
		return m.GetCounter().GetValue()
	case m.Untyped != nil:
		return m.GetUntyped().GetValue()
	}
	return math.NaN() // a histogram is none
}

func labelsOf(m *dto.Metric) map[string]string {
	labels := make(map[string]string, len(m.GetLabel()))
	for _, l := range m.GetLabel() {
		labels[l.GetName()] = l.GetValue()
	}
	return labels
}

// query is what is asked of Prometheus. It is one selector: "or" takes two series for the
// same that differ in their names only.
var query = `{__name__=~"up|` + strings.Join(metrics, "|") + `", job=%q}`

// Point is one sample that Prometheus scraped.
type Point struct {
	// At is the time of the scrape, by Prometheus's clock.
	At    time.Time
	Value float64
}

// Scraped is one series, the oldest point first. Nothing is carried on to a time at which
// there was no scrape.
type Scraped struct {
	Labels map[string]string
	Points []Point
}

// ask asks a Prometheus for the value of an expression now.
func (c *Client) ask(ctx context.Context, at, expression string) ([]Scraped, error) {
	type pair [2]any
	var answer struct {
		Status, Error string
		Data          struct {
			Result []struct {
				Metric map[string]string
				Value  *pair
				Values []pair
			}
		}
	}
	address := strings.TrimSuffix(at, "/") + "/api/v1/query?query=" + url.QueryEscape(expression)
	err := c.get(ctx, address, "application/json", mostOfPrometheus, func(body io.Reader) error { return json.NewDecoder(body).Decode(&answer) })
	if err == nil && answer.Status != "success" {
		err = errors.New(answer.Error)
	}
	if err != nil {
		return nil, fmt.Errorf("ask Prometheus at %s: %w", at, why(err))
	}
	list := make([]Scraped, len(answer.Data.Result))
	for i, r := range answer.Data.Result {
		if r.Value != nil {
			r.Values = []pair{*r.Value}
		}
		if len(r.Values) == 0 {
			return nil, fmt.Errorf("ask Prometheus at %s: a series of it has no value", at)
		}
		list[i] = Scraped{r.Metric, make([]Point, len(r.Values))}
		for j, p := range r.Values {
			seconds, isTime := p[0].(float64)
			text, _ := p[1].(string)
			v, err := strconv.ParseFloat(text, 64)
			if err != nil || !isTime {
				return nil, fmt.Errorf("ask Prometheus: %v is no time with a value", p)
			}
			list[i].Points[j] = Point{time.UnixMilli(int64(math.Round(seconds * 1000))), v}
		}
	}
	return list, nil
}

// Scrapes asks a Prometheus for all that it has scraped of a selector in the newest time.
func (c *Client) Scrapes(ctx context.Context, at, selector string, newest time.Duration) ([]Scraped, error) {
	return c.ask(ctx, at, fmt.Sprintf("%s[%dms]", selector, newest.Milliseconds()))
}

// Prometheus asks a Prometheus for the exporters that are the targets of a job. A target
// that it could not scrape is a silent node.
func (c *Client) Prometheus(ctx context.Context, at, job string) (*Fleet, error) {
	list, err := c.ask(ctx, at, fmt.Sprintf(query, job))
	if err != nil {
		return nil, err
	}
	up, samples := map[string]bool{}, map[string][]sample{}
	var names []string
	for _, s := range list {
		instance, name, v := s.Labels["instance"], s.Labels["__name__"], s.Points[0].Value
		if name == "up" {
			up[instance] = v == 1
			names = append(names, instance)
			continue
		}
		samples[instance] = append(samples[instance], sample{name, s.Labels, v})
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("ask Prometheus: it has no targets of a job %q", job)
	}
	slices.Sort(names)
	f := &Fleet{}
	for _, name := range slices.Compact(names) {
		if !up[name] {
			f.Nodes = append(f.Nodes, Node{Name: name, Silent: "Prometheus cannot scrape it"})
			continue
		}
		f.Nodes = append(f.Nodes, node(name, samples[name], time.Now()))
	}
	return f, nil
}
