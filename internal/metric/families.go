package metric

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"socketlab/internal/series"
	"socketlab/internal/socketstats"
)

// families are the metrics whose names hold what they are of.
func families() []family {
	return []family{
		sockets("client.peak.", socketstats.Client, true),
		sockets("client.final.", socketstats.Client, false),
		sockets("server.peak.", socketstats.Server, true),
		sockets("server.final.", socketstats.Server, false),
		{
			prefix: "requests.errors.", forms: []string{"requests.errors.NAME"},
			lookup: func(name string) (Metric, error) {
				kind := strings.TrimPrefix(name, "requests.errors.")
				if kind == "" {
					return Metric{}, unknown(name)
				}
				return Metric{
					Name: name, Title: "requests failed by " + kind, Unit: Count, Noun: "request", Rest: "failed by " + kind,
					Meaning: "Requests that failed with this error.",
					Get:     requests(func(r *series.Requests) int64 { return r.Errors[kind] }),
				}, nil
			},
			members: func(s *series.Subject) []string {
				r := s.Metrics().Requests
				if r == nil {
					return nil
				}
				return prefixed("requests.errors.", slices.Sorted(maps.Keys(r.Errors)))
			},
		},
		{
			prefix: KindsPrefix, forms: []string{KindsPrefix + "KIND"},
			lookup: func(name string) (Metric, error) {
				kind := strings.TrimPrefix(name, KindsPrefix)
				if !slices.Contains(socketstats.Kinds(), kind) {
					return Metric{}, fmt.Errorf("%s: no kind of descriptors is called %q: use one of %s", short(name), short(kind), strings.Join(socketstats.Kinds(), ", "))
				}
				return Metric{
					Name: name, Title: "client's " + kind + " descriptors", Unit: Count, Noun: "descriptor", Rest: "of kind " + kind,
					Meaning: "Descriptors of this kind that the last sample shows in the client's process (Linux).",
					Get: func(s *series.Subject) (float64, bool) {
						if last := s.Last(); last != nil && last.Process != nil && last.Process.Kinds != nil {
							return float64(last.Process.Kinds[kind]), true
						}
						return 0, false
					},
				}, nil
			},
			members: func(*series.Subject) []string { return nil }, // the documents have rows of their own
		},
		{
			prefix: ServersPrefix, forms: []string{ServersPrefix + "NAME.requests", ServersPrefix + "NAME.connections"},
			lookup: server,
			members: func(s *series.Subject) []string {
				var names []string
				if last := s.Last(); last != nil {
					for _, server := range last.Servers {
						names = append(names, ServersPrefix+server.Name+".requests", ServersPrefix+server.Name+".connections")
					}
				}
				return names
			},
		},
		{
			prefix: ValuesPrefix, forms: []string{ValuesPrefix + "NAME"},
			lookup: func(name string) (Metric, error) {
				value := strings.TrimPrefix(name, ValuesPrefix)
				if !valueName.MatchString(value) {
					return Metric{}, fmt.Errorf("%s: write values.NAME, with lower-case words joined by underscores", short(name))
				}
				return Metric{
					Name: name, Title: strings.ReplaceAll(value, "_", " "), Unit: Count,
					Meaning: "A number that the code of a pair reports of itself.",
					Get: func(s *series.Subject) (float64, bool) {
						v, ok := s.Metrics().Values[value]
						return v, ok
					},
				}, nil
			},
			members: func(s *series.Subject) []string {
				return prefixed(ValuesPrefix, slices.Sorted(maps.Keys(s.Metrics().Values)))
			},
		},
		{
			prefix: KernelPrefix, forms: []string{KernelPrefix + "COUNTER"},
			lookup: func(name string) (Metric, error) {
				counter := strings.TrimPrefix(name, KernelPrefix)
				if !socketstats.IsCounter(counter) {
					return Metric{}, fmt.Errorf("%s: the kernel has no counter %q that is read", short(name), short(counter))
				}
				return Metric{
					Name: name, Title: "kernel " + counter, Unit: Count,
					Meaning: "The kernel's counter of this name, in a network namespace of the side's own.",
					Get: func(s *series.Subject) (float64, bool) {
						if last := s.Last(); last != nil && last.Kernel != nil {
							return float64(last.Kernel[counter]), true
						}
						return 0, false
					},
				}, nil
			},
			members: func(s *series.Subject) []string {
				if last := s.Last(); last != nil {
					return prefixed(KernelPrefix, slices.Sorted(maps.Keys(last.Kernel)))
				}
				return nil
			},
		},
	}
}

