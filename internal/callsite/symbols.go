package callsite

import (
	"debug/dwarf"
	"debug/elf"
	"slices"
	"sort"
)

// symbols are the functions of a program that is not Go's.
type symbols struct {
	functions []elf.Symbol // by address
	debug     *dwarf.Data  // nil without
}

// readSymbols reads what there is.
func readSymbols(file *elf.File) *symbols {
	s := &symbols{}
	for _, read := range []func() ([]elf.Symbol, error){file.Symbols, file.DynamicSymbols} {
		list, err := read()
		if err != nil {
			continue // it has none
		}
		for _, one := range list {
			if elf.ST_TYPE(one.Info) == elf.STT_FUNC && one.Value != 0 {
				s.functions = append(s.functions, one)
			}
		}
	}
	slices.SortStableFunc(s.functions, func(a, b elf.Symbol) int {
		if a.Value < b.Value {
			return -1
		}
		return min(1, int(a.Value-b.Value))
	})
	s.debug, _ = file.DWARF()
	return s
}

func (s *symbols) frames(at uint64) []Frame {
	i := sort.Search(len(s.functions), func(i int) bool { return s.functions[i].Value > at }) - 1
	if i < 0 {
		return nil
	}
	f := s.functions[i]
	if f.Size > 0 && at >= f.Value+f.Size {
		return nil
	}
	one := Frame{Function: f.Name}
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
	return entry.File.Name, entry.Line
}
