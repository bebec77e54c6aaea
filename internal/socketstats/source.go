package socketstats

import (
	"errors"
	"fmt"
	"strings"
)

// Auto is the name by which [OpenSource] chooses.
const Auto = "auto"

// SourceNames lists what [OpenSource] takes.
func SourceNames() []string { return []string{Auto, "gopsutil", "sockdiag"} }

// OpenSource returns the source with this name. Auto is sock_diag where the
// kernel answers it (on Linux, except in some sandboxes), and gopsutil
// elsewhere. The source lives as long as the process.
func OpenSource(name string) (Source, error) {
	switch name {
	case "gopsutil":
		return Gopsutil{}, nil
	case "sockdiag", Auto:
		d, err := OpenSockdiag()
		if err == nil {
			return d, nil
		}
		if name == Auto {
			return Gopsutil{}, nil
		}
		return nil, fmt.Errorf("source sockdiag: %w; gopsutil works everywhere", err)
	}
	return nil, fmt.Errorf("source %q: %w: use one of %s", name, errors.ErrUnsupported, strings.Join(SourceNames(), ", "))
}
