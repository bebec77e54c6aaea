package scenario

import (
	"slices"
)

// Protocol declares what a server can speak. The package that serves a protocol
// registers it: a script can name only what the program at hand can serve.
type Protocol struct {
	// Name is the value of the key protocol, and Text says in a phrase what it is.
	Name, Text string
	// Keys are the settings that a server of this protocol has.
	Keys KeySet
	// Requires names a key that such a server cannot be without; "" is none.
	Requires string
	// Relays is for what passes on what comes to it: it is the first server of a
	// side, and has upstreams.
	Relays bool
	// Multiplexes says that a connection may carry many requests at a time.
	Multiplexes bool
	// NameServer is for what clients ask where to send the load. It is an upstream,
	// nothing is relayed to it, and its requests are not counted.
	NameServer bool
	// Reserved are words that mean something else to the protocol, so that no
	// server may have one of them for a name.
	Reserved []string
	// Check says what is wrong with a server of a side, beyond what its keys say
	// themselves: where, such as "resolve[0].to", and what. nil checks nothing.
	Check func(s Server, side []Server) (at, problem string)
}

// DefaultProtocol is that of a server that names none.
const DefaultProtocol = "http"

var protocols []Protocol // the default first

// RegisterProtocol makes a protocol known. It is for init functions: it must not be
// called beside anything else of this package.
func RegisterProtocol(p Protocol) {
	if p.Name == DefaultProtocol {
		protocols = append([]Protocol{p}, protocols...)
	} else {
		protocols = append(protocols, p)
	}
}

// Protocols lists what servers can speak: the default first, the others as they were
// registered.
func Protocols() []Protocol { return slices.Clone(protocols) }

// ProtocolOf returns the protocol of a server; it is empty where that is unknown.
func ProtocolOf(s Server) Protocol {
	for _, p := range protocols {
		if p.Name == s.Protocol {
			return p
		}
	}
	return Protocol{}
}

// Keys lists the keys of all protocols, in the order of [Protocols].
func Keys() KeySet {
	var keys KeySet
	for _, p := range protocols {
		for _, k := range p.Keys {
			if !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
	}
	return keys
}

// Speakers lists the protocols that have a key.
func (k *Key) Speakers() []string {
	var names []string
	for _, p := range protocols {
		if slices.Contains(p.Keys, k) {
			names = append(names, p.Name)
		}
	}
	return names
}
