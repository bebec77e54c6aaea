package sockettest_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"socketlab/sockettest"
)

// In a test, t is the test's own *testing.T.
func ExampleCheck() {
	t := newTest("TestOrders")
	defer t.end()
	sockettest.Check(t)

	server := httptest.NewServer(http.HandlerFunc(hello))
	t.Cleanup(server.Close)

	resp, err := http.Get(server.URL)
	if err != nil {
		t.Errorf("%v", err)
		return
	}
	defer resp.Body.Close() // forget it, and the check fails
	fmt.Println(resp.Status)
	// Output:
	// 200 OK
	// TestOrders passed
}

func ExampleCheck_leak() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer listener.Close()
	var conn net.Conn
	func() {
		t := newTest("TestOrders")
		defer t.end()
		sockettest.Check(t, sockettest.Within(10*time.Millisecond))
		conn, _ = net.Dial("tcp", listener.Addr().String())
	}()
	conn.Close()
	// Output:
	// sockettest: TestOrders left 1 socket open:
	//   1 connection was opened and not closed: call Close (or close the pool or client that they belong to)
}

func ExampleWithin() {
	t := newTest("TestSlowShutdown")
	defer t.end()
	sockettest.Check(t, sockettest.Within(5*time.Second))

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Errorf("%v", err)
		return
	}
	time.AfterFunc(20*time.Millisecond, func() { listener.Close() })
	// Output:
	// TestSlowShutdown passed
}

func ExampleMaxOpened() {
	server := httptest.NewServer(http.HandlerFunc(hello))
	defer server.Close()
	func() {
		t := newTest("TestOrders")
		defer t.end()
		sockettest.Check(t, sockettest.MaxOpened(1))
		for range 3 {
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			fetch(client, server.URL)
		}
	}()
	func() {
		t := newTest("TestOrdersFixed")
		defer t.end()
		sockettest.Check(t, sockettest.MaxOpened(1))
		for range 3 {
			fetch(http.DefaultClient, server.URL)
		}
	}()
	// Output:
	// sockettest: TestOrders opened too many connections:
	//   3 connections were opened, more than the 1 of sockettest.MaxOpened: share one http.Transport, read response bodies to their end and close them so that connections are used again, or allow more
	// TestOrdersFixed passed
}

func ExampleMaxOpen() {
	server := httptest.NewServer(http.HandlerFunc(hello))
	defer server.Close()
	t := newTest("TestOrders")
	defer t.end()
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 2}}
	sockettest.Check(t, sockettest.MaxOpen(2), sockettest.CloseIdle(client))
	done := make(chan bool)
	for range 20 {
		go func() {
			fetch(client, server.URL)
			done <- true
		}()
	}
	for range 20 {
		<-done
	}
	// Output:
	// TestOrders passed
}

func ExampleCloseIdle() {
	server := httptest.NewServer(http.HandlerFunc(hello))
	defer server.Close()
	t := newTest("TestOrders")
	defer t.end()
	client := &http.Client{Transport: &http.Transport{}}
	sockettest.Check(t, sockettest.CloseIdle(client))
	fetch(client, server.URL)
	// Output:
	// TestOrders passed
}

func ExampleIdlePerHost() {
	server := httptest.NewServer(http.HandlerFunc(hello))
	defer server.Close()
	transport := &http.Transport{MaxIdleConnsPerHost: 10}
	defer transport.CloseIdleConnections()
	t := newTest("TestOrders")
	defer t.end()
	sockettest.Check(t, sockettest.IdlePerHost(10))
	client := &http.Client{Transport: transport}
	done := make(chan bool)
	for range 5 {
		go func() {
			fetch(client, server.URL)
			done <- true
		}()
	}
	for range 5 {
		<-done
	}
	// Output:
	// TestOrders passed
}

// In a package's own TestMain, m is the *testing.M that it is given.
func ExampleMain() {
	var m sockettest.M
	sockettest.Main(m)
}

// A fake for TB is a few lines.
func ExampleTB() {
	var t sockettest.TB = newTest("TestOrders")
	sockettest.Check(t)
	t.(*test).end()
	// Output:
	// TestOrders passed
}

func ExampleOption() {
	options := []sockettest.Option{sockettest.Within(3 * time.Second)}
	if os.Getenv("CI") != "" {
		options = append(options, sockettest.MaxOpened(100))
	}
	t := newTest("TestOrders")
	defer t.end()
	sockettest.Check(t, options...)
	// Output:
	// TestOrders passed
}

func hello(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") }

func fetch(c *http.Client, url string) {
	resp, err := c.Get(url)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		fmt.Println(err)
	}
}

// test stands for a *testing.T, so that these examples run outside of one.
type test struct {
	name     string
	failed   bool
	cleanups []func()
}

func newTest(name string) *test { return &test{name: name} }

func (t *test) Helper()          {}
func (t *test) Name() string     { return t.name }
func (t *test) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }

// socketLine is one of those whose ports and times differ from run to run.
var socketLine = regexp.MustCompile(`(?m)^    .*\n?`)

func (t *test) Errorf(format string, args ...any) {
	t.failed = true
	fmt.Println(strings.TrimSpace(socketLine.ReplaceAllString(fmt.Sprintf(format, args...), "")))
}

func (t *test) end() {
	for _, f := range slices.Backward(t.cleanups) {
		f()
	}
	if !t.failed {
		fmt.Println(t.name, "passed")
	}
}
