package scenario

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"socketlab/internal/regular"
)

// maxScript bounds what is read as a script. The longest of the catalogue has
// about 2 KiB.
const maxScript = 64 << 10

// Load reads the script in a file. codes are the ids of the scenarios whose
// code can be played; nil accepts any. Every error is an *[Error].
func Load(path string, codes []string) (Script, error) {
	data, err := readScript(path)
	if err != nil {
		return Script{}, &Error{File: path, Message: err.Error()}
	}
	p, s, err := parse(path, data, codes)
	if err != nil {
		return Script{}, err
	}
	if f := s.checkFolder(); f != nil {
		return Script{}, p.at(p.tokenOf(f.path), f.message)
	}
	return s, nil
}

func readScript(path string) ([]byte, error) {
	data, err := regular.Read(path, maxScript)
	var large regular.TooLarge
	switch {
	case errors.Is(err, regular.ErrFolder):
		return nil, errors.New("is a folder: name the script in it, such as scenario.yaml")
	case errors.As(err, &large):
		return nil, fmt.Errorf("is too large for a script: %d bytes, the limit is %d", large.Size, large.Most)
	case err != nil:
		return nil, cause(err)
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

// Parse reads a script, and keeps its text; file is its name in errors, and codes
// as for [Load]. Unknown keys, a second document, and values that make no sense
// are errors. A folder of the user's is not looked into: only [Load] does so. Every
// error is an *[Error].
func Parse(file string, data []byte, codes []string) (Script, error) {
	_, s, err := parse(file, data, codes)
	return s, err
}

// parse is [Parse], and returns also what errors found later need.
func parse(file string, data []byte, codes []string) (p parsed, s Script, err error) {
	p = parsed{file: file, what: "a script", keys: "id, title, load and expect"}
	if err := p.read(data); err != nil {
		return p, Script{}, err
	}
	s = defaults()
	if err := p.fit(p.body, reflect.TypeFor[Script](), "a script"); err != nil {
		return p, Script{}, err
	}
	if err := yaml.NodeToValue(p.body, &s, yaml.Strict()); err != nil {
		return p, Script{}, p.fromYAML(err)
	}
	s.fillIn(file)
	s.Text = string(data)
	if f := s.check(codes); f != nil {
		return p, Script{}, p.at(p.tokenOf(f.path), f.message)
	}
	return p, s, nil
}

// ReadYAML reads the YAML of a file that is no script into a value, as strictly, and with errors
// of the same kind. what is what the file is, and keys are some that it has, for them.
func ReadYAML(file string, data []byte, what, keys string, into any) error {
	p := parsed{file: file, what: what, keys: keys}
	if err := p.read(data); err != nil {
		return err
	}
	if err := yaml.NodeToValue(p.body, into, yaml.Strict()); err != nil {
		return p.fromYAML(err)
	}
	return nil
}

// read finds the one document of a file.
func (p *parsed) read(data []byte) error {
	if !utf8.Valid(data) {
		return p.at(nil, "is not text in UTF-8")
	}
	p.lines = linesOf(string(data))
	if err := p.checkDepth(); err != nil {
		return err
	}
	tree, err := parser.ParseBytes([]byte(strings.Join(p.lines, "\n")), 0)
	if err != nil {
		return p.fromYAML(err)
	}
	p.body, err = p.document(tree)
	return err
}

// linesOf returns the lines of a text, ended as on Windows, old Macs or
// elsewhere. Space at their ends is taken off, and tabs after the indentation
// are made spaces: the library misplaces a value beside them.
func linesOf(text string) []string {
	text = strings.TrimPrefix(text, "\ufeff") // what Windows begins a text file with
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		line = strings.TrimRight(line, " \t")
		words := strings.TrimLeft(line, " \t")
		lines[i] = line[:len(line)-len(words)] + strings.ReplaceAll(words, "\t", " ")
	}
	return lines
}

// parsed is a script, or another file, on its way to a value, with what errors need.
type parsed struct {
	file string
	// what says what it is, and keys are some that it has at least.
	what, keys string
	lines      []string
	body       ast.Node
}

// maxDepth is how deeply a script may nest; ours need four levels.
const maxDepth = 20

// checkDepth bounds what the parser is given: it is recursive, and deep input
// can cost it much more than a script's size.
func (p parsed) checkDepth() error {
	depth := 0
	for i, line := range p.lines {
		deepest := (len(line) - len(strings.TrimLeft(line, " -?"))) / 8
		if words := strings.TrimLeft(line, " "); strings.HasPrefix(words, "#") {
			continue
		}
		code, _, _ := strings.Cut(line, " #")
		for _, c := range code {
			switch c {
			case '[', '{':
				depth++
			case ']', '}':
				depth--
			}
			deepest = max(deepest, depth)
		}
		if deepest > maxDepth {
			return &Error{File: p.file, Line: i + 1, Column: 1, Message: "is nested too deeply for " + p.what, Text: line}
		}
	}
	return nil
}

// document returns the one document of a script.
func (p parsed) document(tree *ast.File) (ast.Node, error) {
	docs := slices.DeleteFunc(tree.Docs, func(d *ast.DocumentNode) bool {
		_, isDirective := d.Body.(*ast.DirectiveNode) // %YAML 1.2
		return isDirective
	})
	if len(docs) == 0 || docs[0].Body == nil {
		return nil, p.at(nil, "is empty: "+p.what+" has at least "+p.keys)
	}
	if len(docs) > 1 {
		begin := docs[1].Start
		if begin == nil && docs[1].Body != nil {
			begin = firstToken(docs[1].Body)
		}
		return nil, p.at(begin, "a second document begins here: "+p.what+" is one document")
	}
	if _, ok := docs[0].Body.(*ast.MappingNode); !ok {
		return nil, p.at(firstToken(docs[0].Body), p.what+" is made of keys and values, such as: id: mine")
	}
	return docs[0].Body, nil
}

// fromYAML turns the library's error into ours, in words for people who write
// scripts rather than Go.
func (p parsed) fromYAML(err error) error {
	var y yaml.Error
	if !errors.As(err, &y) {
		return p.at(nil, err.Error())
	}
	message := y.GetMessage()
	var tooLarge *yaml.OverflowError
	var key string
	var line, column int
	switch {
	case errors.As(err, &tooLarge):
		message = "number " + short(tooLarge.SrcNum) + " is too large"
	case strings.HasPrefix(message, "unknown field"): // beyond an alias
		message = strings.Replace(message, "field", "key", 1)
	case strings.HasSuffix(message, "was used where mapping is expected"):
		message = "keys and values are expected here, such as: id: mine"
	case strings.HasSuffix(message, "was used where sequence is expected"):
		message = "a list is expected here, such as: [a, b]"
	case strings.HasPrefix(message, "could not find alias"):
		message = "a value that begins with * repeats one that a & has named before, and there is none: put it in quotes"
	default:
		for _, m := range messages {
			if strings.HasPrefix(message, m.begins) {
				message = m.says
				break
			}
		}
	}
	if n, _ := fmt.Sscanf(message, "mapping key %q already defined at [%d:%d]", &key, &line, &column); n == 3 {
		message = fmt.Sprintf("key %q is given twice: first in line %d", short(key), line)
	}
	if tok := y.GetToken(); tok != nil && strings.HasPrefix(message, misplaced) && (tok.Value == "]" || tok.Value == "}") {
		message = "a " + tok.Value + " ends nothing: it is one too many, or what it ends is not begun"
	}
	return p.at(y.GetToken(), message)
}

const misplaced = "this does not belong here"

// Messages of the library that its users would read twice, by how they begin.
var messages = []struct{ begins, says string }{
	{"found character '\t'", "a line is indented with spaces, not with a tab"},
	{"invalid header option", "put a value that begins with > or | in quotes"},
	{"mapping value is not allowed", `a key is not allowed here: look at the indentation, and put a value that has ": " in it in quotes`},
	{"value is not allowed in this context", misplaced + ": look at the indentation, keys of one level begin in one column"},
	{"non-map value is specified", "keys and values are expected here, such as: id: mine: look at the colon, and at the space after it"},
	{"unexpected key name", "a key and its value are expected here, such as: id: mine: look at the colon, and at the space after it"},
	{"',' or ']' must be specified", "a list that a [ began is not ended: a ] or a comma is missing before this"},
	{"sequence end token ']' not found", "a list that a [ began is not ended: a ] is missing"},
	{"',' or '}' must be specified", "a { before this is not ended: a } or a comma is missing"},
	{"could not find flow mapping end token", "a { is not ended: a } is missing"},
	{"could not find '[' character", "a ] ends nothing: it is one too many, or what it ends is not begun"},
	{"could not find '{' character", "a } ends nothing: it is one too many, or what it ends is not begun"},
	{"'@' is a reserved character", "put a value that begins with @ in quotes"},
	{"'`' is a reserved character", "put a value that begins with ` in quotes"},
	{"unexpected directive", "put a value that begins with % in quotes"},
	{"could not find end character of double-quoted", `a text that a " began is not ended: a " is missing`},
	{"could not find end character of single-quoted", "a text that a ' began is not ended: a ' is missing"},
	{"block sequence entries are not allowed", `an entry of a list is not allowed here: put it on a line of its own, and a value that begins with "- " in quotes`},
}

func (p parsed) at(tok *token.Token, message string) error {
	e := &Error{File: p.file, Message: message}
	if tok == nil || tok.Position == nil {
		return e
	}
	e.Line, e.Column = tok.Position.Line, tok.Position.Column
	if e.Line >= 1 && e.Line <= len(p.lines) {
		e.Text = p.lines[e.Line-1]
	}
	return e
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
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	case *ast.SequenceNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
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
