package sockettest

import (
	"os"
	"strconv"
	"strings"
)

// inodesOf finds the socket on which a goroutine waits. The kernel tells for each
// descriptor in an epoll set its inode, and what the program gave it to remember
// (/proc/PID/fdinfo, man 5 proc). Go's runtime gives it the address of a poll
// descriptor, the same that stands in a goroutine's stack, with a tag in the
// lower bits.
//
// What is not found is left out.
func inodesOf(readers []reader) map[uint64]uint32 {
	byAddress := map[uint64]uint64{} // without the bits that are 0
	for _, r := range readers {
		if r.poll != 0 {
			byAddress[r.poll>>pollAlign] = r.poll
		}
	}
	inodes := map[uint64]uint32{}
	dir, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return inodes
	}
	for _, fd := range dir {
		if link, _ := os.Readlink("/proc/self/fd/" + fd.Name()); link != "anon_inode:[eventpoll]" {
			continue
		}
		info, err := os.ReadFile("/proc/self/fdinfo/" + fd.Name())
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(info)) {
			data, inode, ok := parseTarget(line)
			if !ok {
				continue
			}
			for _, shift := range pollShifts {
				if at, ok := byAddress[data>>(shift+pollAlign)]; ok {
					inodes[at] = inode
				}
			}
		}
	}
	return inodes
}

// How Go 1.26 packs an address (runtime/tagptr_64bit.go and tagptr_32bit.go): it
// is a multiple of 512, and shifted to the left by 15 bits, on riscv64 by 8, and
// on 32-bit systems by 32.
const pollAlign = 9

var pollShifts = []uint{15, 8, 32}

// parseTarget reads a line "tfd: 5 events: 19 data: 3fd6b9 pos:0 ino:4b96 sdev:9".
// data, inode and device are in hexadecimal.
func parseTarget(line string) (data uint64, inode uint32, ok bool) {
	if !strings.HasPrefix(line, "tfd:") {
		return 0, 0, false
	}
	fields := strings.Fields(line)
	for i, f := range fields {
		if f == "data:" && i+1 < len(fields) {
			data, _ = strconv.ParseUint(fields[i+1], 16, 64)
		}
		if hex, is := strings.CutPrefix(f, "ino:"); is {
			n, err := strconv.ParseUint(hex, 16, 32)
			inode, ok = uint32(n), err == nil
		}
	}
	return data, inode, ok && data != 0
}
