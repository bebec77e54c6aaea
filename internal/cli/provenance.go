package cli

import (
	"os"
	"runtime"
	"strings"

	"github.com/shirou/gopsutil/v3/host"

	"socketlab/internal/cli/program"
	"socketlab/internal/series"
)

// thisProvenance is this program with the command that started it, and where it runs.
func thisProvenance() *series.Provenance {
	system := runtime.GOOS
	if kernel, err := host.KernelVersion(); err == nil && kernel != "" {
		system += " " + kernel
	}
	words := []string{"sockwatch"}
	for _, word := range os.Args[1:] {
		words = append(words, quoted(word))
	}
	return &series.Provenance{
		Command: strings.Join(words, " "), Version: program.Version(),
		System: system, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(),
	}
}

// quoted writes a word as a shell takes it.
func quoted(word string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./:,+@%"
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
