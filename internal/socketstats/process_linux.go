package socketstats

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"syscall"
)

func checkProcess(pid int32) error {
	// Reading, not only opening: a process that is already a zombie opens.
	f, err := os.Open("/proc/" + strconv.Itoa(int(pid)) + "/fd")
	if err == nil {
		_, err = f.Readdirnames(1)
		f.Close()
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrPermission):
		return ErrNotAllowed
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ESRCH):
		return ErrNoProcess
	default: // io.EOF: a process without descriptors
		return nil
	}
}
