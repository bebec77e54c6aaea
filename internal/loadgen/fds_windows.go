package loadgen

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

var getProcessHandleCount = windows.NewLazySystemDLL("kernel32.dll").NewProc("GetProcessHandleCount")

// countFDs counts handles, of files, sockets, threads and whatever else: Windows
// has no descriptors. It returns 0 where the system does not count them, as Wine
// 8.0 does not.
func countFDs() int {
	var n uint32
	if ok, _, _ := getProcessHandleCount.Call(uintptr(windows.CurrentProcess()), uintptr(unsafe.Pointer(&n))); ok == 0 {
		return 0
	}
	return int(n)
}
