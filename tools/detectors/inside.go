package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime/pprof"
	"strconv"
	"strings"

	"go.uber.org/goleak"

	"socketlab/sockettest"
	"socketlab/tools/detectors/leaks"
)

// inside is what the detectors inside of a process see of its leaks.
type inside struct {
	Descriptors, Goleak, Sockettest, Profile int
}

// quickly leaks, says so, waits for a line, and then says what is seen inside.
func quickly(once func(leaks.Peer) error, peer leaks.Peer, stdin *bufio.Reader) error {
	sockets, goroutines, held := sockettest.IgnoreCurrent(), goleak.IgnoreCurrent(), descriptors()
	for range count {
		if err := once(peer); err != nil {
			return err
		}
	}
	see := inside{Descriptors: descriptors() - held}
	fmt.Println()
	if _, err := stdin.ReadBytes('\n'); err != nil {
		return err
	}
	// In this order: sockettest closes the idle connections of the default client, and the
	// profile collects garbage, which closes what nothing refers to.
	if err := goleak.Find(goroutines); err != nil {
		see.Goleak = strings.Count(err.Error(), " in state ")
	}
	if err := sockettest.Find(sockets); err != nil {
		see.Sockettest = number(`left (\d+) sockets? `, err.Error())
	}
	profile := pprof.Lookup("goroutineleak")
	if profile == nil {
		return errors.New("this Go has no goroutine leak profile: build with GOEXPERIMENT=goroutineleakprofile")
	}
	var text strings.Builder
	if err := profile.WriteTo(&text, 1); err != nil {
		return err
	}
	see.Profile = number(`^goroutineleak profile: total (\d+)`, text.String())
	return json.NewEncoder(os.Stdout).Encode(see)
}

// number is the one that a text has; -1 if it has none there.
func number(pattern, text string) int {
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		return -1
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// descriptors are how many sockets this process has a descriptor of.
func descriptors() (n int) {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		if to, _ := os.Readlink("/proc/self/fd/" + e.Name()); strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}
