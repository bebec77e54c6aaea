package bpf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernelTypes is the file with the kernel's description of its own types.
const kernelTypes = "/sys/kernel/btf/vmlinux"

// ErrNoType says that the kernel has no such type or member.
var ErrNoType = fmt.Errorf("this kernel has no such type: %w", errors.ErrUnsupported)

// typesHeader is what a description of types begins with: struct btf_header in
// include/uapi/linux/btf.h. Places are in bytes from the header's end.
type typesHeader struct {
	Magic                                        uint16
	Version, Flags                               uint8
	Size, TypesAt, TypesSize, NamesAt, NamesSize uint32
}

const (
	typesMagic      = 0xEB9F
	typesHeaderSize = 24
)

// Kinds of types. Each type is described by three words: its name, its kind with the
// number of its items, and its size or the type that it refers to. More follows by kind.
const (
	kindInt     = 1
	KindStruct  = 4
	kindUnion   = 5
	KindTypedef = 8
	// KindFunction is that of a function of the kernel.
	KindFunction = 12

	memberWords = 3 // name, type, offset
)

// How many words follow the first three: of the type, and of each of its items. Kinds
// without either are in neither list; 19 is the last kind (Documentation/bpf/btf.rst).
var (
	moreWords = [20]int{kindInt: 1, 3: 3, 14: 1, 17: 1}
	itemWords = [20]int{KindStruct: memberWords, kindUnion: memberWords, 6: 2, 13: 2, 15: 3, 19: 3}
)

// Types is a description of types (BTF). Who reads it closes it.
type Types struct {
	words  []uint32
	at     []uint32 // where in words a type begins, by its number; type 0 is void
	names  []byte
	mapped []byte // what Close unmaps; nil for none
}

// KernelTypes reads the types of this kernel. The error Is [errors.ErrUnsupported]
// if the kernel does not describe them.
func KernelTypes() (*Types, error) {
	f, err := os.Open(kernelTypes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("this kernel does not describe its types: %w (%w)", errors.ErrUnsupported, err)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	// They are 5 MB, of which little is read. Linux maps them from 6.16 on.
	mapped, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_PRIVATE)
	data := mapped
	if err != nil {
		if data, err = io.ReadAll(f); err != nil {
			return nil, err
		}
	}
	t, err := parseTypes(data)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", kernelTypes, err), unmap(mapped))
	}
	t.mapped = mapped
	return t, nil
}

// Close gives back the memory. No method may be called after it.
func (t *Types) Close() error { return unmap(t.mapped) }

func unmap(mapped []byte) error {
	if mapped == nil {
		return nil
	}
	return unix.Munmap(mapped)
}

// parseTypes takes a description apart. What it returns uses data.
func parseTypes(data []byte) (*Types, error) {
	var h typesHeader
	if _, err := binary.Decode(data, binary.NativeEndian, &h); err != nil || h.Magic != typesMagic {
		return nil, errors.New("this is no description of types")
	}
	part := func(at, size uint32) []byte {
		from := uint64(h.Size) + uint64(at)
		return data[min(from, uint64(len(data))):min(from+uint64(size), uint64(len(data)))]
	}
	t := &Types{at: []uint32{0}, names: part(h.NamesAt, h.NamesSize)}
	described := part(h.TypesAt, h.TypesSize)
	if len(described) < int(h.TypesSize) {
		return nil, fmt.Errorf("types: %w", io.ErrUnexpectedEOF)
	}
	if len(described) > 0 {
		first := unsafe.Pointer(&described[0])
		if uintptr(first)%4 != 0 {
			return nil, errors.New("types that are not at a multiple of four")
		}
		t.words = unsafe.Slice((*uint32)(first), len(described)/4)
	}
	const wordsOfAType = 5 // about
	t.at = slices.Grow(t.at, len(t.words)/wordsOfAType)
	for at := 0; at < len(t.words); {
		t.at = append(t.at, uint32(at))
		size := 3
		if at+size <= len(t.words) {
			kind, items := kindOf(t.words[at+1])
			if kind >= len(moreWords) {
				return nil, fmt.Errorf("type %d is of the unknown kind %d: %w", len(t.at)-1, kind, errors.ErrUnsupported)
			}
			size += moreWords[kind] + items*itemWords[kind]
		}
		if at += size; at > len(t.words) {
			return nil, errors.New("the last type is not complete")
		}
	}
	return t, nil
}

