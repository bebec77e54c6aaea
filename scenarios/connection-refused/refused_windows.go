package connectionrefused

import "golang.org/x/sys/windows"

// errRefused is what a dial returns where nobody listens. It is not
// syscall.ECONNREFUSED, which no call returns on Windows.
const errRefused = windows.WSAECONNREFUSED
