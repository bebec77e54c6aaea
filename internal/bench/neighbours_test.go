package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/process"
)

const (
	// neighbourLimit is how much of one core other programs may take during a
	// measurement. The kernel's own threads, which work for us, take a few
	// hundredths.
	neighbourLimit = 0.15
	// patience is the time spent, in all, on waiting for a quieter machine
	// and on measurements that are not used. After it everything counts.
	patience = 5 * time.Minute
)

// neighbours is what other programs on this machine did to the measurements.
// The rule looks at them only, never at a result.
type neighbours struct {
	progress  io.Writer
	lost      time.Duration // of the patience
	discarded int
	disturbed int // kept, for want of patience
}

// undisturbed returns the result of a measurement during which other programs
// took little of the processor.
func undisturbed[T any](ctx context.Context, n *neighbours, what string, measure func() (T, error)) (T, error) {
	for {
		fmt.Fprintf(n.progress, "bench: %s\n", what)
		before := readUsage()
		result, err := measure()
		if err != nil {
			return result, fmt.Errorf("%s: %w", what, err)
		}
		after := readUsage()
		others := after.others(before)
		if others <= neighbourLimit {
			return result, nil
		}
		n.lost += after.at.Sub(before.at)
		if n.lost >= patience {
			n.disturbed++
			return result, nil
		}
		n.discarded++
		fmt.Fprintf(n.progress, "bench: other programs took %.2f cores: again, once they are done\n", others)
		if err := n.wait(ctx); err != nil {
			return result, err
		}
	}
}

// wait waits until others were quiet for a second.
func (n *neighbours) wait(ctx context.Context) error {
	for n.lost < patience {
		before := readUsage()
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
		n.lost += time.Second
		if readUsage().others(before) <= neighbourLimit {
			break
		}
	}
	return nil
}

// text is a line for the document, or "".
func (n *neighbours) text() string {
	if n.discarded+n.disturbed == 0 {
		return ""
	}
	return fmt.Sprintf("other programs took more than %g cores during some measurements: %d were discarded and repeated, %d kept all the same",
		neighbourLimit, n.discarded, n.disturbed)
}

// endedCPU is the processor time of the children that have ended.
var endedCPU atomic.Int64

// cpuUsage is processor time up to a moment.
type cpuUsage struct {
	at        time.Time
	all, ours float64 // seconds
}

// readUsage reads the usage of the machine, and of this process and the
// children that it has ended. Where the system does not tell, all are as idle.
func readUsage() cpuUsage {
	u := cpuUsage{at: time.Now()}
	p := process.Process{Pid: int32(os.Getpid())}
	own, err := p.Times()
	if err != nil {
		return u
	}
	all, err := cpu.Times(false)
	if err != nil || len(all) == 0 {
		return u
	}
	t := all[0]
	u.all = t.User + t.System + t.Nice + t.Irq + t.Softirq + t.Steal
	u.ours = own.User + own.System + time.Duration(endedCPU.Load()).Seconds()
	return u
}

// others is how many cores other programs, and other machines on the same
// host, took between two readings.
func (u cpuUsage) others(since cpuUsage) float64 {
	return ((u.all - since.all) - (u.ours - since.ours)) / u.at.Sub(since.at).Seconds()
}