const (
	// KernelPrefix begins the name of a counter of the kernel, which only a subject
	// in a namespace of its own has.
	KernelPrefix = "kernel."
	// KindsPrefix begins the name of a count of descriptors by kind.
	KindsPrefix = "process.kinds."
	// ValuesPrefix begins the name of what the code of a pair says of itself.
	ValuesPrefix = "values."
	// ServersPrefix begins the name of what one of several servers did.
	ServersPrefix = "servers."
)

// sockets are the sockets at one end: by state, open (those that hold a
// descriptor: see [socketstats.Counts.Open]) and in total; the most that any sample shows, or
// what the last one does.
func sockets(prefix string, end socketstats.End, peak bool) family {
	counts, open := (*series.Subject).Now, func(s *series.Subject) int { return s.Now(end).Open() }
	rest, meaning := "left", "Sockets that the last sample shows at the %s's end."
	if peak {
		counts, open = (*series.Subject).Peak, func(s *series.Subject) int { return s.PeakOpen(end) }
		rest, meaning = "at most", "The most sockets that a sample shows at the %s's end."
	}
	lookup := func(name string) (Metric, error) {
		which := strings.TrimPrefix(name, prefix)
		noun, get := which+" socket", open
		switch which {
		case "open":
		case "total":
			noun, get = "socket", func(s *series.Subject) int { return counts(s, end).Total() }
		default:
			state, err := socketstats.ParseState(which)
			if err != nil {
				return Metric{}, fmt.Errorf("%s: %w", short(name), err)
			}
			get = func(s *series.Subject) int { return counts(s, end).Of(state) }
		}
		return Metric{
			Name: name, Title: end.String() + " " + which, Unit: Count, Noun: noun,
			Rest: rest + " at the " + end.String(), Meaning: fmt.Sprintf(meaning, end),
			Get: func(s *series.Subject) (float64, bool) { return float64(get(s)), len(s.Samples) > 0 },
		}, nil
	}
	return family{
		prefix: prefix, forms: []string{prefix + "STATE", prefix + "open", prefix + "total"}, lookup: lookup,
		members: func(s *series.Subject) []string {
			var names []string
			most := s.Peak(end)
			for _, state := range socketstats.States() {
				if most.Of(state) > 0 {
					names = append(names, prefix+state.String())
				}
			}
			return append(names, prefix+"open", prefix+"total")
		},
	}
}

// server is servers.NAME.requests and servers.NAME.connections.
func server(name string) (Metric, error) {
	server, figure, _ := strings.Cut(strings.TrimPrefix(name, ServersPrefix), ".")
	if !serverName.MatchString(server) || (figure != "requests" && figure != "connections") {
		return Metric{}, fmt.Errorf("%s: write servers.NAME.requests or servers.NAME.connections", short(name))
	}
	return Metric{
		Name: name, Title: figure + " to server " + server, Unit: Count, Noun: strings.TrimSuffix(figure, "s"), Rest: "to server " + server,
		Meaning: "What came to one of several servers, by its own count.",
		Get: func(s *series.Subject) (float64, bool) {
			last := s.Last()
			if last == nil {
				return 0, false
			}
			for _, of := range last.Servers {
				switch {
				case of.Name != server:
				case figure == "requests":
					return float64(of.Requests), true
				default:
					return float64(of.Connections), true
				}
			}
			return 0, false
		},
	}, nil
}

func prefixed(prefix string, names []string) []string {
	for i := range names {
		names[i] = prefix + names[i]
	}
	return names
}
