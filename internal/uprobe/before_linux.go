package uprobe

import (
	"slices"

	"socketlab/internal/socketstats"
)

// Words of the runtime's types, the same from Go 1.21 to 1.27, in bytes.
const (
	stackTop     = 8  // stack.hi in a g; stack.lo is its first word
	savedStack   = 56 // sched.sp
	savedOwner   = 72 // sched.g, the address of the g itself
	bufferSource = 32 // the data word of rd in a bufio.Reader
)

// Bounds of what is read of a program to find the connections from before.
const (
	mostRoutines = 20_000
	mostStack    = 1024 // in words; readLoop is the first function of its goroutine
	mostSearches = 5    // for the same connections
)

// findBefore finds the persistConns of connections that were opened before the program was
// looked at and not used since, and enters them as objects without a stack. Each has a
// goroutine of its own in readLoop, whose stack has its address. lost are the inodes of
// the sockets of which nothing is known.
func (p *Prober) findBefore(lost map[uint32]bool, inodes map[int]uint32) {
	if len(lost) == 0 || p.readLoop == 0 || p.searches == mostSearches {
		return
	}
	p.searches++
	for _, g := range p.routines() {
		stack, callers := p.parked(g)
		in := slices.Index(callers, p.readLoop)
		if in < 0 {
			continue
		}
		// It waits for the first byte of a response, or for the end of a body.
		peeks := slices.Contains(callers[:in], p.peek)
		if !peeks && (in == 0 || callers[in-1] != p.selects) {
			continue
		}
		conn, found := outermost(stack, func(w uint64) bool { return p.memory.mayPoint(w) && p.isPersistConn(w) })
		if found && p.objects[conn] == nil {
			p.enterBefore(conn, peeks, lost, inodes)
		}
	}
}

// outermost finds the connection of a goroutine in readLoop among the words of its stack: its own
// is the last of them, the receiver of readLoop. What lies further in may be of a goroutine
// that had this stack before, and says nothing of what that connection does now.
func outermost(stack []uint64, isConn func(uint64) bool) (conn uint64, found bool) {
	for _, w := range slices.Backward(stack) {
		if isConn(w) {
			return w, true
		}
	}
	return 0, false
}

// enterBefore enters a persistConn if its socket is one of which nothing is known.
func (p *Prober) enterBefore(conn uint64, peeks bool, lost map[uint32]bool, inodes map[int]uint32) {
	words := p.memory.words(conn+uint64(p.layout.connOf), 2)
	if words == nil {
		return
	}
	from, _ := p.memory.pointee(words[0], words[1])
	netFD, fd, ok := p.memory.find(from)
	if !ok || !lost[inodes[fd]] {
		return
	}
	index := slices.IndexFunc(p.points, func(of point) bool { return of.kind == persistConn })
	h := &holding{use: use{point: index}, netFD: netFD, inode: inodes[fd], searched: true, before: true}
	h.words = [mostWords]uint64{words[0], words[1], p.memory.word(conn + uint64(p.layout.idleAt) + monotonic)}
	if peeks && p.memory.word(conn+uint64(p.layout.expected)) == 0 {
		h.words[2] = ^h.words[2] // it has been idle since its last use
	}
	p.objects[conn] = h
}

// parked returns the words of the stack of a goroutine that waits, and where the functions
// on it begin, the innermost first; nothing of one that does not wait.
func (p *Prober) parked(g uint64) (stack, callers []uint64) {
	const waiting, pointer = 4, 8
	l := p.layout
	head := p.memory.words(g, l.status/8+1)
	if head == nil || head[savedOwner/8] != g || uint32(head[l.status/8]) != waiting {
		return nil, nil
	}
	from, to := head[savedStack/8], head[stackTop/8]
	if from < head[0] || from >= to {
		return nil, nil
	}
	stack = p.memory.words(from, int(min(mostStack, (to-from)/pointer)))
	for frame := head[l.savedFrame/8]; frame >= from && frame%pointer == 0; {
		i := (frame - from) / pointer
		if i+1 >= uint64(len(stack)) {
			break
		}
		callers = append(callers, p.binary.Entry(stack[i+1]-p.bias))
		if stack[i] <= frame {
			break
		}
		frame = stack[i]
	}
	return stack, callers
}

// inodesOf are the inodes of the sockets that the program has a descriptor of.
func inodesOf(descriptors map[int]uint32) map[uint32]bool {
	here := map[uint32]bool{}
	for _, inode := range descriptors {
		here[inode] = true
	}
	return here
}

// listeningPorts are the ports at which the program listens.
func listeningPorts(inodes map[int]uint32, sockets []socketstats.Socket) map[uint16]bool {
	here, ports := inodesOf(inodes), map[uint16]bool{}
	for _, s := range sockets {
		if s.State == socketstats.Listen && here[s.Inode] {
			ports[s.Local.Port()] = true
		}
	}
	return ports
}

// lostOf are the inodes of the program's connections, those that it accepted left out,
// that no object is known to have.
func (p *Prober) lostOf(inodes map[int]uint32, sockets []socketstats.Socket, listening map[uint16]bool) map[uint32]bool {
	if !p.isGo() {
		return nil
	}
	lost, here := map[uint32]bool{}, inodesOf(inodes)
	for _, s := range sockets {
		if here[s.Inode] && s.State != socketstats.Listen && !listening[s.Local.Port()] {
			lost[s.Inode] = true
		}
	}
	for _, h := range p.objects {
		delete(lost, h.inode)
	}
	if len(lost) != p.unresolved {
		p.unresolved, p.searches = len(lost), 0
	}
	return lost
}

// isPersistConn reports whether an address is that of a persistConn: its bufio.Reader
// reads from itself.
func (p *Prober) isPersistConn(at uint64) bool {
	reader := p.memory.word(at + uint64(p.layout.br))
	return p.memory.mayPoint(reader) && p.memory.word(reader+bufferSource) == at
}

// routines are the addresses of the program's goroutines: runtime.allgs, which is found in
// the program's variables by what it has, as a stripped program has no symbols.
func (p *Prober) routines() []uint64 {
	if p.allgs == 0 {
		p.allgs = p.findRoutines()
	}
	return p.memory.routinesAt(p.allgs)
}

func (p *Prober) findRoutines() uint64 {
	const chunk = 1 << 13 // words
	for _, part := range p.binary.Variables() {
		for at := part.From + p.bias; at < part.To+p.bias; at += 8 * chunk {
			words := p.memory.words(at, int(min(chunk+2, (part.To+p.bias-at)/8))) // a slice may cross the end
			for i := 0; i+2 < len(words); i++ {
				if n := words[i+1]; n > 1 && n <= words[i+2] && words[i+2] < 1<<24 && p.memory.mayPoint(words[i]) &&
					len(p.memory.routinesAt(at+8*uint64(i))) > 0 {
					return at + 8*uint64(i)
				}
			}
		}
	}
	return 0
}

// routinesAt are the elements of a slice of goroutines; nil if it is another slice.
func (m addressSpace) routinesAt(slice uint64) []uint64 {
	const checked = 8
	head := m.words(slice, 2)
	if head == nil || head[1] == 0 {
		return nil
	}
	list := m.words(head[0], int(min(mostRoutines, head[1])))
	for _, g := range list[:min(checked, len(list))] {
		if !m.mayPoint(g) || m.word(g+savedOwner) != g || m.word(g) >= m.word(g+stackTop) {
			return nil
		}
	}
	return list
}
