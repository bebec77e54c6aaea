// Package callsite reads which functions and lines the code of an executable has, also of
// one that is stripped: for Go from the table that every Go program carries, with inlined
// calls; for others from symbols and DWARF, where these are there.
//
// Addresses are those of the file. A position-independent program runs at others:
// [Binary.Bias] says by how much they differ.
package callsite

import (
	"bytes"
	"cmp"
	"debug/buildinfo"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
)

// Frame is a function that code is in, and the line.
type Frame struct {
	Function, File string
	Line           int
}

// Binary is an executable. Close it. It is safe for use by several goroutines.
type Binary struct {
	// Go is the version of Go that it was built with, such as "go1.26.8"; "" of a program
	// that is not Go's.
	Go string

	file    *elf.File
	table   *pclntab
	symbols *symbols
}

// Open reads an executable. The error Is [errors.ErrUnsupported] if it is for a machine
// or in a form that is not read.
func Open(path string) (*Binary, error) {
	file, err := elf.Open(path)
	var format *elf.FormatError
	if errors.As(err, &format) {
		return nil, fmt.Errorf("%s is no ELF file: %w", path, errors.ErrUnsupported)
	}
	if err != nil {
		return nil, err
	}
	b := &Binary{file: file}
	if info, err := os.Stat(path); err != nil || overlap(file, info.Size()) {
		return nil, errors.Join(fmt.Errorf("%s has sections that are not in it: %w", path, cmp.Or(err, errors.ErrUnsupported)), file.Close())
	}
	if file.Class != elf.ELFCLASS64 || file.Data != elf.ELFDATA2LSB {
		return nil, errors.Join(fmt.Errorf("%s is for %v: %w", path, file.Machine, errors.ErrUnsupported), file.Close())
	}
	if info, err := buildinfo.ReadFile(path); err == nil {
		b.Go, _, _ = strings.Cut(info.GoVersion, " ")
		if b.table, err = b.readTable(); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", path, err), file.Close())
		}
		return b, nil
	}
	b.symbols = readSymbols(file)
	return b, nil
}

// Close closes the file.
func (b *Binary) Close() error { return b.file.Close() }

// Machine is the processor that it is for.
func (b *Binary) Machine() elf.Machine { return b.file.Machine }

// overlap reports whether the sections of a file are much larger than the file, so that reading
// each would take more time and memory than reading the file.
func overlap(file *elf.File, size int64) bool {
	sum, most := uint64(0), 2*uint64(size)
	for _, s := range file.Sections {
		if s.Type == elf.SHT_NULL || s.Type == elf.SHT_NOBITS {
			continue
		}
		if sum += min(s.FileSize, most+1); sum > most {
			return true
		}
	}
	return false
}

// content returns the data of a section as the file has it; nil if it has none, or it is
// compressed.
func content(s *elf.Section) []byte {
	if s.Type == elf.SHT_NULL || s.Type == elf.SHT_NOBITS || s.ReaderAt == nil {
		return nil
	}
	data := make([]byte, s.FileSize)
	if _, err := s.ReadAt(data, 0); err != nil {
		return nil
	}
	return data
}

// section returns the data of a section that is loaded; nil if it has none in the file.
func section(s *elf.Section) []byte {
	if s.Flags&elf.SHF_ALLOC == 0 {
		return nil
	}
	return content(s)
}

// mostTables is how many tables are tried that have the form of one: programs have others in them.
const mostTables = 64

// readTable finds the table of functions: in its section or, where the linker has put it
// into another one, by its first bytes.
func (b *Binary) readTable() (*pclntab, error) {
	tried, relocated, writable := 0, b.relocations(), b.writable()
	first := binary.LittleEndian.AppendUint32(nil, pclntabMagic)
	for _, named := range []bool{true, false} {
		for _, s := range b.file.Sections {
			if (s.Name == ".gopclntab") != named {
				continue
			}
			data := section(s)
			for from := 0; ; from++ {
				i := bytes.Index(data[from:], first)
				if i < 0 || named && i > 0 {
					break
				}
				from += i
				t, err := parseTable(data[from:])
				if err == nil {
					err = b.readModule(t, s.Addr+uint64(from), relocated, writable)
					tried++
				}
				if err == nil {
					return t, nil
				}
				if named || tried == mostTables {
					return nil, err
				}
			}
		}
	}
	return nil, errNoTable
}

// Offsets in the runtime's description of the program: runtime/symtab.go, type
// moduledata. That of the functions' data is by version.
const (
	moduleMinPC  = 160
	moduleText   = 176
	moduleFunc   = 320
	moduleFunc27 = 344
)

