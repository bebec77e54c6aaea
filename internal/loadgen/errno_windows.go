package loadgen

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// errnoNames are the errors of the socket calls that a client meets, under the
// names that they have elsewhere. Go's own ECONNRESET and its like are no errors
// of any call on Windows.
var errnoNames = map[syscall.Errno]string{
	windows.WSAECONNREFUSED:       "ECONNREFUSED",
	windows.WSAECONNRESET:         "ECONNRESET",
	windows.ERROR_NETNAME_DELETED: "ECONNRESET", // an overlapped read
	windows.WSAECONNABORTED:       "ECONNABORTED",
	windows.WSAESHUTDOWN:          "EPIPE",
	windows.WSAETIMEDOUT:          "ETIMEDOUT",
	windows.ERROR_SEM_TIMEOUT:     "ETIMEDOUT", // ConnectEx
	windows.WSAEHOSTUNREACH:       "EHOSTUNREACH",
	windows.WSAENETUNREACH:        "ENETUNREACH",
	windows.WSAEADDRNOTAVAIL:      "EADDRNOTAVAIL",
	windows.WSAEADDRINUSE:         "EADDRINUSE",
	windows.WSAEMFILE:             "EMFILE",
}
