package uprobe

import (
	"encoding/binary"
	"os"

	"socketlab/internal/socketstats"
)

// addressSpace is that of the process. The executable is from image to end.
type addressSpace struct {
	file       *os.File
	image, end uint64
}

func openMemory(pid int32) (addressSpace, error) {
	f, err := os.Open(socketstats.ProcDir(pid) + "/mem")
	return addressSpace{file: f}, err
}

// words reads so many words; nil if they cannot be read.
func (m addressSpace) words(at uint64, n int) []uint64 {
	if at == 0 || at>>47 != 0 {
		return nil
	}
	b := make([]byte, 8*n)
	if _, err := m.file.ReadAt(b, int64(at)); err != nil {
		return nil
	}
	words := make([]uint64, n)
	for i := range words {
		words[i] = binary.NativeEndian.Uint64(b[8*i:])
	}
	return words
}

// word reads one word; 0 if it cannot be read.
func (m addressSpace) word(at uint64) uint64 {
	if w := m.words(at, 1); w != nil {
		return w[0]
	}
	return 0
}

// flag reads one byte.
func (m addressSpace) flag(at uint64) bool { return m.word(at&^7)>>(8*(at&7))&0xff != 0 }

// The words of net.netFD, from Go 1.21 to 1.27.
const (
	fdSysfd     = 2
	fdFamily    = 7
	fdType      = 8
	fdNetLength = 11 // of "tcp", "tcp4" or "tcp6"
	fdRemote    = 15 // the data word of its remote address; a listener has none
	fdWords     = 12
)

// descriptor returns the descriptor of a TCP connection's net.netFD; false if there is
// none at this address.
func (m addressSpace) descriptor(at uint64) (int, bool) {
	if m.word(at+8*fdRemote) == 0 {
		return 0, false
	}
	return m.ofConnect(at)
}

// ofConnect returns the same while connect(2) goes on, too, when there is no remote
// address yet.
func (m addressSpace) ofConnect(at uint64) (int, bool) {
	const inet, inet6, streamSocket = 2, 10, 1
	w := m.words(at, fdWords)
	if w == nil || w[fdType] != streamSocket || w[fdFamily] != inet && w[fdFamily] != inet6 || w[fdSysfd] >= 1<<24 ||
		w[fdNetLength] != uint64(len("tcp")) && w[fdNetLength] != uint64(len("tcp4")) {
		return 0, false
	}
	return int(w[fdSysfd]), true
}

// inImage reports whether an address is in the executable, where Go has its types.
func (m addressSpace) inImage(at uint64) bool { return at >= m.image && at < m.end }

// mayPoint reports whether a word may be the address of an object that was allocated:
// since Go 1.26 the heap begins at a random address.
func (m addressSpace) mayPoint(word uint64) bool {
	return word >= 1<<16 && word>>47 == 0 && word%8 == 0 && !m.inImage(word)
}

// object is memory that may lead to a connection.
type object struct {
	at    uint64
	words int
	// sized says that so many words are the object's. What follows an object of unknown
	// size may be of others.
	sized bool
}

// Bounds of the search for a connection.
const (
	mostVisited = 2000
	mostLevels  = 6
	rawWords    = 24 // of an object whose size is not known
	typedWords  = 256
)

// pointee is what an interface points to. An interface's first word leads to the type of
// what is in it, or is that type if it is an empty interface, as in an atomic.Value; and the
// type, if it is a pointer, leads to the type that it points to (internal/abi, types ITab,
// Type and PtrType).
func (m addressSpace) pointee(table, data uint64) (object, bool) {
	const typeOfTable, elemOfType, pointerKind = 8, 48, 22
	if table%8 != 0 || !m.mayPoint(data) {
		return object{}, false
	}
	for _, of := range []uint64{m.word(table + typeOfTable), table} {
		if !m.inImage(of) {
			continue
		}
		head := m.words(of, elemOfType/8+1)
		if head == nil || head[0] != 8 || head[2]>>56&0x1f != pointerKind {
			continue
		}
		if size := m.word(head[elemOfType/8]); size > 0 && size <= 1<<16 {
			return object{data, min(typedWords, int((size+7)/8)), true}, true
		}
	}
	return object{}, false
}

// find looks for the nearest TCP connection that an object leads to, and returns the
// address of its net.netFD and its descriptor. Of an object that is a field of another
// one it looks at the fields in their order. It goes by interfaces, whose objects have a
// known size, and by other pointers only if these lead to none.
func (m addressSpace) find(from object) (at uint64, fd int, ok bool) {
	if at, fd, ok = m.search(from, false); ok {
		return at, fd, true
	}
	return m.search(from, true)
}

func (m addressSpace) search(from object, byPointers bool) (at uint64, fd int, ok bool) {
	seen := map[uint64]bool{}
	level := []object{from}
	for range mostLevels {
		var next []object
		for _, o := range level {
			if seen[o.at] {
				continue
			}
			if seen[o.at] = true; len(seen) > mostVisited {
				return 0, 0, false
			}
			words := m.words(o.at, o.words)
			for i, w := range words {
				if !m.mayPoint(w) {
					continue
				}
				if i == 0 || o.sized { // a *net.TCPConn points to a struct of this word alone
					if fd, ok := m.descriptor(w); ok {
						return w, fd, true
					}
				}
				if i > 0 {
					if typed, ok := m.pointee(words[i-1], w); ok {
						next = append(next, typed)
						continue
					}
				}
				if byPointers {
					next = append(next, object{at: w, words: rawWords})
				}
			}
		}
		level = next
	}
	return 0, 0, false
}
