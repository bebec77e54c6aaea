package scenario

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxScript bounds what is read as a script. The longest of the catalogue has
// about 2 KiB.
const maxScript = 64 << 10

// Error is one fault in a script and its place.
type Error struct {
	File string
	// Line and Column count from 1; both are 0 where the fault has no place,
	// as with a file that cannot be read.
	Line, Column int
	Message      string
	// Text is the offending line.
	Text string
}

// Error returns the fault the way compilers print one, with the line shown:
//
//	my.yaml:7:10: duration "20" has no unit: write it like 20s or 20ms
//	  7 |   delay: 20
//	    |          ^
func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Message)
	}
	place := fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
	if e.Text == "" {
		return place
	}
	number := fmt.Sprintf("%d", e.Line)
	margin := strings.Repeat(" ", len(number))
	return fmt.Sprintf("%s\n  %s | %s\n  %s | %s^", place, number, e.Text,
		margin, strings.Repeat(" ", max(e.Column-1, 0)))
}

// Load reads the script in a file. codes are the ids of the scenarios whose
// code can be played. Every error is an *[Error].
func Load(path string, codes []string) (Script, error) {
	data, err := readScript(path)
	if err != nil {
		return Script{}, &Error{File: path, Message: err.Error()}
	}
	return Parse(path, data, codes)
}

func readScript(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, cause(err)
	}
	if info.IsDir() {
		return nil, errors.New("is a directory: name the script in it, such as scenario.yaml")
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxScript+1))
	if err != nil {
		return nil, cause(err)
	}
	if len(data) > maxScript {
		return nil, fmt.Errorf("is too large for a script: %d bytes, the limit is %d", max(info.Size(), maxScript+1), maxScript)
	}
	return data, nil
}

// cause takes the path out of a file error: [Error] names it already.
func cause(err error) error {
	var pathErr *os.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

// Parse reads a script; file is its name in errors. Unknown keys, a second
// document, and values that make no sense are errors. Every error is an
// *[Error].
func Parse(file string, data []byte, codes []string) (Script, error) {
	p := parsed{file: file, lines: strings.Split(string(data), "\n")}
	// The parser is given no more than the script's size, but nested input
	// can cost it much more than that.
	if err := p.checkDepth(); err != nil {
		return Script{}, err
	}
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		return Script{}, p.fromYAML(err)
	}
	if len(tree.Docs) == 0 || tree.Docs[0].Body == nil {
		return Script{}, &Error{File: file, Message: "is empty: a script has at least id, title, load and expect"}
	}
	if len(tree.Docs) > 1 {
		second := tree.Docs[1]
		tok := second.Start
		if tok == nil && second.Body != nil {
			tok = firstToken(second.Body)
		}
		return Script{}, p.at(tok, "a second document begins here: a script is one document")
	}
	p.body = tree.Docs[0].Body
	if _, ok := p.body.(*ast.MappingNode); !ok {
		return Script{}, p.at(p.body.GetToken(), "a script is a list of keys and values, such as: id: my-incident")
	}
	var s Script
	if err := yaml.NodeToValue(p.body, &s, yaml.Strict()); err != nil {
		return Script{}, p.fromYAML(err)
	}
	s.fillDefaults()
	if f := s.check(codes); f != nil {
		return Script{}, p.at(p.tokenOf(f.path), f.message)
	}
	return s, nil
}

// parsed is a script on its way to a value, with what errors need.
type parsed struct {
	file  string
	lines []string
	body  ast.Node
}

// maxDepth is how deeply a script may nest; ours need four levels.
const maxDepth = 20

func (p parsed) checkDepth() error {
	depth := 0
	for i, line := range p.lines {
		indent := len(line) - len(strings.TrimLeft(line, " -"))
		depth += strings.Count(line, "[") + strings.Count(line, "{") - strings.Count(line, "]") - strings.Count(line, "}")
		if indent > 8*maxDepth || depth > maxDepth {
			return &Error{File: p.file, Line: i + 1, Column: 1, Message: "is nested too deeply for a script", Text: clip(line)}
		}
	}
	return nil
}

// fromYAML turns the library's error into ours, in words for people who write
// scripts rather than Go.
func (p parsed) fromYAML(err error) error {
	var y yaml.Error
	if !errors.As(err, &y) {
		return &Error{File: p.file, Message: err.Error()}
	}
	message := y.GetMessage()
	var wrongType *yaml.TypeError
	var wrongNode *yaml.UnexpectedNodeTypeError
	switch {
	case errors.As(err, &wrongType):
		message = "wrong type: this is " + kindName(wrongType.DstType.Kind())
	case errors.As(err, &wrongNode):
		message = fmt.Sprintf("wrong type: this is a %s, not a %s", wrongNode.Expected.YAMLName(), wrongNode.Actual.YAMLName())
	}
	return p.at(y.GetToken(), message)
}

func kindName(k reflect.Kind) string {
	switch k {
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "text"
	default:
		return "a " + k.String()
	}
}

func (p parsed) at(tok *token.Token, message string) error {
	e := &Error{File: p.file, Message: message}
	if tok == nil || tok.Position == nil {
		return e
	}
	e.Line, e.Column = tok.Position.Line, tok.Position.Column
	if e.Line >= 1 && e.Line <= len(p.lines) {
		e.Text = clip(p.lines[e.Line-1])
	}
	return e
}

// clip keeps an offending line to what a terminal shows.
func clip(line string) string {
	line = strings.TrimRight(strings.ReplaceAll(line, "\t", " "), "\r")
	if len(line) > 160 {
		return strings.ToValidUTF8(line[:160], "") + "…"
	}
	return line
}

// tokenOf returns the place of the value at path, such as $.load[1].rate, or
// of the nearest thing around it that is in the file.
func (p parsed) tokenOf(path string) *token.Token {
	for path != "$" {
		if yp, err := yaml.PathString(path); err == nil {
			if node, err := yp.FilterNode(p.body); err == nil && node != nil {
				return firstToken(node)
			}
		}
		path = path[:strings.LastIndexAny(path, ".[")]
	}
	return firstToken(p.body)
}

// firstToken is where a node begins in the file: a mapping's own token is its
// first colon.
func firstToken(node ast.Node) *token.Token {
	switch n := node.(type) {
	case *ast.MappingNode:
		if len(n.Values) > 0 {
			return n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	case *ast.SequenceNode:
		if len(n.Values) > 0 {
			return firstToken(n.Values[0])
		}
	}
	return node.GetToken()
}

// finding is a value that can be read but makes no sense.
type finding struct{ path, message string }

func found(path, format string, args ...any) *finding {
	return &finding{path, fmt.Sprintf(format, args...)}
}

func firstOf(findings ...*finding) *finding {
	i := slices.IndexFunc(findings, func(f *finding) bool { return f != nil })
	if i < 0 {
		return nil
	}
	return findings[i]
}
