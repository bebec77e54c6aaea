package socketstats

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Counters are the kernel's counters of TCP events since its network namespace was
// made, by name, without those that are 0. CurrEstab alone is a gauge: the number
// of connections that are ESTABLISHED or CLOSE_WAIT now.
type Counters map[string]int64

// counterNames are the counters that are read: those of RFC 4022 (Tcp in
// /proc/net/snmp), and those of Linux's own (TcpExt in /proc/net/netstat, named in
// net/ipv4/proc.c) that are about how connections begin, wait and end.
var counterNames = []string{
	"ActiveOpens", "PassiveOpens", "AttemptFails", "EstabResets", "CurrEstab",
	"InSegs", "OutSegs", "RetransSegs", "InErrs", "OutRsts",

	"ListenOverflows", "ListenDrops", "TCPReqQFullDrop", "TCPReqQFullDoCookies",
	"SyncookiesSent", "SyncookiesRecv", "SyncookiesFailed", "EmbryonicRsts",
	"TW", "TWRecycled", "TWKilled", "PAWSEstab", "TCPTimeWaitOverflow",
	"DelayedACKs", "DelayedACKLocked", "DelayedACKLost", "TCPPureAcks",
	"TCPTimeouts", "TCPSynRetrans", "TCPLostRetransmit", "TCPFastRetrans", "TCPSlowStartRetrans",
	"TCPLossProbes", "TCPLossProbeRecovery", "TCPSpuriousRtxHostQueues",
	"TCPAbortOnData", "TCPAbortOnClose", "TCPAbortOnMemory", "TCPAbortOnTimeout", "TCPAbortOnLinger", "TCPAbortFailed",
	"TCPRcvQDrop", "TCPBacklogDrop", "TCPMemoryPressures", "RcvPruned",
	"TCPKeepAlive", "TCPAutoCorking", "TCPFromZeroWindowAdv", "TCPToZeroWindowAdv", "TCPWantZeroWindowAdv",
	"TCPDSACKRecv", "TCPChallengeACK", "TCPMigrateReqSuccess", "TCPMigrateReqFailure",
	"TCPDeferAcceptDrop", "TCPOFOQueue",
}

// IsCounter reports whether [ReadCounters] reads a counter with this name.
func IsCounter(name string) bool { return slices.Contains(counterNames, name) }

// ReadCounters reads the counters of the network namespace of one process, whose
// folder is proc, such as /proc/self. It works on Linux only.
func ReadCounters(proc string) (Counters, error) {
	all := Counters{}
	for _, file := range []struct{ name, row string }{{"/net/snmp", "Tcp:"}, {"/net/netstat", "TcpExt:"}} {
		f, err := os.Open(proc + file.name)
		if err != nil {
			return nil, fmt.Errorf("read the kernel's counters: %w", err)
		}
		err = all.read(f, file.row)
		_ = f.Close()
		if err != nil {
			return nil, fmt.Errorf("read the kernel's counters in %s: %w", f.Name(), err)
		}
	}
	return all, nil
}

// read adds the counters of the two rows that begin with this word: the first has
// the names, the second the values.
func (c Counters) read(r io.Reader, row string) error {
	var names []string
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 || fields[0] != row {
			continue
		}
		if names == nil {
			names = fields
			continue
		}
		if len(fields) != len(names) {
			return fmt.Errorf("%s has %d names and %d values", row, len(names)-1, len(fields)-1)
		}
		for i, name := range names[1:] {
			if !IsCounter(name) {
				continue
			}
			v, err := strconv.ParseInt(fields[i+1], 10, 64)
			if err != nil {
				return fmt.Errorf("%s %s is %q, which is no number", row, name, fields[i+1])
			}
			if v != 0 {
				c[name] = v
			}
		}
		return nil
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return fmt.Errorf("no rows of %s", row)
}
