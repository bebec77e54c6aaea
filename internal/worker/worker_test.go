package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"socketlab/internal/loadgen"
	"socketlab/internal/scenario"
	"socketlab/internal/server"
	"socketlab/internal/socketstats"
	"socketlab/internal/worker"
	"socketlab/internal/worker/netfault"
	"socketlab/scenarios"
)

// The test binary is also the workers, and the lab that is killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		ctx := context.Background()
		switch os.Args[1] {
		case "server":
			os.Exit(worker.Server(ctx, os.Stdin, os.Stdout, slog.New(slog.DiscardHandler), netfault.Changes{}))
		case "client":
			os.Exit(worker.Client(ctx, os.Stdin, os.Stdout))
		case "command":
			os.Exit(worker.SuperviseCommand(ctx, os.Stdin, os.Stdout))
		case "lab":
			lab()
		}
	}
	os.Exit(m.Run())
}

// process is a worker that runs. It is ended with the test.
type process struct {
	t       *testing.T
	cmd     *exec.Cmd
	in      io.WriteCloser // its parent-death pipe
	answers *json.Decoder
	ended   chan error // how it ended
}

// start starts a worker, whose first line of input is order.
func start(t *testing.T, worker, order string) *process {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	p := &process{t: t, cmd: exec.Command(self, worker), ended: make(chan error, 1)}
	out, theirs, err := os.Pipe()
	require.NoError(t, err)
	p.cmd.Stdout, p.cmd.Stderr = theirs, os.Stderr
	p.in, err = p.cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	require.NoError(t, theirs.Close())
	p.answers = json.NewDecoder(out)
	go func() { p.ended <- p.cmd.Wait() }()
	t.Cleanup(func() {
		p.in.Close()
		_ = p.cmd.Process.Kill()
		out.Close()
	})
	p.send(order)
	return p
}

// with makes an order of a worker's type a line.
func with(t *testing.T, order any) string {
	t.Helper()
	line, err := json.Marshal(order)
	require.NoError(t, err)
	return string(line)
}

func (p *process) send(line string) {
	p.t.Helper()
	_, err := io.WriteString(p.in, line+"\n")
	require.NoError(p.t, err)
}

func (p *process) command(c worker.Command) {
	p.t.Helper()
	p.send(with(p.t, c))
}

// answer is the next one.
func (p *process) answer() worker.Answer {
	p.t.Helper()
	var a worker.Answer
	require.NoError(p.t, p.answers.Decode(&a))
	return a
}

// requireEnd waits for the worker's end, with an exit code.
func (p *process) requireEnd(code int) {
	p.t.Helper()
	select {
	case <-p.ended:
		require.Equal(p.t, code, p.cmd.ProcessState.ExitCode())
	case <-time.After(patience):
		require.Fail(p.t, "the worker does not end")
	}
}

// requireGone waits until there is no such process any more.
func requireGone(t *testing.T, pid int) {
	t.Helper()
	require.Eventually(t, func() bool {
		return errors.Is(socketstats.CheckProcess(int32(pid)), socketstats.ErrNoProcess)
	}, patience, 5*time.Millisecond, pid)
}

// patience is longer than anything here takes, also on a busy machine.
const patience = time.Minute

// silentServer is the order for a server that never answers.
var silentServer = worker.ServerOrder{
	Listen:    "127.0.0.1:0",
	Behaviour: scenario.Server{Name: "server", Protocol: scenario.DefaultProtocol}.With(server.NoResponseKey.Is(true)),
}

// clientOf is the order for a client of a server: so many requests at once.
func clientOf(addr string, requests int) worker.ClientOrder {
	return worker.ClientOrder{
		Code: "no-timeout", Side: scenario.Faulty, Arrivals: make([]time.Duration, requests),
		Target: loadgen.NewTarget(loadgen.At{Addr: addr}, scenario.Client{}, 1),
	}
}

func TestOrderThatCannotBeFollowedIsAnAnswer(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ worker, order, want string }{
		{"client", "no JSON", "order on standard input: invalid character"},
		{"server", `{"Listen": 5}`, "order on standard input: json: cannot unmarshal"},
		{"command", `[]`, "order on standard input: json: cannot unmarshal"},
		{"client", `{}`, "an order for a client names the code"},
		{"client", `{"Code": "of-tomorrow"}`, `no code for scenario "of-tomorrow"`},
		{"server", `{"Code": "of-tomorrow", "Listen": "127.0.0.1:0"}`, `no code for scenario "of-tomorrow"`},
		{"server", `{"Listen": "127.0.0.1:99999", "Behaviour": {"Protocol": "http"}}`, "invalid port"},
	} {
		t.Run(test.worker+" "+test.order, func(t *testing.T) {
			t.Parallel()
			p := start(t, test.worker, test.order)
			require.Contains(t, p.answer().Error, test.want)
			p.requireEnd(1)
		})
	}
}

func TestWorkerWithoutAnOrderEnds(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"server", "client", "command"} {
		var said worker.Answer
		out, err := func() ([]byte, error) {
			self, err := os.Executable()
			require.NoError(t, err)
			return exec.Command(self, name).Output() // standard input is empty
		}()
		require.Error(t, err, name)
		require.NoError(t, json.Unmarshal(out, &said))
		require.Equal(t, "no order on standard input: unexpected EOF", said.Error, name)
	}
}

