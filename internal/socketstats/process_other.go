//go:build !linux

package socketstats

import "github.com/shirou/gopsutil/v3/process"

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
