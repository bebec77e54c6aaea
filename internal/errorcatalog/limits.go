package errorcatalog

// limits are the errors of this machine.
var limits = []Entry{
	{
		Name:    "EMFILE",
		Aliases: []string{"too many open files"},
		Title:   "this process has no descriptor left",
		Means:   "Each socket, also an idle one, holds a descriptor, and the process has as many as RLIMIT_NOFILE allows. Go raises its soft limit to the hard one at start. A server meets it in accept, a client in socket, and then files and lookups fail too.",
		Chains: []Chain{
			{When: "from a dial", Errors: "*net.OpError -> *os.SyscallError -> syscall.EMFILE"},
			{When: "from http.Client", Errors: "*url.Error -> *net.OpError -> *os.SyscallError -> syscall.EMFILE"},
			{When: "from accept", Errors: "*net.OpError -> *os.SyscallError -> syscall.EMFILE"},
		},
		Test:      "errors.Is(err, syscall.EMFILE)",
		Here:      "none for this attempt; all the others, mostly idle ESTABLISHED or CLOSE_WAIT",
		There:     "none for a dial. Where the server is out of descriptors: the client's is ESTABLISHED, in an accept queue that nobody empties",
		After:     "Nothing gets better until something is closed.",
		Worse:     "Raising the limit of a leak, which only delays it; an accept loop that retries without a pause and burns a core.",
		Better:    "Find what holds them (sockwatch watch --pid), close it; cap the pool (MaxConnsPerHost) and the server's connections; in accept loops pause, as net/http does (5 ms to 1 s).",
		Sources:   []string{"getrlimit(2) RLIMIT_NOFILE", "Linux fs/file.c alloc_fd", "Go syscall/rlimit.go", "Go net/http/server.go Serve"},
		Scenarios: []string{"error-body-not-closed", "timeout-churn", "no-timeout"},
	},
	{
		Name:    "ENFILE",
		Aliases: []string{"too many open files in system", "file table overflow"},
		Title:   "the whole machine has no descriptor left",
		Means:   "All processes together hold fs.file-max open files. Rare on today's machines, whose limit is set by memory and often unbounded; root is let past it.",
		Chains: []Chain{
			{When: "from a dial", Errors: "*net.OpError -> *os.SyscallError -> syscall.ENFILE"},
		},
		Test:      "errors.Is(err, syscall.ENFILE)",
		Here:      "none for this attempt",
		There:     "none",
		After:     "Nothing gets better until some process closes something.",
		Worse:     "Restarting this program, which may have nothing to do with it.",
		Better:    "See /proc/sys/fs/file-nr and who holds them; alert long before; raise fs.file-max.",
		Sources:   []string{"proc_sys_fs(5) file-max", "Linux fs/file_table.c alloc_empty_file"},
		Scenarios: nil,
	},
}
