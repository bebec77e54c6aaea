package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v3/mem"

	"socketlab/internal/worker/netns"
)

const (
	ourPort    = 8080
	othersPort = 9090
	// mostHolders bounds the processes that hold connections.
	mostHolders = 24
	// stageLimit is longer than any step takes: to hold 100,000 sockets and to
	// call each lister once takes some 20 s.
	stageLimit = 10 * time.Minute
)

// scene is how many connections there are, each of two sockets.
type scene struct {
	ours, others int
	each         int // connections of ours that one process holds; 0 is as many as it can
}

// String names the scene by its sockets, as a column's heading.
func (s scene) String() string {
	if s.others == 0 {
		return thousands(2*s.ours) + " sockets"
	}
	return fmt.Sprintf("%s sockets among %s others", thousands(2*s.ours), thousands(2*s.others))
}

// thousands writes 10000 as "10,000".
func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

// heldBy is how many connections one process can hold, both ends of each.
func heldBy() int { return max(mostConns()/2, 1) }

// perHolder is how many of our connections one process holds.
func (s scene) perHolder() int {
	if s.each == 0 {
		return heldBy()
	}
	return min(s.each, heldBy())
}

func holders(connections int) int { return (connections + heldBy() - 1) / heldBy() }

// obstacle says why this machine cannot hold a scene's sockets; "" if it can.
func (s scene) obstacle() string {
	const (
		perSocket = 10 << 10  // 6 KiB were used, by the kernel, the holders and the timer
		besides   = 256 << 20 // is left to everybody else
	)
	if n := holders(s.ours) + holders(s.others); n > mostHolders {
		return fmt.Sprintf("with its descriptor limit that would take %d processes, and at most %d are started; raise it with `ulimit -Hn`", n, mostHolders)
	}
	need := uint64(2*(s.ours+s.others)*perSocket + besides)
	if memory, err := mem.VirtualMemory(); err == nil && memory.Available < need {
		return fmt.Sprintf("that takes %d MiB of memory, with some to spare, and %d MiB are free", need>>20, memory.Available>>20)
	}
	return ""
}

// stage is a namespace in which a scene's sockets are held and counted.
type stage struct {
	space  *netns.Namespace
	there  census
	timer  *inside
	inside []*inside // all that were started
}

// inside is a process in the namespace. It ends when its input does.
type inside struct {
	*netns.Process
	in    *os.File
	out   *bufio.Reader
	pipes []io.Closer // this process's ends
}

// openStage holds the scene's sockets and warms the listers up. The caller
// closes the stage, which ends all of it; the end of ctx does, too.
func openStage(ctx context.Context, s scene) (*stage, error) {
	st, err := openHeld(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := st.startTimer(ctx); err != nil {
		st.close()
		return nil, fmt.Errorf("list %s: %w", s, err)
	}
	return st, nil
}

// openHeld is openStage without the listers.
func openHeld(ctx context.Context, s scene) (*stage, error) {
	command, err := self("worker-keep")
	if err != nil {
		return nil, err
	}
	supervisor := exec.Command(command[0], command[1:]...)
	supervisor.Stderr = os.Stderr
	space, err := netns.New(supervisor)
	if err != nil {
		return nil, err
	}
	st := &stage{space: space}
	if err := st.within(ctx, func() error { return st.hold(s) }); err != nil {
		st.close()
		return nil, fmt.Errorf("hold %s: %w", s, err)
	}
	return st, nil
}

func (st *stage) close() {
	_ = st.space.Close()
	for _, p := range st.inside {
		for _, c := range p.pipes {
			c.Close()
		}
	}
}

// within takes a step that waits for what is inside. When it takes too long,
// or ctx ends, all that is inside ends, and so do its outputs.
func (st *stage) within(ctx context.Context, step func() error) error {
	ctx, cancel := context.WithTimeout(ctx, stageLimit)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = st.space.Close() })()
	err := step()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// hold starts the holders and waits until all of them hold.
func (st *stage) hold(s scene) error {
	var all []*inside
	hold := func(connections, port, each int) (listeners int, err error) {
		for left := connections; left > 0; left -= each {
			// An address for each holder: between two addresses and one port
			// there are some 28,000 ephemeral ports.
			listeners++
			address := fmt.Sprintf("127.0.0.%d:%d", listeners, port)
			p, err := st.start("worker-hold", "-listen", address, "-connections", strconv.Itoa(min(left, each)))
			if err != nil {
				return 0, err
			}
			all = append(all, p)
		}
		return listeners, nil
	}
	ours, err := hold(s.ours, ourPort, s.perHolder())
	if err != nil {
		return err
	}
	others, err := hold(s.others, othersPort, heldBy())
	if err != nil {
		return err
	}
	for _, p := range all {
		if err := p.isReady(); err != nil {
			return err
		}
	}
	st.there = census{
		All:  2*(s.ours+s.others) + ours + others,
		Ours: 2*s.ours + ours, Served: s.ours + ours,
	}
	return nil
}

// start starts a worker of this program inside.
func (st *stage) start(worker string, args ...string) (*inside, error) {
	command, err := self(worker, args...)
	if err != nil {
		return nil, err
	}
	return st.startProgram(command)
}

func (st *stage) startProgram(command []string) (*inside, error) {
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirIn.Close()
	out, theirOut, err := os.Pipe()
	if err != nil {
		in.Close()
		return nil, err
	}
	defer theirOut.Close()
	p := &inside{in: in, out: bufio.NewReader(out), pipes: []io.Closer{in, out}}
	st.inside = append(st.inside, p)
	p.Process, err = st.space.Start(command, theirIn, theirOut, os.Stderr)
	return p, err
}

// isReady waits until a worker says so.
func (p *inside) isReady() error {
	line, err := p.out.ReadString('\n')
	if err != nil {
		return errors.Join(errors.New("a process inside ended early"), p.Wait())
	}
	if strings.TrimSpace(line) != ready {
		return fmt.Errorf("a process inside said %q", line)
	}
	return nil
}

// run times every lister once.
func (st *stage) run(ctx context.Context, run int) (map[string]timing, error) {
	var a timerAnswer
	err := st.within(ctx, func() error {
		if _, err := fmt.Fprintln(st.timer.in, run); err != nil {
			return err
		}
		return json.NewDecoder(st.timer.out).Decode(&a)
	})
	if err == nil && a.Error != "" {
		err = errors.New(a.Error)
	}
	endedCPU.Add(int64(a.CPU))
	return a.Timings, err
}