// kindOf takes a type's second word apart.
func kindOf(word uint32) (kind, items int) { return int(word >> 24 & 0x1f), int(word & 0xffff) }

// isNamed reports whether a name is this one; at is its place among the names.
func (t *Types) isNamed(at uint32, name string) bool {
	rest, ok := bytes.CutPrefix(t.names[min(int(at), len(t.names)):], []byte(name))
	return ok && len(rest) > 0 && rest[0] == 0
}

// Find returns the number of the type of this kind and name.
func (t *Types) Find(kind int, name string) (uint32, error) {
	for number := 1; number < len(t.at); number++ {
		d := t.words[t.at[number]:]
		if k, _ := kindOf(d[1]); k == kind && t.isNamed(d[0], name) {
			return uint32(number), nil
		}
	}
	return 0, fmt.Errorf("%s: %w", name, ErrNoType)
}

// member finds a member of a struct or union, also in nested ones without a name, as C
// does. offset is from the start of the struct, in bits.
func (t *Types) member(number uint32, name string) (of, offset uint32, ok bool) {
	for number > 0 && int(number) < len(t.at) {
		d := t.words[t.at[number]:]
		kind, items := kindOf(d[1])
		switch kind {
		case KindStruct, kindUnion:
			for i := range items {
				m := d[3+i*memberWords:]
				offset := m[2]
				if d[1]>>31 == 1 { // then the highest byte is the size of a bit field
					offset &= 1<<24 - 1
				}
				if t.isNamed(m[0], name) {
					return m[1], offset, true
				}
				if !t.isNamed(m[0], "") {
					continue
				}
				if of, inner, ok := t.member(m[1], name); ok {
					return of, offset + inner, true
				}
			}
			return 0, 0, false
		case KindTypedef, 9, 10, 11, 18: // another name, volatile, const, restrict, a tag
			number = d[2]
		default:
			return 0, 0, false
		}
	}
	return 0, 0, false
}

// Offset returns the offset in bytes of a member of a struct, given by the path of members
// to it. The error Is [errors.ErrUnsupported] if there is no such member.
func (t *Types) Offset(name string, path ...string) (int16, error) {
	within, err := t.Find(KindStruct, name)
	if err != nil {
		return 0, fmt.Errorf("struct %w", err)
	}
	bits := uint32(0)
	for _, name := range path {
		of, offset, ok := t.member(within, name)
		if !ok {
			return 0, fmt.Errorf("member %v: %w", path, ErrNoType)
		}
		within, bits = of, bits+offset
	}
	if bits/8 > math.MaxInt16 {
		return 0, fmt.Errorf("struct %s has %v at %d, which is too far", name, path, bits/8)
	}
	return int16(bits / 8), nil
}

// NewTypes are types of our own. The first name must be "", that of what has none.
type NewTypes struct {
	Words []uint32
	names []byte
}

// Name adds a name, and returns its place.
func (t *NewTypes) Name(name string) uint32 {
	at := len(t.names)
	t.names = append(append(t.names, name...), 0)
	return uint32(at)
}

// Integer describes an integer; encoding is 1<<24 if it is signed.
func (t *NewTypes) Integer(name string, size, encoding uint32) {
	t.Words = append(t.Words, t.Name(name), kindInt<<24, size, encoding|size*8)
}

// Description encodes the types as the kernel takes them.
func (t *NewTypes) Description() []byte {
	h := typesHeader{
		Magic: typesMagic, Version: 1, Size: typesHeaderSize,
		TypesSize: uint32(len(t.Words) * 4), NamesAt: uint32(len(t.Words) * 4), NamesSize: uint32(len(t.names)),
	}
	var text bytes.Buffer
	for _, part := range []any{h, t.Words, t.names} {
		if err := binary.Write(&text, binary.NativeEndian, part); err != nil {
			panic(err) // all parts are of fixed size, and a buffer takes everything
		}
	}
	return text.Bytes()
}
