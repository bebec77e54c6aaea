package callsite

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// soon runs what must take neither long nor much memory.
func soon(t *testing.T, do func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begin := time.Now()
	do()
	took := time.Since(begin)
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(200<<20))
	require.Less(t, took, time.Minute)
}

func TestManyFunctionsWithAnEndlessNameAreReadSoon(t *testing.T) {
	const many = 1 << 17
	names, order := bytes.Repeat([]byte("x"), 16<<20), binary.LittleEndian
	table := &pclntab{names: names, nfunc: many}
	for range many {
		table.funcs = order.AppendUint64(table.funcs, 8*many<<32)
	}
	table.funcs = append(table.funcs, make([]byte, funcSize)...)
	soon(t, func() { require.Empty(t, table.lookup(map[string]bool{"main.f": true})) })
}

func TestATableOfOneFunctionThatIsTheWholeFileIsReadInPart(t *testing.T) {
	table := &pclntab{pctab: bytes.Repeat([]byte{2, 1, 1, 1}, 8<<20), minLC: 1}
	f := function{t: table, data: make([]byte, funcSize)}
	binary.LittleEndian.PutUint32(f.data[16:], 4)
	soon(t, func() { require.LessOrEqual(t, len(f.bare()), mostTable) })
}

func TestSymbolsWithTheSameEndlessNameAreReadSoon(t *testing.T) {
	const many = 1 << 16
	program := native(t)
	at := uint64(len(program))
	one := make([]byte, elf.Sym64Size)
	one[4] = byte(elf.STT_FUNC)
	binary.LittleEndian.PutUint64(one[8:], 0x4000b0)
	program = append(program, bytes.Repeat(one, many)...)
	program = append(program, bytes.Repeat([]byte("x"), 1<<20)...)
	program = append(program, 0)
	sections := binary.LittleEndian.Uint64(program[40:])
	const symtab, strtab, size = 9, 10, 64
	binary.LittleEndian.PutUint64(program[sections+symtab*size+24:], at)
	binary.LittleEndian.PutUint64(program[sections+symtab*size+32:], many*elf.Sym64Size)
	binary.LittleEndian.PutUint64(program[sections+strtab*size+24:], at+many*elf.Sym64Size)
	binary.LittleEndian.PutUint64(program[sections+strtab*size+32:], 1<<20+1)
	path := filepath.Join(t.TempDir(), "program")
	soon(t, func() {
		b, err := opened(t, path, program)
		require.NoError(t, err)
		require.Len(t, b.Frames(0x4000b4), 1)
		require.NoError(t, b.Close())
	})
}

func TestSectionsThatAreMoreThanTheFileAreRefused(t *testing.T) {
	program := smallProgram(t)
	sections := binary.LittleEndian.Uint64(program[40:])
	binary.LittleEndian.PutUint64(program[sections+64+32:], 1<<40) // the table's
	_, err := opened(t, filepath.Join(t.TempDir(), "program"), program)
	require.ErrorContains(t, err, "has sections that are not in it")
}

func TestOfManyTablesAFewAreTried(t *testing.T) {
	program := smallProgram(t)
	sections := binary.LittleEndian.Uint64(program[40:])
	table := program[sections+64:]
	many := bytes.Repeat(smallTable(), 1<<14)
	binary.LittleEndian.PutUint32(table, 0) // it has no name
	binary.LittleEndian.PutUint64(table[16:], 2*base)
	binary.LittleEndian.PutUint64(table[8:], uint64(elf.SHF_ALLOC|elf.SHF_WRITE))
	binary.LittleEndian.PutUint64(table[24:], uint64(len(program)))
	binary.LittleEndian.PutUint64(table[32:], uint64(len(many)))
	path := filepath.Join(t.TempDir(), "program")
	soon(t, func() {
		_, err := opened(t, path, append(program, many...))
		require.ErrorContains(t, err, "description of the program was not found")
	})
}
