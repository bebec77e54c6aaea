package uprobe

import "socketlab/internal/callsite"

// kind is how a point's object leads to a socket, and what its state is.
type kind int

// The kinds, those first that say more of who holds a connection.
const (
	databaseConn kind = iota // *database/sql.driverConn
	stream                   // *http2.clientStream
	multiplexed              // *http2.ClientConn
	persistConn              // *net/http.persistConn
	pgxConn                  // *pgxpool.Conn
	redisConn                // *pool.Conn of go-redis
	hijacked                 // a net.Conn that a handler took over
	dialled                  // a net.Conn as dialled
	connecting               // *net.netFD, before connect(2)
	queued                   // *net/http.wantConn, a request that waits for a connection
	dialling                 // the same, once a connection is dialled for it
)

// point is a place in a program where it is decided who uses a connection.
type point struct {
	kind     kind
	function string
	// older, unless it is "", is what has the function's part in a version of the package
	// that has not got the function.
	older string
	// returns says that the probe is on the function's return instructions, and not on
	// its entry: uprobes of the kernel for returns (uretprobes) write to the stack, which
	// Go moves.
	returns bool
	// register is that of the arguments or results that has the object.
	register int
	// through are the offsets of words that lead to the object, each from what the one
	// before it points to.
	through []int
	// beside is added to the object's address, so that it is another object than that of
	// another point.
	beside int32
	// words are the offsets of words of the object to be kept, at most [mostWords].
	words []int
	// owner is the offset of the word of the object that has its pool's address; nil if it
	// has none.
	owner *int
}

// places are the addresses in a function where the point's probes are.
func (p *point) places(f callsite.Function) []uint64 {
	if p.returns {
		return f.Returns
	}
	return []uint64{f.Entry}
}

// layout are the offsets of fields in the types of Go's standard library, in bytes, as
// DWARF of each version has them; scripts/where checks them.
type layout struct {
	// Of a *persistConn. readLimit becomes less with each read.
	connOf, br, readLimit, idleAt, expected, closed int
	done                                            int // *clientStream
	streams                                         int // *ClientConn of net/http
	driverConn, inUse                               int // *driverConn
	status, savedFrame                              int // atomicstatus, and sched.bp, of a g
	failed                                          int // err of a *wantConn; 0 since Go 1.23, where delivered says all
}

func layoutOf(version string) layout {
	l := layout{connOf: 80, br: 104, readLimit: 160, idleAt: 184, expected: 224, closed: 232, done: 232, driverConn: 40, inUse: 72, status: 144, savedFrame: 104}
	for _, since := range []struct{ minor, streams int }{{21, 160}, {22, 152}, {23, 160}, {24, 176}, {26, 168}} {
		if callsite.AtLeast(version, since.minor) {
			l.streams = since.streams
		}
	}
	if !callsite.AtLeast(version, 23) {
		l.failed = 160
	}
	if callsite.AtLeast(version, 23) && !callsite.AtLeast(version, 25) {
		l.status = 152
	}
	if callsite.AtLeast(version, 25) {
		l.savedFrame = 96
	}
	if callsite.AtLeast(version, 26) {
		l.readLimit, l.idleAt, l.expected, l.closed = 168, 192, 232, 240
	}
	return l
}

const (
	// Of a *clientStream, in its bufPipe: the first goroutine that waits in a read of the
	// body, and the *dataBuffer in which it is. Of that: the first chunk's slice, and how
	// much of it was read.
	pipeWaiter, pipeBuffer = 88, 120
	chunks, chunkRead      = 0, 24
	// In a bufio.Reader: how much of its buffer was read.
	bufferRead = 40
	// The first word of a poll.FD has this bit while a goroutine is in a read.
	readLocked = 1 << 1

	responseBody   = 64 // Body in net/http.Response
	responseBody27 = 56 // and in net/http/internal/http2.ClientResponse, since Go 1.27
	dataWord       = 8  // of an interface
	monotonic      = 8  // the reading of the monotonic clock in a time.Time
	transportOf    = 16 // t in *persistConn
	poolOfPgx      = 8  // p in *pgxpool.Conn
	// Of a *wantConn: targetAddr in cm, addr in key, and done, which is pc until Go 1.22.
	targetAddr, keyAddr, delivered = 24, 80, 152
)

// points are those of a Go program. Which of the functions a program has says its table.
func (l layout) points() []point {
	list := []point{
		{kind: persistConn, function: "net/http.(*persistConn).roundTrip", words: []int{l.connOf, l.connOf + dataWord, l.idleAt + monotonic}, owner: new(transportOf)},
		// A request that is given an idle connection at once comes by neither of the two.
		{kind: queued, function: "net/http.(*Transport).queueForDial", register: 1, words: []int{targetAddr, keyAddr}},
		{kind: dialling, function: dialConnFor, register: 1, beside: 1},
		{kind: databaseConn, function: "database/sql.(*DB).conn", returns: true, words: []int{l.driverConn, l.driverConn + dataWord}, owner: new(0)},
		{kind: pgxConn, function: "github.com/jackc/pgx/v5/pgxpool.(*Pool).Acquire", returns: true, words: []int{0}, owner: new(poolOfPgx)},
		{kind: redisConn, function: "github.com/redis/go-redis/v9/internal/pool.(*ConnPool).Get", returns: true},
		{kind: hijacked, function: "net/http.(*response).Hijack", returns: true, register: 1},
		{kind: dialled, function: "net.(*Dialer).DialContext", returns: true, register: 1},
		{kind: dialled, function: "net.DialTCP", returns: true},
		{kind: connecting, function: "net.(*netFD).connect"},
	}
	for _, of := range []struct {
		conn string
		body int
	}{
		{"net/http.(*http2ClientConn)", responseBody},
		{"net/http/internal/http2.(*ClientConn)", responseBody27},
		{"golang.org/x/net/http2.(*ClientConn)", responseBody},
	} {
		p := point{
			kind: stream, function: of.conn + ".roundTrip", older: of.conn + ".RoundTrip", returns: true,
			through: []int{of.body + dataWord}, words: []int{0},
		}
		conn := p
		conn.kind, conn.through, conn.words = multiplexed, []int{of.body + dataWord, 0}, nil
		list = append(list, p, conn)
	}
	return list
}
