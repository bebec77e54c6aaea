// Package provenance says what made a recording: which command, which sockwatch, and
// on which machine.
package provenance

// Info is what made a recording. What is not known is "" or 0.
type Info struct {
	// Command is the command line, quoted as a shell takes it.
	Command string `json:"command,omitempty"`
	// Version is that of sockwatch.
	Version string `json:"version,omitempty"`
	// System is the operating system with its kernel, and Arch the processor's
	// architecture.
	System string `json:"system,omitempty"`
	Arch   string `json:"arch,omitempty"`
	// CPUs is how many processors the command could use.
	CPUs int `json:"cpus,omitempty"`
}
