package bench

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	// fullSpeedAlone is how long the client is measured before it is looked at, and after, and
	// fullSpeedLook how long it is looked at: as long as a verdict takes that it is healthy.
	fullSpeedAlone = 10 * time.Second
	fullSpeedLook  = 25 * time.Second
	// fullSpeedWorkers are enough to keep two processors busy, with the server.
	fullSpeedWorkers = 4
)

// measureWhere measures what a client loses at full speed while diagnose --where looks at it.
func measureWhere(ctx context.Context, o options, n *neighbours) (table, error) {
	const how = `A client makes short requests over four kept-alive connections as fast as it can, and a server in
another process answers them at once (net/http both): the two processors have nothing else to do, so
that what diagnose takes for itself is in the figure, too. Requests per second are counted over the %s
before, over the time that ` + "`sockwatch diagnose --pid N --where`" + ` takes from its start to its end, and over
the %[1]s after it. The ratio is against the mean of before and after. A breakpoint costs a request the
same however long it takes: this is the most that a client can lose.`
	made := table{
		title: "Looking into a client at full speed", columns: []string{"diagnose --where", "alone"},
		how: fmt.Sprintf(how, fullSpeedAlone),
	}
	if os.Geteuid() != 0 {
		made.how = "Not measured: it needs root."
		return made, nil
	}
	looked, alone := make(figures, 0, o.runs), make(figures, 0, o.runs)
	for run := range o.runs {
		what := fmt.Sprintf("look into a client at full speed, run %d of %d", run+1, o.runs)
		rates, err := undisturbed(ctx, n, what, func() ([2]float64, error) { return fullSpeed(ctx, o.sockwatch, fullSpeedAlone, fullSpeedLook) })
		if err != nil {
			return table{}, err
		}
		looked, alone = append(looked, rates[0]), append(alone, rates[1])
	}
	ratio := looked.over(alone)
	made.rows = []row{
		{"requests per second", 0, []figures{looked, alone}, nil},
		{"the same against the client alone", 2, []figures{ratio, nil}, atLeast(0.9, ratio.median())},
	}
	return made, nil
}

// fullSpeed returns the requests per second of a client while diagnose looks at it, and alone.
func fullSpeed(ctx context.Context, sockwatch string, each, look time.Duration) (rates [2]float64, err error) {
	command, err := self("worker-sleep")
	if err != nil {
		return rates, err
	}
	server, err := startServer(ctx, command)
	if err != nil {
		return rates, err
	}
	defer server.stop()
	command, err = self("worker-fullspeed", "-addr", server.addr)
	if err != nil {
		return rates, err
	}
	client, err := startServer(ctx, command)
	if err != nil {
		return rates, err
	}
	defer client.stop()
	made := func() (at time.Time, count float64, err error) {
		response, err := http.Get("http://" + client.addr)
		if err != nil {
			return at, 0, err
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			return at, 0, err
		}
		count, err = strconv.ParseFloat(string(bytes.TrimSpace(text)), 64)
		return time.Now(), count, err
	}
	// perSecond is the client's speed while during runs.
	perSecond := func(during func() error) (float64, error) {
		began, before, err := made()
		if err != nil {
			return 0, err
		}
		if err := during(); err != nil {
			return 0, err
		}
		ended, after, err := made()
		return (after - before) / ended.Sub(began).Seconds(), err
	}
	alone := func() error { return pause(ctx, each) }
	if err := pause(ctx, time.Second); err != nil { // its connections are open then
		return rates, err
	}
	before, err := perSecond(alone)
	if err != nil {
		return rates, err
	}
	rates[0], err = perSecond(func() error {
		var said bytes.Buffer
		c := exec.CommandContext(ctx, sockwatch, "diagnose", "--pid", strconv.Itoa(client.cmd.Process.Pid), "--where", "--for", look.String())
		c.SysProcAttr, c.Stdout, c.Stderr = diesWithUs(), &said, &said
		if err := c.Run(); err != nil {
			return fmt.Errorf("diagnose --where: %w\n%s", err, &said)
		}
		count(c.ProcessState)
		return nil
	})
	if err != nil {
		return rates, err
	}
	after, err := perSecond(alone)
	rates[1] = (before + after) / 2
	return rates, err
}

// fullSpeedClient makes requests as fast as it can until it is ended, and tells whoever
// asks how many were answered.
func fullSpeedClient(ctx context.Context, args []string, out io.Writer) error {
	f := flag.NewFlagSet("worker-fullspeed", flag.ContinueOnError)
	addr := f.String("addr", "", "")
	if err := f.Parse(args); err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: fullSpeedWorkers}}
	var answered atomic.Int64
	failed := make(chan error, fullSpeedWorkers+1)
	for range fullSpeedWorkers {
		go func() {
			for ctx.Err() == nil {
				response, err := client.Get("http://" + *addr)
				if err != nil {
					failed <- err
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				answered.Add(1)
			}
		}()
	}
	go func() {
		failed <- serve(out, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, answered.Load()) })
	}()
	return <-failed
}
