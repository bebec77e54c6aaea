package callsite

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The places of the parts of smallProgram, which are also their addresses less its base.
const (
	base      = 0x400000
	textAt    = 0x100
	tableAt   = 0x140
	infoAt    = 0x300
	moduleAt  = 0x340
	treeAt    = 0x4a0
	headersAt = 0x500
)

// smallTable is a table of functions with one, main.f of 16 bytes. In the second half of
// it is the inlined main.g, both at a.go:10.
func smallTable() []byte {
	names, units, files := []byte("main.f\x00main.g\x00"), make([]byte, 4), []byte("a.go\x00")
	tables := []byte{
		0,
		2, 1, 16, 14, 15, 1, 0, // 1: the frame has 0 bytes, 8 for 14 bytes, and 0 again
		2, 16, 0, // 8: the first file
		22, 16, 0, // 11: line 10
		0, 8, 2, 8, 0, // 14: no inlined call, and the first one
	}
	order := binary.LittleEndian
	var funcs []byte
	for _, word := range []uint32{0, 12, 16, 0, 0, 0, 0, 1, 8, 11, 3, 0, 1, 4 << 24, 0, 0, 14, 0, 0, 0, 0} {
		funcs = order.AppendUint32(funcs, word) // main.f begins with the fourth word
	}
	head := append(order.AppendUint32(nil, pclntabMagic), 0, 0, 1, 8)
	at := uint64(headerSize)
	words := []uint64{1, 1, 0}
	parts := [][]byte{names, units, files, tables, funcs}
	for _, part := range parts {
		words = append(words, at)
		at += uint64(len(part))
	}
	for _, word := range words {
		head = order.AppendUint64(head, word)
	}
	return append(head, bytes.Join(parts, nil)...)
}

// smallProgram is a program of Go's with nothing but what is read of one.
func smallProgram(t testing.TB) []byte {
	t.Helper()
	text := make([]byte, headersAt)
	copy(text[textAt:], "\x55\x48\x89\xe5\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x5d\xc3")
	table := smallTable()
	require.Less(t, len(table), infoAt-tableAt)
	copy(text[tableAt:], table)
	copy(text[infoAt:], "\xff Go buildinf:\x08\x02")
	copy(text[infoAt+32:], "\x06go1.26\x00")
	order := binary.LittleEndian
	for at, word := range map[int]uint64{0: base + tableAt, moduleMinPC: base + textAt, moduleText: base + textAt, moduleFunc: base + treeAt} {
		order.PutUint64(text[moduleAt+at:], word)
	}
	order.PutUint32(text[treeAt+4:], 7) // main.g
	var sections []elf.Section64
	names := []byte{0}
	for _, s := range []struct {
		name     string
		flags    elf.SectionFlag
		from, to int
	}{
		{".gopclntab", elf.SHF_ALLOC, tableAt, infoAt}, {".go.buildinfo", elf.SHF_ALLOC, infoAt, moduleAt}, {".data", elf.SHF_ALLOC | elf.SHF_WRITE, moduleAt, headersAt},
	} {
		sections = append(sections, elf.Section64{
			Name: uint32(len(names)), Type: uint32(elf.SHT_PROGBITS), Flags: uint64(s.flags), Addr: base + uint64(s.from), Off: uint64(s.from), Size: uint64(s.to - s.from),
		})
		names = append(append(names, s.name...), 0)
	}
	sections = append([]elf.Section64{{}}, append(sections, elf.Section64{Type: uint32(elf.SHT_STRTAB), Off: headersAt, Size: uint64(len(names))})...)
	head := elf.Header64{
		Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1, Phoff: 64, Shoff: headersAt + uint64(len(names)), Ehsize: 64,
		Phentsize: 56, Phnum: 1, Shentsize: 64, Shnum: uint16(len(sections)), Shstrndx: uint16(len(sections) - 1),
	}
	copy(head.Ident[:], "\x7fELF\x02\x01\x01")
	load := elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_W | elf.PF_X), Vaddr: base, Filesz: headersAt, Memsz: headersAt}
	_, err := binary.Encode(text, order, head)
	require.NoError(t, err)
	_, err = binary.Encode(text[64:], order, load)
	require.NoError(t, err)
	text, err = binary.Append(append(text, names...), order, sections)
	require.NoError(t, err)
	return text
}

// native is a program of C's, with symbols and DWARF: of
//
//	static int g(int x) { return x + 1; }
//	void _start(void) { volatile int a = g(1); (void)a; for (;;); }
func native(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/native.elf")
	require.NoError(t, err)
	return text
}

