package socketstats

// The kinds of open descriptors.
const (
	// KindTCP is a TCP socket with a row in the kernel's table that does not listen,
	// or one that was opened after the newest list; KindTCPListen listens.
	KindTCP       = "tcp"
	KindTCPListen = "tcp_listen"
	// KindTCPClosed is a TCP socket without a row: it was reset, refused, shut down
	// both ways, or never connected.
	KindTCPClosed  = "tcp_closed"
	KindMPTCP      = "mptcp"
	KindUDP        = "udp"
	KindUnix       = "unix"
	KindUnixListen = "unix_listen"
	KindRaw        = "raw"
	KindPacket     = "packet"
	KindNetlink    = "netlink"
	// KindSocketOther is a socket of another protocol, or of one that could not be read.
	KindSocketOther = "socket_other"
	KindPipe        = "pipe"
	// KindFile is whatever has a path: a file, a folder, a device.
	KindFile    = "file"
	KindEventfd = "eventfd"
	KindEpoll   = "epoll"
	KindTimerfd = "timerfd"
	KindInotify = "inotify"
	// KindMemfd is memory without a path (memfd_create).
	KindMemfd    = "memfd"
	KindSignalfd = "signalfd"
	KindPidfd    = "pidfd"
	KindOther    = "other"
)

// Kinds lists the kinds of descriptors in the order in which they are shown.
func Kinds() []string {
	return []string{
		KindTCP, KindTCPListen, KindTCPClosed, KindMPTCP, KindUDP, KindUnix, KindUnixListen, KindRaw, KindPacket, KindNetlink,
		KindSocketOther, KindPipe, KindFile, KindEventfd, KindEpoll, KindTimerfd, KindInotify, KindMemfd, KindSignalfd, KindPidfd, KindOther,
	}
}
