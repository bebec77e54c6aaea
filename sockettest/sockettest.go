// Package sockettest fails a test that leaves sockets behind, or that opens more
// connections than it may.
//
//	func TestOrders(t *testing.T) {
//		sockettest.Check(t)
//		...
//	}
//
// Leaked means that the process still holds the socket's descriptor when the
// test and its cleanups are over: a connection whose response body was not
// closed, a listener, a dial that still waits. What the kernel keeps for itself,
// as in TIME_WAIT, is no leak: there is nothing left to close.
//
// A healthy HTTP client leaves idle connections in its pool, and they are not
// leaks either. They are told from leaks in three steps:
//
//   - Idle connections of [http.DefaultTransport] and of what [CloseIdle] names
//     are closed, when the check begins and when it ends. Whoever closed the
//     response bodies loses idle connections and nothing else, and the next
//     request dials anew; [net/http/httptest.Server.Close] does the same. Whoever
//     did not close them keeps the connections.
//   - Of other transports the goroutines tell: one that waits for the next
//     response belongs to an idle connection, one that waits for the end of a
//     body to a leaked one. On Linux it is known which goroutine waits for which
//     socket; elsewhere, how many of them are idle.
//   - A transport keeps two idle connections to one destination, unless it is
//     told otherwise. More of them come from several transports, such as a new
//     one for each request. See [IdlePerHost].
//
// Sockets belong to the process and not to a test, so a check refuses a test that
// runs beside others: after t.Parallel, and in a subtest of one that called
// it. Subtests may be parallel if the check is in their parent. In a package
// of parallel tests use [Main].
//
// HTTP connections that are no sockets, as those of httptest.NewTestServer and of
// net.Pipe, are found by their goroutines: a response body that is not closed, a
// request without its response. In a bubble of testing/synctest call Check inside, as
// its leaks make the bubble panic before a check outside has its turn. Outside, it also
// counts what [MaxOpen] and [MaxOpened] limit, which needs the real clock.
//
// Go's garbage collector closes a connection or a listener that nothing refers to
// any more. If it comes before the test is over, there is no leak left to see.
//
// No privilege is needed. What cannot be looked at fails the test: a check that
// sees nothing must not pass. Of sockets, those of TCP are seen, over IPv4 and IPv6.
package sockettest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// TB is the part of [testing.TB] that a check needs.
type TB interface {
	Helper()
	Name() string
	Errorf(format string, args ...any)
	Cleanup(func())
}

// Check makes the test fail that leaves sockets behind: those that this process
// holds after the test, and did not hold when Check was called. Call it first, as
// cleanups run in reverse order and its own must be the last one.
//
// A clean test costs some milliseconds, and one that is not clean the time of
// [Within]. The failure is one error that names the sockets and says what
// to do.
func Check(t TB, options ...Option) {
	t.Helper()
	if reason := parallel(t); reason != "" {
		t.Errorf("%s", reason)
		return
	}
	c, err := begin(t.Name(), options)
	if err != nil {
		t.Errorf("%s", cannotLook(err))
		return
	}
	t.Cleanup(func() {
		t.Helper()
		problem := c.end()
		if reason := parallel(t); reason != "" { // since the check began
			problem = reason
		}
		if problem != "" {
			t.Errorf("%s", problem)
		}
	})
}

// Find returns what [Check] would fail with if a test that began before this process
// held any socket ended now; nil if nothing is left. It is for programs, and for tests
// without a [testing.TB]. [MaxOpen] and [MaxOpened] mean nothing to it.
func Find(options ...Option) error {
	options = append(options, func(c *config) { c.maxOpen, c.maxOpened = -1, -1 })
	c, err := begin("this process", options)
	if err != nil {
		return errors.New(cannotLook(err))
	}
	c.before, c.readers = map[key]bool{}, map[string]bool{}
	if c.baseline != nil {
		c.before, c.readers = c.baseline.before, c.baseline.readers
	}
	if problem := c.end(); problem != "" {
		return errors.New(problem)
	}
	return nil
}

