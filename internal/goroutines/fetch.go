package goroutines

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"socketlab/httppool"
)

// source is where a program serves what it says of itself.
type source struct {
	goroutines, connections string
	client                  *http.Client
}

const (
	// fetchTimeout is for one answer; the program may be busy.
	fetchTimeout = 10 * time.Second
	// maxAnswer bounds an answer: some 100,000 different stacks.
	maxAnswer = 128 << 20
)

// errRemote is returned by a dial that would leave this machine.
var errRemote = errors.New("it is not on this machine; --allow-remote allows it")

// Open returns the program that serves its profiles at an address: that of net/http/pprof
// ("http://127.0.0.1:6060/debug/pprof/"), of its goroutine profile, or of the server alone
// ("http://127.0.0.1:6060"). Nothing but loopback is connected to unless allowRemote.
func Open(address string, allowRemote bool) (*Program, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || !isPort(u.Port()) {
		return nil, fmt.Errorf("%q is not an address such as http://127.0.0.1:6060/debug/pprof/", address)
	}
	dialer := &net.Dialer{Timeout: fetchTimeout}
	if !allowRemote {
		dialer.Control = func(_, addr string, _ syscall.RawConn) error {
			if at, err := netip.ParseAddrPort(addr); err != nil || !at.Addr().Unmap().IsLoopback() {
				return errRemote
			}
			return nil
		}
	}
	s := &source{client: &http.Client{
		Timeout:       fetchTimeout,
		Transport:     &http.Transport{DialContext: resetting(dialer)},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	dir := strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), "/goroutine")
	if dir == "" {
		dir = "/debug/pprof"
	}
	u.Fragment, u.RawPath = "", ""
	u.Path, u.RawQuery = dir+"/goroutine", "debug=1"
	s.goroutines = u.String()
	u.Path, u.RawQuery = dir[:strings.LastIndex(dir, "/")+1]+"connections", "format=json"
	s.connections = u.String()
	return &Program{source: s}, nil
}

// isPort reports whether a text is a port; "" is that of the scheme.
func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return text == "" || err == nil && n > 0
}

// resetting dials connections that are reset when they are closed. The sockets of the program are
// counted while it is asked, and a connection of ours would stay in TIME_WAIT for a minute.
func resetting(d *net.Dialer) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := d.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		if tcp, ok := c.(*net.TCPConn); ok {
			if err := tcp.SetLinger(0); err != nil {
				return nil, errors.Join(err, c.Close())
			}
		}
		return c, nil
	}
}

// close closes the connection to the program.
func (s *source) close() { s.client.CloseIdleConnections() }

// profile reads the program's goroutine profile.
func (s *source) profile(ctx context.Context) (stacks []stack, err error) {
	err = s.get(ctx, s.goroutines, func(r io.Reader) error {
		stacks, err = parse(r)
		return err
	})
	return stacks, err
}

// errNone says that the program does not serve what was asked for.
var errNone = errors.New("not there")

// pools reads what the program's Pools of package httppool say; nil where it has none.
func (s *source) pools(ctx context.Context) (pools []httppool.Snapshot, err error) {
	err = s.get(ctx, s.connections, func(r io.Reader) error {
		pools, err = httppool.ReadJSON(r)
		if err != nil {
			return errNone // something else is served there
		}
		return nil
	})
	if errors.Is(err, errNone) {
		return nil, nil
	}
	return pools, err
}

func (s *source) get(ctx context.Context, address string, read func(io.Reader) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	resp, err := s.client.Do(req)
	var of *url.Error
	switch {
	case errors.As(err, &of) && of.Timeout():
		return fmt.Errorf("ask for the goroutines at %s: no answer within %s", req.URL.Redacted(), fetchTimeout)
	case errors.As(err, &of): // the address stands here already
		return fmt.Errorf("ask for the goroutines at %s: %w", req.URL.Redacted(), of.Err)
	case err != nil:
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s: %w: does the program import net/http/pprof, and serve it at this address?", req.URL.Redacted(), resp.Status, errNone)
	}
	body := io.LimitReader(resp.Body, maxAnswer)
	if err := read(body); err != nil {
		return fmt.Errorf("%s: %w", req.URL.Redacted(), err)
	}
	_, err = io.Copy(io.Discard, body) // so that the connection is idle
	return err
}
