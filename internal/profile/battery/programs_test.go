package battery_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"time"

	"socketlab/internal/profile/battery"
	"socketlab/internal/worker"
)

// TestMain lets the tests start this binary as the programs that they measure, and as
// what looks after them.
func TestMain(m *testing.M) {
	switch os.Getenv("BATTERY_TEST_PROGRAM") {
	case "":
	case "graceful":
		graceful()
		return
	case "late":
		late()
		return
	case "holding":
		holding()
		return
	case "reverse", "purging":
		reverse(os.Getenv("BATTERY_TEST_PROGRAM") == "purging")
	case "client":
		makeCalls()
		return
	}
	if len(os.Args) > 1 && os.Args[1] == battery.Supervisor {
		os.Exit(worker.SuperviseCommand(context.Background(), os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// handler has the paths that the battery asks for.
func handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	mux.HandleFunc("/slow", func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(2 * time.Second)
		_, _ = io.WriteString(w, "ok")
	})
	mux.HandleFunc("/read", func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, "ok")
	})
	return mux
}

// timed is a server whose times are all short.
func timed() *http.Server {
	return &http.Server{Handler: handler(), IdleTimeout: 1500 * time.Millisecond, ReadHeaderTimeout: time.Second, ReadTimeout: 3 * time.Second}
}

// graceful serves until SIGTERM, and on until slow requests are answered. Then it
// closes its listener.
func graceful() {
	s := timed()
	var slow sync.WaitGroup
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			slow.Add(1)
			defer slow.Done()
		}
		handler().ServeHTTP(w, r)
	})
	s.Addr = "127.0.0.1:" + os.Getenv("SOCKETLAB_PORT")
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-ctx.Done()
		slow.Wait()
		_ = s.Shutdown(context.Background())
	}()
	if err := s.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	<-done
}

// late begins to shut down a while after SIGTERM, as a runtime does that is slow to handle
// it. Shutdown closes the listener and idle connections, and waits for others.
func late() {
	s := timed()
	s.Addr = "127.0.0.1:" + os.Getenv("SOCKETLAB_PORT")
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-ctx.Done()
		time.Sleep(450 * time.Millisecond)
		_ = s.Shutdown(context.Background())
	}()
	if err := s.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	<-done
}

// holding accepts one connection after SIGTERM, closes its listener then, and closes that
// connection without an answer when the slow request is answered.
func holding() {
	s := timed()
	var slow sync.WaitGroup
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	came := make(chan struct{})
	first := sync.OnceFunc(func() { close(came) })
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			slow.Add(1)
			defer slow.Done()
		} else if ctx.Err() != nil {
			first()
			select {}
		}
		handler().ServeHTTP(w, r)
	})
	l, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("SOCKETLAB_PORT"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go func() { _ = s.Serve(l) }()
	<-ctx.Done()
	<-came
	_ = l.Close()
	slow.Wait()
	time.Sleep(100 * time.Millisecond) // for the answer
}
