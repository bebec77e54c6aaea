package callsite

import (
	"cmp"
	"debug/dwarf"
	"debug/elf"
	"encoding/binary"
	"slices"
	"sort"
	"strings"
)

// symbols are the functions of a program that is not Go's.
type symbols struct {
	functions []symbol    // by address
	debug     *dwarf.Data // nil without
}

// symbol is a function, with where its name is among others. Names of all are not made: they may
// lie one in another, and be much more than the file.
type symbol struct {
	at, size uint64
	name     uint32
	names    []byte
}

// readSymbols reads what there is.
func readSymbols(file *elf.File) *symbols {
	s := &symbols{}
	for _, kind := range []elf.SectionType{elf.SHT_SYMTAB, elf.SHT_DYNSYM} {
		for _, table := range file.Sections {
			if table.Type == kind && int(table.Link) < len(file.Sections) {
				s.add(content(table), content(file.Sections[table.Link]))
			}
		}
	}
	slices.SortStableFunc(s.functions, func(a, b symbol) int { return cmp.Compare(a.at, b.at) })
	if !isLarge(file) {
		s.debug, _ = file.DWARF()
	}
	return s
}

// add adds the functions of a table: elf.Sym64 has its form.
func (s *symbols) add(table, names []byte) {
	for ; len(table) >= elf.Sym64Size; table = table[elf.Sym64Size:] {
		one := symbol{binary.LittleEndian.Uint64(table[8:]), binary.LittleEndian.Uint64(table[16:]), binary.LittleEndian.Uint32(table), names}
		if elf.ST_TYPE(table[4]) == elf.STT_FUNC && one.at != 0 {
			s.functions = append(s.functions, one)
		}
	}
}

// mostDebug is how much DWARF is read, in bytes: all of it is in memory then.
const mostDebug = 512 << 20

// isLarge reports whether a file has more DWARF than is read. What is in an old form of
// compression does not say how much it is.
func isLarge(file *elf.File) bool {
	sum := uint64(0)
	for _, s := range file.Sections {
		if strings.HasPrefix(s.Name, ".zdebug") {
			return true
		}
		if strings.HasPrefix(s.Name, ".debug") {
			sum += min(s.Size, mostDebug)
		}
	}
	return sum >= mostDebug
}

func (s *symbols) frames(at uint64) []Frame {
	i := sort.Search(len(s.functions), func(i int) bool { return s.functions[i].at > at }) - 1
	if i < 0 {
		return nil
	}
	f := s.functions[i]
	if f.size > 0 && at-f.at >= f.size {
		return nil
	}
	one := Frame{Function: text(f.names, f.name)}
	one.File, one.Line = s.line(at)
	return []Frame{one}
}

// line is that of an address by DWARF; "" and 0 without.
func (s *symbols) line(at uint64) (string, int) {
	if s.debug == nil {
		return "", 0
	}
	unit, err := s.debug.Reader().SeekPC(at)
	if err != nil {
		return "", 0
	}
	lines, err := s.debug.LineReader(unit)
	if err != nil || lines == nil {
		return "", 0
	}
	var entry dwarf.LineEntry
	if err := lines.SeekPC(at, &entry); err != nil || entry.File == nil {
		return "", 0
	}
	return entry.File.Name, max(0, entry.Line) // a table that is damaged may say less
}
