//go:build !linux

package socketstats

import (
	"strconv"

	"github.com/shirou/gopsutil/v3/process"
)

func procDir(pid int32) string { return "/proc/" + strconv.Itoa(int(pid)) }

func checkProcess(pid int32) error {
	ok, err := process.PidExists(pid)
	if err != nil {
		return err
	}
	if !ok {
		return ErrNoProcess
	}
	return nil
}