// A client and a server do what their orders say, and nothing before.
func TestClientAndServerFollowTheirOrders(t *testing.T) {
	t.Parallel()
	order := silentServer
	order.Behaviour = scenario.Server{Name: "server", Protocol: scenario.DefaultProtocol}
	order.Upstreams = []scenario.Server{{Name: "other", Protocol: scenario.DefaultProtocol}}
	server := start(t, "server", with(t, order))
	listening := server.answer()
	require.NotEmpty(t, listening.Listening)
	require.Contains(t, listening.Endpoints.Upstreams, "other")
	require.False(t, listening.Endpoints.Relayed)

	client := start(t, "client", with(t, clientOf(listening.Listening, 3)))
	require.True(t, client.answer().Ready)
	server.command(worker.Report)
	before := server.answer()
	require.Zero(t, before.Served.Received, "a client that is ready waits")
	require.Len(t, before.Upstreams, 2)

	client.command(worker.Start)
	for finished := int64(0); finished < 3; {
		client.command(worker.Report)
		r := client.answer().Report
		require.False(t, r.Final)
		finished = r.Requests.Finished()
	}
	server.command(worker.Report)
	require.EqualValues(t, 3, server.answer().Upstreams["server"].Answered)

	client.command(worker.Finish)
	last := client.answer().Report
	require.True(t, last.Final)
	require.True(t, last.Done)
	require.EqualValues(t, 3, last.Requests.OK)
	client.requireEnd(0)
	server.command(worker.Stop)
	require.True(t, server.answer().Stopped)
	server.requireEnd(0)
}

// A worker ends with its parent-death pipe, whatever it is doing.
func TestWorkerEndsWithItsParentDeathPipe(t *testing.T) {
	t.Parallel()
	server := start(t, "server", with(t, silentServer))
	addr := server.answer().Listening
	waiting := start(t, "client", with(t, clientOf(addr, 1)))
	require.True(t, waiting.answer().Ready)
	busy := start(t, "client", with(t, clientOf(addr, 10)))
	require.True(t, busy.answer().Ready)
	busy.command(worker.Start)
	for received := int64(0); received < 10; {
		server.command(worker.Report)
		received = server.answer().Served.Received
	}
	for _, p := range []*process{waiting, busy, server} {
		require.NoError(t, p.in.Close())
		p.requireEnd(1)
	}
}

// lab starts a worker for each line of standard input, which holds its name and
// its order, and passes on the first answer with the process's id. It never ends
// by itself.
func lab() {
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var of struct{ Worker, Order, Then string }
		if in.Decode(&of) != nil {
			select {}
		}
		self, err := os.Executable()
		if err != nil {
			panic(err)
		}
		cmd := exec.Command(self, of.Worker)
		orders, err := cmd.StdinPipe()
		if err != nil {
			panic(err)
		}
		answers, err := cmd.StdoutPipe()
		if err != nil {
			panic(err)
		}
		if err := cmd.Start(); err != nil {
			panic(err)
		}
		fmt.Fprintf(orders, "%s\n%s\n", of.Order, of.Then)
		a, lines := worker.Answer{}, json.NewDecoder(answers)
		for first := true; first || of.Then != "" && a.Started == 0; first = false {
			if err := lines.Decode(&a); err != nil {
				panic(err)
			}
		}
		_ = out.Encode(started{cmd.Process.Pid, a})
	}
}

// started is a worker that the lab has started, with its newest answer.
type started struct {
	PID    int
	Answer worker.Answer
}

// workersOf starts a lab, and a worker of it for each order.
func workersOf(t *testing.T, orders ...map[string]string) (lab *exec.Cmd, workers []started) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	lab = exec.Command(self, "lab")
	lab.Stderr = os.Stderr
	in, err := lab.StdinPipe()
	require.NoError(t, err)
	out, err := lab.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, lab.Start())
	t.Cleanup(func() {
		_ = lab.Process.Kill()
		_ = lab.Wait()
	})
	for _, order := range orders {
		require.NoError(t, json.NewEncoder(in).Encode(order))
	}
	for lines := json.NewDecoder(out); len(workers) < len(orders); {
		var w started
		require.NoError(t, lines.Decode(&w))
		require.NoError(t, socketstats.CheckProcess(int32(w.PID)))
		workers = append(workers, w)
	}
	return lab, workers
}

func TestNoWorkerOutlivesALabThatIsKilled(t *testing.T) {
	t.Parallel()
	require.True(t, scenarios.Has("no-timeout"))
	lab, workers := workersOf(t,
		map[string]string{"Worker": "server", "Order": with(t, silentServer)},
		map[string]string{"Worker": "client", "Order": with(t, clientOf("127.0.0.1:9", 1))},
	)
	require.NotEmpty(t, workers[0].Answer.Listening)
	require.True(t, workers[1].Answer.Ready)
	require.NoError(t, lab.Process.Kill())
	for _, w := range workers {
		requireGone(t, w.PID)
	}
}