// opened writes a program to a file and opens it.
func opened(t testing.TB, path string, data []byte) (*Binary, error) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return Open(path)
}

func TestSmallProgramsAreRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "program")
	b, err := opened(t, path, smallProgram(t))
	require.NoError(t, err)
	defer b.Close()
	require.Equal(t, map[string]Function{"main.f": {Entry: base + textAt, Returns: []uint64{base + textAt + 15}}}, b.Functions("main.f", "main.g"))
	require.Equal(t, []Frame{{"main.f", "a.go", 10}}, b.Frames(base+textAt+3))
	require.Equal(t, []Frame{{"main.g", "a.go", 10}, {"main.f", "a.go", 10}}, b.Frames(base+textAt+12))
	require.Empty(t, b.Frames(base+textAt+16))

	c, err := opened(t, path+" in C", native(t))
	require.NoError(t, err)
	defer c.Close()
	frames := c.Frames(0x4000b4)
	require.Len(t, frames, 1)
	require.Equal(t, "_start", frames[0].Function)
	require.Equal(t, 2, frames[0].Line)
}

// Whatever a running program's file holds, it is read soon, or refused.
func FuzzBinary(f *testing.F) {
	f.Add(smallProgram(f))
	f.Add(native(f))
	path := filepath.Join(f.TempDir(), "program")
	f.Fuzz(func(t *testing.T, data []byte) {
		begin := time.Now()
		b, err := opened(t, path, data)
		if err != nil {
			return
		}
		from, _ := b.Image()
		for _, f := range b.Functions("main.f", "main.g") {
			require.LessOrEqual(t, len(f.Returns), len(data))
			for _, at := range append(f.Returns, f.Entry) {
				_, _ = b.FileOffset(at)
			}
		}
		for _, at := range []uint64{from, from + textAt, from + textAt + 12, 0x4000b4, 1<<64 - 1} {
			frames := b.Frames(at)
			require.LessOrEqual(t, len(frames), 65)
			for _, one := range frames {
				require.GreaterOrEqual(t, one.Line, 0)
				require.LessOrEqual(t, len(one.Function)+len(one.File), 2*len(data))
			}
			b.Called(at)
		}
		b.Variables()
		_, _ = b.Bias("00400000-00401000 r-xp 00000000 08:01 7 /a\n", "/a")
		require.NoError(t, b.Close())
		require.Less(t, time.Since(begin), time.Minute)
	})
}

// Whatever a table of functions holds, walking through it ends, and what is found is in it.
func FuzzFunctionTable(f *testing.F) {
	f.Add(smallTable(), []byte("\x00\x00\x00\x00\x07\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00"), uint64(12))
	f.Fuzz(func(t *testing.T, data, tree []byte, at uint64) {
		table, err := parseTable(data)
		if err != nil {
			require.ErrorIs(t, err, errNoTable)
			return
		}
		table.inlineTrees = func(offset uint32, size int) []byte {
			if int(offset)+size > len(tree) {
				return nil
			}
			return tree[offset:][:size]
		}
		for name, one := range table.lookup(map[string]bool{"main.f": true, "main.g": true}) {
			require.Equal(t, name, one.name())
			require.LessOrEqual(t, len(one.bare()), len(data)/2)
			one.framed()
		}
		one, ok := table.find(at)
		if !ok {
			return
		}
		require.GreaterOrEqual(t, at, one.entry)
		require.Less(t, at, one.end)
		list := one.frames(at)
		require.NotEmpty(t, list)
		if len(list) < 64 { // of a table without an end the first are shown
			require.Equal(t, one.name(), list[len(list)-1].Function)
		}
	})
}

// Only a file that has the executable's name gives a bias, whatever other files in a process's
// memory are called.
func FuzzBias(f *testing.F) {
	path := filepath.Join(f.TempDir(), "program")
	b, err := opened(f, path, smallProgram(f))
	require.NoError(f, err)
	defer b.Close()
	const line = "55d000000000-55d000001000 r-xp 00000000 08:01 7    "
	f.Add(line+"/a\n", "/a")
	f.Add("55d0-55d1 rw-p 0 0:0 0 [heap]\n"+line+"/a b (deleted)\n", "/a b (deleted)")
	f.Add(line+`/a\012b`, "/a\nb")
	f.Fuzz(func(t *testing.T, maps, path string) {
		bias, err := b.Bias(maps, path)
		if err != nil {
			require.Zero(t, bias)
			return
		}
		require.Contains(t, maps, path)
	})
}