// readModule finds the runtime's description of the program, which begins with the address
// of the table, and takes from it where code and the functions' data begin.
func (b *Binary) readModule(t *pclntab, table uint64, relocated map[uint64]uint64, writable map[uint64][]byte) error {
	word := func(at uint64) uint64 {
		if v, ok := relocated[at]; ok {
			return v
		}
		var w [8]byte
		if !b.read(at, w[:]) {
			return 0
		}
		return binary.LittleEndian.Uint64(w[:])
	}
	gofunc := uint64(moduleFunc)
	if AtLeast(b.Go, 27) {
		gofunc = moduleFunc27
	}
	try := func(at uint64) bool {
		text := word(at + moduleText)
		if t.text = text; text == 0 || word(at+moduleMinPC) != text+uint64(u32(t.funcs, 0)) {
			return false
		}
		data := word(at + gofunc)
		t.inlineTrees = func(offset uint32, size int) []byte {
			part := make([]byte, size)
			if !b.read(data+uint64(offset), part) {
				return nil
			}
			return part
		}
		return data != 0
	}
	for at, value := range relocated {
		if value == table && try(at) {
			return nil
		}
	}
	wanted := binary.LittleEndian.AppendUint64(nil, table)
	for address, data := range writable {
		for from := 0; ; from++ {
			i := bytes.Index(data[from:], wanted)
			if i < 0 {
				break
			}
			if from += i; try(address + uint64(from)) {
				return nil
			}
		}
	}
	return errors.New("the runtime's description of the program was not found")
}

// writable are the sections with data that the program may write to, by their addresses.
func (b *Binary) writable() map[uint64][]byte {
	list := map[uint64][]byte{}
	for _, s := range b.file.Sections {
		if s.Flags&elf.SHF_WRITE == 0 {
			continue
		}
		if data := section(s); len(data) > 0 { // those without may have the address of another
			list[s.Addr] = data
		}
	}
	return list
}

// relocations are the words of a position-independent program that its loader adds the
// program's address to, as they are before that.
func (b *Binary) relocations() map[uint64]uint64 {
	s := b.file.Section(".rela.dyn")
	if s == nil || b.file.Type != elf.ET_DYN {
		return nil
	}
	relative := uint32(elf.R_X86_64_RELATIVE)
	if b.file.Machine == elf.EM_AARCH64 {
		relative = uint32(elf.R_AARCH64_RELATIVE)
	}
	values := map[uint64]uint64{}
	const size = 24
	for data := section(s); len(data) >= size; data = data[size:] {
		at, info, value := binary.LittleEndian.Uint64(data), binary.LittleEndian.Uint64(data[8:]), binary.LittleEndian.Uint64(data[16:])
		if uint32(info) == relative {
			values[at] = value
		}
	}
	return values
}

// read reads what the file has at an address.
func (b *Binary) read(at uint64, into []byte) bool {
	for _, p := range b.file.Progs {
		if p.Type == elf.PT_LOAD && at >= p.Vaddr && at+uint64(len(into)) <= p.Vaddr+p.Filesz {
			_, err := p.ReadAt(into, int64(at-p.Vaddr))
			return err == nil
		}
	}
	return false
}

// Image is from which address to which the executable is loaded.
func (b *Binary) Image() (from, to uint64) {
	from = 1<<64 - 1
	for _, p := range b.file.Progs {
		if p.Type == elf.PT_LOAD {
			from, to = min(from, p.Vaddr), max(to, p.Vaddr+p.Memsz)
		}
	}
	return from, to
}

// Range is from which address to which something is.
type Range struct{ From, To uint64 }

// Variables are where the program has variables of the static kind.
func (b *Binary) Variables() (list []Range) {
	for _, p := range b.file.Progs {
		if p.Type == elf.PT_LOAD && p.Flags&elf.PF_W != 0 {
			list = append(list, Range{p.Vaddr, p.Vaddr + p.Memsz})
		}
	}
	return list
}

// Entry is where the function begins that an address of a Go program is in; 0 if it is in
// none.
func (b *Binary) Entry(at uint64) uint64 {
	if f, ok := b.table.find(at); ok {
		return f.entry
	}
	return 0
}

// FileOffset is where in the file the code at an address is; false if it is no code.
func (b *Binary) FileOffset(at uint64) (uint64, bool) {
	for _, p := range b.file.Progs {
		if p.Type == elf.PT_LOAD && p.Flags&elf.PF_X != 0 && at >= p.Vaddr && at < p.Vaddr+p.Filesz {
			return at - p.Vaddr + p.Off, true
		}
	}
	return 0, false
}

// Function is where a function of a Go program begins, and where it returns: there its
// arguments and results are in registers, and the stack pointer points to the address of
// its caller.
//
// Entry is the instruction that saves the frame pointer, if the function has one, and else
// its first one: the kernel can run the former without a second interrupt. It is behind
// the code that makes the stack grow and begins the function again.
type Function struct {
	Entry   uint64
	Returns []uint64
}

