package uprobe

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"socketlab/internal/socketstats"
	"socketlab/internal/where"
	"socketlab/internal/words"
)

// holding is an object of the program that holds a connection.
type holding struct {
	use
	// netFD is the address of its connection's net.netFD, and inode that of the socket; 0
	// while they are not known.
	netFD uint64
	inode uint32
	// before says that it was found without a use of it: nothing tells who used it last.
	before bool
	// searched says that its socket was looked for since its last use, and found or not.
	searched bool
	// progress changes whenever its response's body is read, and quiet is since when it has
	// not, by CLOCK_MONOTONIC; 0 of what has no body.
	progress [2]uint64
	quiet    uint64
	// over says that it waits for nothing any more.
	over bool
}

// see enters an object's last use, and looks for its socket if it has another one now.
func (p *Prober) see(key uint64, u use, inodes map[int]uint32) {
	h := p.objects[key]
	if h == nil {
		h = &holding{}
		p.objects[key] = h
	}
	if !p.isGo() {
		h.use = u // the key is the socket's cookie
		return
	}
	usedAgain := h.at != u.at
	switch p.points[u.point].kind {
	case queued, dialling: // they have no socket
		h.use, h.over = u, h.over && !usedAgain
		return
	case connecting:
		h.use, h.netFD = u, key
		fd, ok := p.memory.ofConnect(key)
		if ok && usedAgain {
			h.inode = p.inodeNow(key, fd, inodes)
		} else if !ok || h.inode != inodes[fd] {
			h.inode = 0
		}
		return
	default: // its socket is looked for
	}
	again := h.point == u.point && h.words == u.words || h.point == u.point && p.points[u.point].kind == persistConn && h.words[1] == u.words[1]
	h.use = u
	if again && h.inode != 0 {
		if fd, ok := p.memory.descriptor(h.netFD); ok {
			inode := inodes[fd]
			if usedAgain { // and inodes is older: another connection may have got the memory and the number since
				inode = p.inodeNow(h.netFD, fd, inodes)
			}
			if inode == h.inode {
				return
			}
		}
	}
	h.netFD, h.inode = 0, 0
	if !usedAgain && h.searched {
		return // its socket is gone, and its memory may be that of others by now
	}
	at, fd, ok := p.memory.find(p.connection(key, h))
	if !ok || p.gaveAway(key, h) == 1 && !p.leadsTo(h, at) {
		h.searched = true
		return
	}
	h.netFD, h.inode = at, p.inodeNow(at, fd, inodes)
	h.searched = true
}

// inodeNow is the inode of a net.netFD's socket; 0 if it was closed meanwhile. It enters it in
// inodes: these were read earlier, and the number may be that of another socket by now.
func (p *Prober) inodeNow(netFD uint64, fd int, inodes map[int]uint32) uint32 {
	inode := socketInode(p.descriptorsFolder() + strconv.Itoa(fd))
	if now, ok := p.memory.ofConnect(netFD); !ok || now != fd {
		return 0
	}
	if inode == 0 {
		delete(inodes, fd)
	} else {
		inodes[fd] = inode
	}
	return inode
}

// connection is where to look for an object's connection.
func (p *Prober) connection(key uint64, h *holding) object {
	typed := func(table, data uint64) object {
		o, _ := p.memory.pointee(table, data)
		return o
	}
	switch p.points[h.point].kind {
	case persistConn, databaseConn:
		return typed(h.words[0], h.words[1])
	case stream, multiplexed:
		const connOf = 8 // tconn in *http2.ClientConn
		conn := key
		if p.points[h.point].kind == stream {
			conn = h.words[0]
		}
		if w := p.memory.words(conn+connOf, 2); w != nil {
			return typed(w[0], w[1])
		}
		return object{}
	case pgxConn:
		// Each of the structs on the way has the next one as its first member: Conn,
		// puddle.Resource, connResource, pgx.Conn, pgconn.PgConn and its net.Conn.
		at := h.words[0]
		for range 3 {
			at = p.memory.word(at)
		}
		if w := p.memory.words(at, 2); w != nil {
			return typed(w[0], w[1])
		}
		return object{}
	case redisConn:
		return object{at: key, words: rawWords}
	case hijacked, dialled:
		return object{at: key, words: 1} // a *net.TCPConn
	default:
		return object{}
	}
}

var pools = map[kind]string{persistConn: "net/http", databaseConn: "database/sql", stream: "net/http, HTTP/2", multiplexed: "net/http, HTTP/2", pgxConn: "pgxpool", redisConn: "go-redis", queued: "net/http"}

// pool is the address of the pool that an object is of; 0 where it is not known.
func (p *Prober) pool(key uint64, h *holding) uint64 {
	switch p.points[h.point].kind { // t is the first field of a *ClientConn
	case stream:
		return p.memory.word(h.words[0])
	case multiplexed:
		return p.memory.word(key)
	default:
		return h.owner
	}
}

