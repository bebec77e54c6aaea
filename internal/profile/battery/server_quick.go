package battery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/http2"

	"socketlab/internal/profile"
	"socketlab/internal/socketstats"
)

// soon is how long an answer may take that is due at once. It is long because the
// machine may be busy: it only runs out where no answer comes.
const soon = 10 * time.Second

// quick asks what needs no waiting, one probe after the other, each on a connection of
// its own.
func (r *serverRun) quick(ctx context.Context, addr string) error {
	for _, probe := range []func(context.Context, *probe){
		r.keepAliveHeader, r.pipelining, r.halfClose, r.halfCloseSlow, r.earlyAnswer, r.http2, r.requestsPerConnection,
	} {
		c, err := dial(ctx, addr)
		if err != nil {
			return err
		}
		stop := context.AfterFunc(ctx, func() { _ = c.Close() })
		probe(ctx, c)
		stop()
		_ = c.Close()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	r.backlog(ctx, addr)
	return nil
}

func (r *serverRun) keepAliveHeader(ctx context.Context, c *probe) {
	plain, err := c.roundTrip(time.Now().Add(soon), "GET", "/")
	if err != nil {
		r.miss(reason(err), "keepalive_header", "keepalive_header_says")
		return
	}
	asking, err := dial(ctx, c.RemoteAddr().String())
	if err != nil {
		r.miss(reason(err), "keepalive_header", "keepalive_header_says")
		return
	}
	defer asking.Close()
	_ = c.Close() // a server may serve one connection at a time
	asked, err := asking.roundTrip(time.Now().Add(soon), "GET", "/", "Connection: keep-alive")
	if err != nil {
		r.miss(reason(err), "keepalive_header", "keepalive_header_says")
		return
	}
	always, request := plain.Header.Get("Keep-Alive"), asked.Header.Get("Keep-Alive")
	seen := []string{fmt.Sprintf("without: %q", always), fmt.Sprintf("with Connection: keep-alive: %q", request)}
	switch {
	case keepAliveSays(plain.Header) > 0:
		r.set("keepalive_header", profile.Chosen("always"), seen...)
		r.set("keepalive_header_says", profile.Took(keepAliveSays(plain.Header)), seen...)
	case keepAliveSays(asked.Header) > 0:
		r.set("keepalive_header", profile.Chosen("on_request"), seen...)
		r.set("keepalive_header_says", profile.Took(keepAliveSays(asked.Header)), seen...)
	default:
		r.set("keepalive_header", profile.Chosen("never"), seen...)
		r.miss("there is no such header", "keepalive_header_says")
	}
}

func (r *serverRun) pipelining(_ context.Context, c *probe) {
	err := c.send(strings.Repeat(c.head("GET", "/", "1.1"), 3))
	answered, closes := 0, ""
	for err == nil && answered < 3 {
		var a response
		if a, err = c.receive(time.Now().Add(soon / 2)); err == nil {
			answered++
			if a.Close {
				closes = ", with Connection: close"
			}
		}
	}
	seen := fmt.Sprintf("%d of 3 answered%s", answered, closes)
	if err != nil {
		seen += ", then " + reason(err)
	}
	value := "cut"
	switch {
	case answered == 3:
		value = "answered"
	case answered > 0:
		value = "first_only"
	}
	r.set("pipelining", profile.Chosen(value), seen)
}

// withRequest says that the FIN is in the segment of the request.
const withRequest = -1

// halfClosed sends a request and, a while after it or together with it, FIN. It returns the
// status of the answer, which came whole.
func halfClosed(ctx context.Context, c *probe, path string, after time.Duration) (status string, err error) {
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	half, _ := c.Conn.(*net.TCPConn)
	if half != nil && after == withRequest {
		err = cork(half)
	}
	if err == nil {
		err = c.send(c.head("GET", path, "1.1"))
	}
	if err == nil && after > 0 && !pause(ctx, after) {
		err = ctx.Err()
	}
	if half != nil && err == nil {
		err = half.CloseWrite()
	}
	if err != nil {
		return "", err
	}
	a, err := c.receive(time.Now().Add(soon))
	if err != nil {
		return "", err
	}
	return a.Status, nil
}

// The FIN is in the segment of the request so often, and in one of its own so often: some
// servers cut the answer only where they read the FIN before they have written it. Where that is
// chance it is one of a hundred in one run and five in the next, so that it is said and is no
// value.
const (
	halfCloses = 10
	halfRaces  = 100
)

func (r *serverRun) halfClose(ctx context.Context, c *probe) {
	_ = c.Close() // a server may serve one connection at a time
	// cut tries until an answer does not come at all, which it waits for once only.
	cut := func(times int, after time.Duration) (n, tried int, said string, err error) {
		for tried < times {
			one, err := dial(ctx, c.RemoteAddr().String())
			if err != nil {
				return n, tried, said, err
			}
			answer, err := halfClosed(ctx, one, "/", after)
			_ = one.Close()
			if ctx.Err() != nil {
				return n, tried, said, ctx.Err()
			}
			tried++
			if said = answer; err != nil {
				said = reason(err)
				n++
			}
			if err != nil && howEnded(err) == open {
				break
			}
		}
		return n, tried, said, nil
	}
	n, tried, said, err := cut(halfCloses, withRequest)
	if err != nil {
		r.miss(reason(err), "half_close")
		return
	}
	seen := []string{fmt.Sprintf("%d of %d cut with the FIN in the segment of the request: %s", n, tried, said)}
	if n > 0 {
		r.set("half_close", profile.Chosen("cut"), seen...)
		return
	}
	if n, tried, _, err = cut(halfRaces, 0); err == nil {
		seen = append(seen, fmt.Sprintf("%d of %d cut with the FIN in a segment of its own", n, tried))
	}
	r.set("half_close", profile.Chosen("answered"), seen...)
}

// halfCloseSlow sends the FIN with the request, and while that is under way: some servers
// look for it only after they have begun to answer, and do not see one that came before.
func (r *serverRun) halfCloseSlow(ctx context.Context, c *probe) {
	took, err := r.slowTakes(ctx, c)
	if err != nil {
		r.miss(reason(err), "half_close_slow")
		return
	}
	r.say("%s takes %.1f s", r.Slow, took.Seconds())
	var seen []string
	for _, after := range []time.Duration{withRequest, underWay} {
		again, err := dial(ctx, c.RemoteAddr().String())
		if err != nil {
			r.miss(reason(err), "half_close_slow")
			return
		}
		status, err := halfClosed(ctx, again, r.Slow, after)
		_ = again.Close()
		when := "FIN in the segment of the request: "
		if after > 0 {
			when = fmt.Sprintf("FIN %.1f s after the request: ", after.Seconds())
		}
		if err != nil {
			r.set("half_close_slow", profile.Chosen("cut"), append(seen, when+reason(err))...)
			return
		}
		seen = append(seen, when+status)
	}
	r.set("half_close_slow", profile.Chosen("answered"), seen...)
}

// slowTakes calls the slow path, and returns an error if it is not slow. It closes c.
func (r *serverRun) slowTakes(_ context.Context, c *probe) (time.Duration, error) {
	defer c.Close()
	sent := time.Now()
	a, err := c.roundTrip(sent.Add(2*soon), "GET", r.Slow, "Connection: close")
	took := time.Since(sent)
	switch {
	case err != nil:
		return 0, fmt.Errorf("GET %s: %w; give a path that takes 2 s or more with --slow", r.Slow, err)
	case took < 1500*time.Millisecond:
		return 0, fmt.Errorf("GET %s is answered (%d) after %.1f s; give a path that takes 2 s or more with --slow", r.Slow, a.StatusCode, took.Seconds())
	}
	return took, nil
}

// earlyTries is how often a body is begun: what a server does not read of it makes the
// kernel send RST when it closes, and that may overtake the answer.
const earlyTries = 5

func (r *serverRun) earlyAnswer(ctx context.Context, c *probe) {
	const whole, part = 1 << 20, 16 << 10
	var a response
	var err error
	defer func() { _ = c.Close() }()
	for range earlyTries {
		if err = c.send(c.head("POST", "/", "1.1", fmt.Sprintf("Content-Length: %d", whole)) + pad(part)); err == nil {
			a, err = c.receive(time.Now().Add(2 * time.Second))
		}
		if err == nil || howEnded(err) == open {
			break
		}
		again, dialErr := dial(ctx, c.RemoteAddr().String())
		if dialErr != nil {
			break
		}
		_ = c.Close()
		c = again
	}
	switch {
	case err != nil && howEnded(err) == open:
		r.set("early_answer", profile.Chosen("no"), "no answer within 2 s")
		return
	case err == nil && a.StatusCode == http.StatusRequestTimeout:
		r.set("early_answer", profile.Chosen("no"), a.Status)
		return
	case err != nil:
		r.miss("closed without an answer: "+reason(err), "early_answer")
		return
	}
	if !pause(ctx, underWay) { // who closes it does so by then, and who reads on may have begun
		return
	}
	err = c.send(pad(whole - part))
	if err == nil {
		_, err = c.roundTrip(time.Now().Add(soon), "GET", "/")
	}
	switch {
	case err == nil:
		r.set("early_answer", profile.Chosen("kept"), "the next request is answered")
	case howEnded(err) == open:
		r.miss("after an early answer the next request is neither answered nor the connection closed", "early_answer")
	default: // by FIN or, where that came before the rest of the body, RST
		r.set("early_answer", profile.Chosen("closed"), "then "+reason(err))
	}
}

// requestsMost is more than the limits that servers have by default: 100, and 1000 of
// nginx.
const requestsMost = 1100

func (r *serverRun) requestsPerConnection(ctx context.Context, c *probe) {
	n, why := 0, ""
	// A server that takes its time is not waited for longer than for what may never happen.
	for began := time.Now(); n < requestsMost && why == "" && ctx.Err() == nil && time.Since(began) < waitShort; {
		a, err := c.roundTrip(time.Now().Add(soon), "GET", "/")
		if err != nil {
			why = "then " + reason(err)
			break
		}
		if n++; a.Close {
			why = "the last answer says Connection: close"
		}
	}
	if why == "" {
		r.set("requests_per_connection", profile.Words(fmt.Sprintf("> %d", n)))
		return
	}
	r.set("requests_per_connection", profile.Words(fmt.Sprint(n)), why)
}

// http2 speaks HTTP/2 at once, as clients with prior knowledge do.
func (r *serverRun) http2(_ context.Context, c *probe) {
	none := func(why string) {
		r.set("h2", profile.Chosen("no"), why)
		r.miss("it does not speak HTTP/2 without TLS", "h2_max_streams", "h2_settings")
	}
	var settings bytes.Buffer
	_ = http2.NewFramer(&settings, nil).WriteSettings()
	if err := c.send(http2.ClientPreface + settings.String()); err != nil {
		none(reason(err))
		return
	}
	_ = c.SetReadDeadline(time.Now().Add(soon / 2))
	frame, err := http2.NewFramer(io.Discard, c.r).ReadFrame()
	s, ok := frame.(*http2.SettingsFrame)
	if err != nil || !ok {
		none(fmt.Sprintf("no SETTINGS frame: %s", reason(err)))
		return
	}
	r.set("h2", profile.Chosen("yes"))
	streams, all := "unlimited", []string{}
	_ = s.ForeachSetting(func(x http2.Setting) error {
		if x.ID == http2.SettingMaxConcurrentStreams {
			streams = fmt.Sprint(x.Val)
		}
		all = append(all, fmt.Sprintf("%s=%d", x.ID, x.Val))
		return nil
	})
	if len(all) == 0 {
		all = []string{"none"}
	}
	r.set("h2_max_streams", profile.Words(streams), all...)
	r.set("h2_settings", profile.Words(strings.Join(all, " ")))
}

// backlog reads the listening sockets' limit from the kernel.
func (r *serverRun) backlog(ctx context.Context, addr string) {
	at, err := netip.ParseAddrPort(addr)
	if err == nil {
		var most int
		if most, err = backlogOf(ctx, at.Port()); err == nil {
			r.set("backlog", profile.Counted(most))
			return
		}
	}
	r.miss(reason(err), "backlog")
}

func backlogOf(ctx context.Context, port uint16) (int, error) {
	src, err := socketstats.OpenSource(socketstats.Auto)
	if err != nil {
		return 0, err
	}
	defer src.Close()
	sockets, err := src.Sockets(ctx, socketstats.Query{Ports: []uint16{port}, States: []socketstats.State{socketstats.Listen}})
	if err != nil {
		return 0, err
	}
	most := 0
	for _, s := range sockets {
		most = max(most, int(s.SendQ))
	}
	if most == 0 {
		return 0, fmt.Errorf("the limit of the queue is not known here (source %s)", src.Name())
	}
	return most, nil
}

// connectionsMost is how many connections are opened at most.
const connectionsMost = 600

// limitTries is how often a connection that is closed or reset is tried once more.
const limitTries = 2

// limit opens connections until one is not answered while an older one is.
func (r *serverRun) limit(ctx context.Context, addr string) error {
	var held []*probe
	defer func() {
		for _, c := range held {
			c.reset()
		}
	}()
	began := time.Now()
	for again := 0; len(held) < connectionsMost && time.Since(began) < waitShort; {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		c, err := dial(ctx, addr)
		if err == nil {
			held = append(held, c)
			err = r.answeredBeside(c, held[:len(held)-1])
		}
		if (errors.Is(err, errClosed) || errors.Is(err, errReset)) && again < limitTries {
			again++ // a process of it may have ended, as some do after so many requests
			held = held[:len(held)-1]
			_ = c.Close()
			continue
		}
		again = 0
		switch {
		case errors.Is(err, errAtOnce):
			r.miss("the server closes each connection with its answer", "connection_limit", "connection_limit_next")
			return nil
		case err != nil:
			n := len(held)
			if c != nil {
				n--
			}
			next := nextGets(err)
			if next == "" {
				r.miss(reason(err), "connection_limit", "connection_limit_next")
				return nil
			}
			r.set("connection_limit", profile.Words(fmt.Sprint(n)), reason(err))
			r.set("connection_limit_next", profile.Chosen(next), reason(err))
			return nil
		}
	}
	closed := 0
	for _, c := range held {
		_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := c.r.Peek(1); howEnded(err) != open {
			closed++
		}
	}
	if closed > 0 {
		r.say("%d of %d idle connections were closed", closed, len(held))
	}
	r.set("connection_limit", profile.Words(fmt.Sprintf("> %d", len(held))), fmt.Sprintf("%d of them were closed by the server meanwhile", closed))
	r.miss("no limit was met", "connection_limit_next")
	return nil
}

var (
	errWaits  = errors.New("not answered while an older connection is")
	errBusy   = errors.New("answered 503")
	errClosed = errors.New("closed without an answer")
	errReset  = errors.New("reset without an answer")
	errUnsure = errors.New("neither it nor an older connection is answered")
)

func nextGets(err error) string {
	for word, is := range map[string]error{"waits": errWaits, "503": errBusy, "fin": errClosed, "rst": errReset, "refused": syscall.ECONNREFUSED} {
		if errors.Is(err, is) {
			return word
		}
	}
	return ""
}

// answeredBeside sends a request on a new connection. If it is not answered, one of the
// older ones shows whether the server is slow, or serves no more at once.
func (r *serverRun) answeredBeside(c *probe, older []*probe) error {
	a, err := c.roundTrip(time.Now().Add(slowOpening), "GET", "/")
	for try := 0; err != nil && howEnded(err) == open; try++ {
		if try == 6 {
			return errUnsure
		}
		if len(older) > 0 {
			if _, alive := older[len(older)-1].roundTrip(time.Now().Add(2*time.Second), "GET", "/"); alive == nil {
				// Both were due. The new one may have been answered meanwhile.
				if a, err = c.receive(time.Now().Add(slowOpening)); err != nil && howEnded(err) == open {
					return errWaits
				}
				continue
			}
		}
		a, err = c.receive(time.Now().Add(slowOpening))
	}
	switch {
	case err != nil && howEnded(err) == byFIN:
		return errClosed
	case err != nil:
		return errReset
	case a.StatusCode == 503:
		return errBusy
	case a.Close && len(older) == 0:
		return errAtOnce
	}
	return nil
}