// Functions finds functions of a Go program by their names, with the path of their
// package. Those that the program has not got, or has only inlined, are missing.
func (b *Binary) Functions(names ...string) map[string]Function {
	found := map[string]Function{}
	if b.table == nil {
		return found
	}
	wanted := map[string]bool{}
	for _, n := range names {
		wanted[n] = true
	}
	for name, f := range b.table.lookup(wanted) {
		one := Function{Entry: b.entry(f)}
		for _, at := range f.bare() {
			if b.returns(at) {
				one.Returns = append(one.Returns, at)
			}
		}
		found[name] = one
	}
	return found
}

// entry is where to look at a function's arguments.
func (b *Binary) entry(f function) uint64 {
	const pushBP = 0x55
	at := f.framed() - 1
	var code [1]byte
	if b.file.Machine == elf.EM_X86_64 && at > f.entry && b.read(at, code[:]) && code[0] == pushBP {
		return at
	}
	return f.entry
}

// returns reports whether there is a return instruction at an address, perhaps behind
// instructions that do nothing, by which Go aligns it.
func (b *Binary) returns(at uint64) bool {
	const longest = 16
	code := make([]byte, longest)
	if !b.read(at, code) {
		return false
	}
	if b.file.Machine == elf.EM_AARCH64 {
		return binary.LittleEndian.Uint32(code) == 0xd65f03c0 // ret x30
	}
	for len(code) > 0 && code[0] != 0xc3 {
		n := nop(code)
		if n == 0 {
			return false
		}
		code = code[n:]
	}
	return len(code) > 0
}

// Called reports whether a call instruction of amd64 is right before an address, so that
// it may be a return address.
func (b *Binary) Called(at uint64) bool {
	var code [7]byte
	if at < 7 || !b.read(at-7, code[:]) {
		return false
	}
	indirect := func(n int) bool { return code[7-n] == 0xff && code[8-n]>>3&7 == 2 }
	return code[2] == 0xe8 || indirect(2) || indirect(3) || indirect(6) || indirect(7)
}

// nop is the length of an instruction of amd64 that does nothing; 0 if it is another one.
func nop(code []byte) int {
	at := 0
	for at < len(code) && code[at] == 0x66 {
		at++
	}
	if at < len(code) && code[at] == 0x90 {
		return at + 1
	}
	if at+2 >= len(code) || code[at] != 0x0f || code[at+1] != 0x1f {
		return 0
	}
	return min(len(code), at+map[byte]int{0x00: 3, 0x40: 4, 0x44: 5, 0x80: 7, 0x84: 8}[code[at+2]])
}

// Frames are the functions that the code at an address is in, the innermost inlined one
// first; none if it is not known. Of a return address give the one before it.
func (b *Binary) Frames(at uint64) []Frame {
	if b.table == nil {
		return b.symbols.frames(at)
	}
	f, ok := b.table.find(at)
	if !ok {
		return nil
	}
	list := f.frames(at)
	kept := list[:0]
	for _, one := range list {
		if one.File != autogenerated { // a wrapper of the compiler's
			kept = append(kept, one)
		}
	}
	return kept
}

// AtLeast reports whether a version of Go is go1.MINOR or later. A version that is not a
// release, such as "devel", is later than all.
func AtLeast(version string, minor int) bool {
	rest, ok := strings.CutPrefix(version, "go1.")
	if !ok {
		return true
	}
	n := 0
	for _, c := range rest {
		if c < '0' || c > '9' {
			break
		}
		n = 10*n + int(c-'0')
	}
	return n >= minor
}

// Bias is by how much the addresses of a process that runs the executable are above those
// of the file. maps is the text of /proc/PID/maps, and path what it calls the executable.
func (b *Binary) Bias(maps, path string) (uint64, error) {
	for line := range strings.Lines(maps) {
		var from, to, offset uint64
		var access, device string
		var inode uint64
		if _, err := fmt.Sscanf(line, "%x-%x %s %x %s %d", &from, &to, &access, &offset, &device, &inode); err != nil || !strings.Contains(access, "x") {
			continue
		}
		if i := strings.IndexByte(line, '/'); i < 0 || strings.TrimSuffix(line[i:], "\n") != path {
			continue
		}
		for _, p := range b.file.Progs {
			if p.Type == elf.PT_LOAD && p.Flags&elf.PF_X != 0 && p.Off+p.Filesz > offset && p.Off < offset+(to-from) {
				return from - offset - (p.Vaddr - p.Off), nil
			}
		}
	}
	return 0, fmt.Errorf("the process has no code of %s", path)
}