// report groups the connections of which the descriptors are given.
func (p *Prober) report(inodes map[int]uint32, sockets []socketstats.Socket) (*where.Report, error) {
	here := inodesOf(inodes)
	listening := listeningPorts(inodes, sockets)
	p.findBefore(p.lostOf(inodes, sockets, listening), inodes)
	holders := map[uint32]uint64{}
	streams := map[uint32][]uint64{}
	b := &builder{p: p, now: monotonicNow(), groups: map[string]*where.Group{}, pools: map[*where.Group]map[uint64]bool{}, unknown: map[unknown]*where.Unknown{}}
	p.dials = map[uint64][]uint64{}
	for key, h := range p.objects {
		if p.isGo() && p.points[h.point].kind == dialling {
			p.dials[h.routine] = append(p.dials[h.routine], key)
		}
	}
	for key, h := range p.objects {
		if p.isGo() && p.points[h.point].kind == queued && !h.over {
			if state := p.waits(key, h); state != "" {
				_ = b.enter(key, h, state, aRequest) // there is nothing to count of one without a line
			} else {
				h.over = true
			}
		}
		if h.inode == 0 || !here[h.inode] {
			continue
		}
		if p.isGo() && p.points[h.point].kind == stream {
			if p.state(key, h) == where.Idle {
				continue // its connection is an object of its own
			}
			streams[h.inode] = append(streams[h.inode], key)
		}
		before, taken := holders[h.inode]
		if !taken || p.says(key, before) {
			holders[h.inode] = key
		}
	}
	for _, s := range sockets {
		if !here[s.Inode] || s.State == socketstats.Listen {
			continue
		}
		key, ok := holders[s.Inode]
		if !p.isGo() {
			key, ok = s.Cookie, p.objects[s.Cookie] != nil
		}
		accepted := listening[s.Local.Port()]
		switch {
		case accepted && (!ok || !p.isGo() || p.points[p.objects[key].point].kind != hijacked):
			continue // the server holds it until the client closes it
		case !ok:
			b.count++
			b.unknownOne(p.notSeen(), "").Connections++
		default:
			b.count++
			b.add(key, s.State, streams[s.Inode])
		}
	}
	source := "uprobes"
	if !p.isGo() {
		source = "the stack at connect(2)"
	}
	r := &where.Report{Source: source, LookedMS: time.Since(p.began).Milliseconds(), Connections: b.count, Groups: []where.Group{}}
	for name, g := range b.groups {
		if of := b.groups[name+ofRequests]; of != nil { // they are waiting for these connections
			g.Requests = of.Requests
			delete(b.groups, name+ofRequests)
		}
	}
	for _, g := range b.groups {
		if pools := b.pools[g]; !pools[0] {
			g.Pools = len(pools)
		}
		r.Groups = append(r.Groups, *g)
	}
	r.Sort()
	unseen := false
	for _, u := range b.unknown {
		r.Unknown = append(r.Unknown, *u)
		unseen = unseen || u.Reason == p.notSeen()
	}
	if took := p.attaching; unseen && took >= longAttaching {
		r.Notes = append(r.Notes, fmt.Sprintf("It took %s until every call could be seen: what was opened in that time and not used since has no line.", words.Duration(took)))
	}
	slices.SortFunc(r.Unknown, func(a, b where.Unknown) int {
		return cmp.Or(cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.State, b.State))
	})
	lost, err := p.lost.Count()
	if err != nil {
		return nil, err
	}
	if lost > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("There were more than %d objects to look at: %d uses were not seen.", mostObjects, lost))
	}
	return r, nil
}

// longAttaching is worth to be said: many connections may be opened in it.
const longAttaching = 200 * time.Millisecond

// notSeen is the reason why nothing is known of a connection.
func (p *Prober) notSeen() string {
	if !p.isGo() {
		return "they were opened before it was looked at"
	}
	return "they were not used while it was looked at"
}

// says reports whether one object says more of who holds a connection than another. One
// that has given its connection away says the least: its memory may be that of others.
func (p *Prober) says(key, other uint64) bool {
	h, o := p.objects[key], p.objects[other]
	return cmp.Or(
		cmp.Compare(p.points[o.point].kind, p.points[h.point].kind),
		cmp.Compare(p.gaveAway(other, o), p.gaveAway(key, h)),
		cmp.Compare(h.at, o.at),
	) > 0
}

// gaveAway is 1 for an object of net/http that has closed without closing its socket.
func (p *Prober) gaveAway(key uint64, h *holding) int {
	if p.points[h.point].kind == persistConn && p.state(key, h) == where.TakenOver {
		return 1
	}
	return 0
}

// leadsTo reports whether the connection of a persistConn is that of a net.netFD, with
// nothing between them but TLS.
func (p *Prober) leadsTo(h *holding, netFD uint64) bool {
	m, conn := p.memory, h.words[1]
	return m.word(conn) == netFD || m.word(m.word(conn+8)) == netFD // a *net.TCPConn; a *tls.Conn, which has one as an interface
}