// IgnoreCurrent makes [Find] leave out what this process holds when IgnoreCurrent is
// called. Use its option once.
func IgnoreCurrent() Option {
	c, err := begin("this process", nil)
	if err == nil {
		err = c.close()
	}
	return func(cfg *config) { cfg.baseline, cfg.cannot = c, err }
}

// M is the part of [testing.M] that [Main] needs.
type M interface{ Run() int }

// Main is for TestMain, and never returns: it runs the tests, and if they passed
// and sockets are left, writes to stderr which ones and ends with exit code 1.
// Options hold for all tests together.
func Main(m M, options ...Option) { os.Exit(run(m, os.Stderr, options)) }

func run(m M, stderr io.Writer, options []Option) int {
	c, err := begin("the tests of this package", options)
	if err != nil {
		fmt.Fprintln(stderr, cannotLook(err))
		return 1
	}
	code := m.Run()
	problem := c.end()
	if code != 0 || problem == "" { // a test that failed may well have left something
		return code
	}
	fmt.Fprintln(stderr, problem)
	return 1
}

func cannotLook(err error) string {
	return fmt.Sprintf("sockettest: the sockets of this process cannot be identified, so this check would prove nothing: %v.\n"+
		"Run it where they can (on Linux /proc must be there; on macOS lsof), or leave it out on this system.", err)
}

// Option changes what a check does.
type Option func(*config)

type config struct {
	within      time.Duration
	idlePerHost int
	maxOpen     int // -1 is no limit
	maxOpened   int
	idle        []idleCloser
	source      string // of [socketstats.OpenSource]
	baseline    *check // of [Find]: what was there before; nil is nothing
	cannot      error  // why an option could not do what it does
}

type idleCloser interface{ CloseIdleConnections() }

// defaultWithin is enough for a server's goroutine to see that its client is
// gone, also on a busy machine.
const defaultWithin = time.Second

// Within is how long to wait for sockets to be closed before they are leaks;
// 1 s unless told. Closing takes a moment: a server's end is closed by a goroutine
// that must first learn that the client is gone.
func Within(d time.Duration) Option { return func(c *config) { c.within = d } }

// CloseIdle names a client or a transport whose idle connections are closed
// before looking, as is done with [http.DefaultTransport]. Both [http.Client] and
// [http.Transport] fit. Where it is, or sends its requests through, a Pool of package
// httppool, a failure names the line that sent the request, too:
//
//	client.Transport = httppool.Watch(transport)
//	sockettest.Check(t, sockettest.CloseIdle(client))
func CloseIdle(c interface{ CloseIdleConnections() }) Option {
	return func(cfg *config) { cfg.idle = append(cfg.idle, c) }
}

// IdlePerHost is how many idle connections to one destination are healthy; 2
// unless told, which is [http.DefaultMaxIdleConnsPerHost]. It is for transports
// with a larger MaxIdleConnsPerHost, and holds where [CloseIdle] was not used.
// With 0, every idle connection is a leak.
func IdlePerHost(n int) Option { return func(c *config) { c.idlePerHost = n } }

// MaxOpen is how many connections may be established at once. A connection with
// both ends in this process is one.
//
// They are counted again and again, at most every millisecond, while the test
// runs. So a failure is always right, and what is over within a millisecond
// or two may be missed. A goroutine counts; it ends before the check's cleanup
// does. Look for leaked goroutines after that, and not in a deferred call.
func MaxOpen(n int) Option { return func(c *config) { c.maxOpen = n } }

// MaxOpened is how many connections may be opened in all, however short. A
// connection with both ends in this process is one; an attempt that is refused
// is none.
//
// On Linux the kernel tells of every connection that ends. Those to listeners of
// this process are all counted, if the listener was there for some milliseconds, on
// a busy machine for some more; of those to others, the ones that were seen in this
// process's hands while they lived. Elsewhere only these are counted, of both. So
// a failure is always right, and of very short connections some may be missed. It
// costs some milliseconds more, the goroutine of [MaxOpen] and on Linux another one.
func MaxOpened(n int) Option { return func(c *config) { c.maxOpened = n } }
