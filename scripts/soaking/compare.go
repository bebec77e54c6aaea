//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// counts are sockets by end and state, such as "client ESTABLISHED".
type counts map[string]int

// ssStates are ss's names of the states that are not only written in another way.
var ssStates = map[string]string{"ESTAB": "ESTABLISHED", "UNCONN": "CLOSE", "FIN_WAIT_1": "FIN_WAIT1", "FIN_WAIT_2": "FIN_WAIT2"}

// listens is the server's end as record has it of the server itself.
const listens = "itself "

// ss is what ss says of the connections at a port.
func ss(ctx context.Context, port int) (counts, error) {
	out, err := exec.CommandContext(ctx, "ss", "-Htan", fmt.Sprintf("( sport = :%d or dport = :%d )", port, port)).Output()
	if err != nil {
		return nil, fmt.Errorf("ss: %w", err)
	}
	return parseSS(string(out), port), nil
}

func parseSS(out string, port int) counts {
	n := counts{}
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) < 5 || f[0] == "LISTEN" {
			continue
		}
		state := strings.ReplaceAll(f[0], "-", "_")
		if name := ssStates[state]; name != "" {
			state = name
		}
		if strings.HasSuffix(f[3], fmt.Sprintf(":%d", port)) {
			n["server "+state]++
			n[listens+state]++
		} else {
			n["client "+state]++
		}
	}
	return n
}

// between says what of n is neither what ss said before nor what it said after, nor between
// the two; "" where all is. Sockets in TIME_WAIT end meanwhile, each by its own timer.
func (n counts) between(before, after counts, end string) string {
	var wrong []string
	states := maps.Clone(n)
	maps.Copy(states, before)
	maps.Copy(states, after)
	for _, state := range slices.Sorted(maps.Keys(states)) {
		if !strings.HasPrefix(state, end) {
			continue
		}
		low, high := min(before[state], after[state]), max(before[state], after[state])
		if got := n[state]; got < low || got > high {
			wrong = append(wrong, fmt.Sprintf("%d %s, ss %d to %d", got, state, low, high))
		}
	}
	return strings.Join(wrong, "; ")
}

// momentCounts are those of a line of a recording; nil of a line without a sample.
func momentCounts(line string) *sample {
	type end struct{ Counts map[string]int }
	var event struct {
		Moment *struct {
			At       time.Duration `json:"at_ns"`
			Subjects []struct {
				ID             string
				Client, Server end
			}
		}
	}
	if json.Unmarshal([]byte(line), &event) != nil || event.Moment == nil {
		return nil
	}
	n := counts{}
	for _, s := range event.Moment.Subjects {
		ends := map[string]end{"client ": s.Client, "server ": s.Server}
		if strings.HasPrefix(s.ID, "server ") { // record has the server, too: the same once more
			ends = map[string]end{listens: s.Server}
		}
		for name, of := range ends {
			for state, sockets := range of.Counts {
				if state != "total" && state != "LISTEN" && sockets > 0 {
					n[name+state] += sockets
				}
			}
		}
	}
	return &sample{n, event.Moment.At}
}

var logged = regexp.MustCompile(`\b([A-Z][A-Z_0-9]+)=(\d+)`)

// loggedCounts are those of a line of slowserver's log; nil of another line.
func loggedCounts(line string) *sample {
	if !strings.Contains(line, "msg=sockets") {
		return nil
	}
	n := counts{}
	for _, m := range logged.FindAllStringSubmatch(line, -1) {
		if sockets, err := strconv.Atoi(m[2]); err == nil && m[1] != "LISTEN" && sockets > 0 {
			n["server "+m[1]] = sockets
		}
	}
	return &sample{counts: n}
}

var exported = regexp.MustCompile(`(?m)^socketlab_sockets\{([^}]*)\} (\S+)$`)

// exportedCounts are those of a scrape.
func exportedCounts(text string) counts {
	n := counts{}
	for _, m := range exported.FindAllStringSubmatch(text, -1) {
		label := map[string]string{}
		for pair := range strings.SplitSeq(m[1], ",") {
			name, value, _ := strings.Cut(pair, "=")
			label[name] = strings.Trim(value, `"`)
		}
		if sockets, err := strconv.ParseFloat(m[2], 64); err == nil && label["state"] != "LISTEN" && sockets > 0 {
			n[label["end"]+" "+label["state"]] += int(sockets)
		}
	}
	return n
}