// builder makes the groups of a report.
type builder struct {
	p      *Prober
	now    uint64
	groups map[string]*where.Group
	// pools are the addresses of each group's pools; 0 is one that is not known.
	pools   map[*where.Group]map[uint64]bool
	unknown map[unknown]*where.Unknown
	count   int
}

// add enters a connection that an object holds, and the streams on it that are not
// finished.
func (b *builder) add(key uint64, of socketstats.State, streams []uint64) {
	h := b.p.objects[key]
	state := b.p.state(key, h)
	if of == socketstats.SynSent {
		state = where.Dialling
	}
	if len(streams) == 0 {
		if b.p.isGo() {
			b.p.noteReads(key, h, state, b.now)
		}
		switch {
		case h.before:
			u := b.unknownOne(b.p.notSeen(), state)
			u.Connections++
			if state != where.BodyOpen {
				return
			}
			quiet := b.quiet(h)
			if quiet >= where.LastingFor {
				u.Lasting++
			}
			if quiet >= where.UnreadFor {
				u.Unread++
			}
		case !b.enter(key, h, state, aConnection):
			b.unknownOne(b.p.noSite(h), "").Connections++
		}
		return
	}
	key, state = 0, "" // of the stream that is not read, and of those the newest one
	for _, s := range streams {
		of := b.p.objects[s]
		now := b.p.state(s, of)
		b.p.noteReads(s, of, now, b.now)
		_ = b.enter(s, of, now, aStream) // one without a line is on a connection that has one
		if key == 0 || cmp.Or(cmp.Compare(state, now), cmp.Compare(of.at, b.p.objects[key].at)) > 0 {
			key, state = s, now
		}
	}
	if h = b.p.objects[key]; !b.enter(key, h, state, besideStreams) {
		b.unknownOne(b.p.noSite(h), "").Connections++
	}
}

// unknown are the connections of which the same is known.
type unknown struct {
	reason string
	state  where.State
}

// unknownOne is what those are counted in of which no line is known, for a reason.
func (b *builder) unknownOne(reason string, state where.State) *where.Unknown {
	key := unknown{reason, state}
	if b.unknown[key] == nil {
		b.unknown[key] = &where.Unknown{Reason: reason, State: state}
	}
	return b.unknown[key]
}

// quiet is for how long nothing was read of the body of an object's response.
func (b *builder) quiet(h *holding) time.Duration {
	return time.Duration(b.now - min(b.now, h.quiet))
}

// entry is as what something is counted.
type entry int

const (
	aConnection entry = iota
	aStream
	besideStreams // a connection whose streams are counted, too
	aRequest      // one that waits
)

// ofRequests is the end of the name of a group of requests that wait.
const ofRequests = " requests"

// enter counts a connection, or a stream, in its group; false if it has no line.
func (b *builder) enter(key uint64, h *holding, state where.State, as entry) bool {
	frames, request := b.p.frames(h)
	pool, sites := "", own(frames, b.p.isGo())
	if b.p.isGo() {
		pool = pools[b.p.points[h.point].kind]
	}
	if request != 0 {
		pool = pools[queued]
		if b.p.waits(request, b.p.objects[request]) == where.Dialling {
			state = where.Dialling // and no more than that, or TLS's handshake goes on
		}
	}
	if len(sites) == 0 {
		return false
	}
	site := sites[0]
	name := fmt.Sprint(site, state, pool)
	if as == aRequest {
		name += ofRequests
	}
	g := b.groups[name]
	if g == nil {
		g = &where.Group{Site: site, State: state, Pool: pool}
		if b.p.options.Stacks {
			for _, f := range frames {
				g.Stack = append(g.Stack, where.Site(f))
			}
		}
		b.groups[name], b.pools[g] = g, map[uint64]bool{}
	}
	if pool != "" {
		b.pools[g][b.p.pool(key, h)] = true
	}
	if as != besideStreams && len(sites) > 1 {
		g.AddCaller(sites[1], 1)
	}
	quiet := time.Duration(0)
	if state == where.BodyOpen {
		quiet = b.quiet(h)
		if quiet >= where.UnreadFor && as != besideStreams {
			g.Unread++
		}
	}
	switch as {
	case aStream:
		g.Requests++
		return true
	case aRequest:
		g.Requests++
	default:
		g.Connections++
		if b.p.isGo() && b.p.points[h.point].kind == pgxConn { // pgxpool makes an object for each use
			break
		}
		g.Uses += h.count
	}
	age := time.Duration(b.now - min(b.now, h.at))
	g.OldestMS = max(g.OldestMS, age.Milliseconds())
	if state == where.BodyOpen {
		age = quiet
	}
	if age >= where.LastingFor {
		g.Lasting++
	}
	return true
}

// monotonicNow is the time as the probes have it.
func monotonicNow() uint64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return 0
	}
	return uint64(t.Nano())
}
