package lab

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"regexp"
	"strings"

	"socketlab/internal/words"
)

// placeholder stands in a command for its side's server. A shell's ${url} and
// curl's %{url} are none.
var placeholder = regexp.MustCompile(`[$%]?\{(url|addr|host|port)\}`)

// placeholders returns the names of all placeholders that a command has.
func placeholders(command string) []string {
	var names []string
	for _, m := range placeholder.FindAllStringSubmatch(command, -1) {
		if m[0][0] == '{' {
			names = append(names, m[1])
		}
	}
	return names
}

// TakesServer reports whether a client's command says where the server's address belongs.
func TakesServer(command string) bool { return len(placeholders(command)) > 0 }

// fill fills in the server of a side.
func fill(command string, at netip.AddrPort) string {
	return placeholder.ReplaceAllStringFunc(command, func(found string) string {
		switch found {
		case "{url}":
			return "http://" + at.String() + "/"
		case "{addr}":
			return at.String()
		case "{host}":
			return at.Addr().String()
		case "{port}":
			return fmt.Sprint(at.Port())
		default:
			return found
		}
	})
}

// checkCommands returns what is wrong with the commands of a comparison.
func (c Comparison) checkCommands() error {
	for _, side := range c.sides() {
		if strings.TrimSpace(side.Command) == "" {
			return fmt.Errorf("%s is empty: give the command that starts this side's client", side.ID)
		}
		if !TakesServer(side.Command) {
			return fmt.Errorf("%s %q would not talk to its side's server: write {url}, {addr}, or {host} and {port}, where the server's address belongs", side.ID, side.Command)
		}
	}
	if c.Server == "" {
		return nil
	}
	if strings.TrimSpace(c.Server) == "" {
		return errors.New("server is empty: give the command that starts a server, or leave it out for a server of sockwatch's own")
	}
	for _, name := range placeholders(c.Server) {
		if name != "host" {
			return nil
		}
	}
	return fmt.Errorf("server %q would not listen where its side's client expects it: write {port}, {addr} or {url} where the port belongs", c.Server)
}

// short makes a command a few words.
func short(command string) string {
	const most = 33
	runes := []rune(strings.Join(strings.Fields(command), " "))
	if len(runes) <= most {
		return string(runes)
	}
	return string(runes[:most-1]) + "…"
}

// chooseAddr returns a free address of loopback, for a server that cannot report
// which one it took.
func chooseAddr() (netip.AddrPort, error) {
	l, err := net.Listen("tcp", freePort)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("choose a free port for a server: %w", err)
	}
	defer l.Close()
	return netip.ParseAddrPort(l.Addr().String())
}

// labelled passes on what is written to it, with a label before each line.
type labelled struct {
	w       io.Writer
	label   string
	midLine bool
}

// Write never fails: a program is not held up because nobody reads what it
// writes.
func (l *labelled) Write(text []byte) (int, error) {
	var out bytes.Buffer
	for line := range bytes.Lines(text) {
		if !l.midLine {
			out.WriteString(l.label)
		}
		out.Write(line)
		l.midLine = !bytes.HasSuffix(line, []byte("\n"))
	}
	_, _ = io.WriteString(l.w, words.Printable(out.String()))
	return len(text), nil
}
