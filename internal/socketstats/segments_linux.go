package socketstats

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
)

// segmentCounters are those of a network namespace that move when one of its TCP
// sockets opens, ends, sends or receives (RFC 4022; the row Tcp: of /proc/net/snmp).
type segmentCounters struct {
	opens   [2]int64 // ActiveOpens, PassiveOpens
	ends    [2]int64 // AttemptFails, EstabResets
	alive   int64    // CurrEstab: ESTABLISHED or CLOSE_WAIT now
	moved   [2]int64 // InSegs, OutSegs
	resends int64    // RetransSegs
}

// snmp reads segmentCounters again and again.
type snmp struct {
	file *os.File
	buf  [4 << 10]byte
}

// openSNMP opens the counters of the network namespace of a process; 0 is this one.
// They stay those of that namespace.
func openSNMP(pid int32) (*snmp, error) {
	path := "/proc/thread-self/net/snmp"
	if pid != 0 {
		path = procDir(pid) + "/net/snmp"
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the kernel's counters: %w", err)
	}
	return &snmp{file: f}, nil
}

var errSNMP = errors.New("the kernel's counters have another form")

func (s *snmp) read() (c segmentCounters, err error) {
	n, err := s.file.ReadAt(s.buf[:], 0)
	if n == 0 {
		return c, fmt.Errorf("read the kernel's counters: %w", err)
	}
	// The second row with this name has the values.
	row := []byte("\nTcp: ")
	text := s.buf[:n]
	for range 2 {
		i := bytes.Index(text, row)
		if i < 0 {
			return c, errSNMP
		}
		text = text[i+len(row):]
	}
	line, _, ok := bytes.Cut(text, []byte("\n"))
	if !ok {
		return c, errSNMP
	}
	const first = 4 // RtoAlgorithm, RtoMin, RtoMax and MaxConn come before
	into := [...]*int64{&c.opens[0], &c.opens[1], &c.ends[0], &c.ends[1], &c.alive, &c.moved[0], &c.moved[1], &c.resends}
	i := 0
	for field := range bytes.FieldsSeq(line) {
		if i >= first && i < first+len(into) {
			if *into[i-first], err = strconv.ParseInt(string(field), 10, 64); err != nil {
				return c, errSNMP
			}
		}
		i++
	}
	if i < first+len(into) {
		return c, errSNMP
	}
	return c, nil
}
