package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"socketlab/internal/worker/netns"
)

// measureOwners measures the first count of sockets with their owners, as root.
func measureOwners(ctx context.Context, o options, n *neighbours) (table, error) {
	const first = diagPortOwners + firstCall
	t := table{title: "The first count with owners, as root", columns: []string{"Sockdiag", ssPortOwners}, how: `One process holds 10,000 idle sockets, both ends of 5,000 connections to our port. Another, as root, lists
them with the processes that have them, and has met none of them before. It reads the
descriptors by a BPF iterator, as sockwatch does with privilege. Without privilege, when it reads each
descriptor's link, is in the table above.`}
	if os.Geteuid() != 0 {
		t.limits = []string{"Not measured: it needs root."}
		return t, nil
	}
	fmt.Fprintf(n.progress, "bench: hold %s\n", tenThousand)
	st, err := openHeld(ctx, tenThousand)
	if errors.Is(err, netns.ErrForbidden) {
		return table{title: t.title, how: countingNeeds, limits: []string{"Nothing was measured: " + err.Error() + "."}}, nil
	}
	if err != nil {
		return t, err
	}
	defer st.close()
	var ours, ss figures
	for run := range o.runs {
		what := fmt.Sprintf("count with owners, run %d of %d", run+1, o.runs)
		got, err := undisturbed(ctx, n, what, func() (map[string]timing, error) { return st.runAsRoot(ctx, run, first, ssPortOwners) })
		if err != nil {
			return t, err
		}
		ours, ss = append(ours, got[first].Millis), append(ss, got[ssPortOwners].Millis)
	}
	t.rows = []row{
		{"10,000 sockets, ms", 1, []figures{ours, ss}, nil},
		{"the same against `ss`", 2, []figures{ours.over(ss), nil}, atMost(0.2, ours.over(ss).median())},
	}
	return t, nil
}

// runAsRoot calls some listers in the stage's network namespace with the privilege of this
// process.
func (st *stage) runAsRoot(ctx context.Context, run int, listers ...string) (map[string]timing, error) {
	command, err := self("worker-time", append(st.timerArgs(), "-only", strings.Join(listers, "|"))...)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "nsenter", st.enter(command)...)
	cmd.SysProcAttr, cmd.Stdin = diesWithUs(), strings.NewReader(strconv.Itoa(run)+"\n")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list as root: %w", err)
	}
	count(cmd.ProcessState)
	var answer timerAnswer
	if err := json.Unmarshal(bytes.TrimPrefix(out, []byte(ready+"\n")), &answer); err != nil {
		return nil, fmt.Errorf("list as root: %w", err)
	}
	if answer.Error != "" {
		return nil, fmt.Errorf("list as root: %s", answer.Error)
	}
	return answer.Timings, nil
}
