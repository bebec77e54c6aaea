//go:build linux

package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"strings"
	"sync"

	"socketlab/internal/scenario"
	"socketlab/internal/where"
	"socketlab/scenarios"
)

// row is what was said of one scenario.
type row struct {
	id, kind string
	err      error

	mu    sync.Mutex // guards sides
	sides map[scenario.Side]*said
}

// said is what was said of one client.
type said struct {
	verdict string
	// held are its connections, and known are those with a line of the pair's code.
	held, known int
	// waiting are the requests without a connection, with a line of the pair's code.
	waiting int
	// asLesson says that the line of the most connections is in the function of the
	// lesson's wrong line.
	asLesson bool
	// lines are the groups as text, and wrong those of other code than the pair's.
	lines, wrong []string
	unknown      []string
}

func (r *row) failed(err error) *row {
	r.err = err
	return r
}

func (r *row) enter(side scenario.Side, a *answer) {
	v := a.Subjects[0].Verdict
	s := &said{verdict: strings.TrimSpace(v.Severity + " " + v.Kind)}
	if h := a.Subjects[0].Holders; h != nil {
		s.held = h.Connections
		for i := range h.Groups {
			s.enter(&h.Groups[i], r.id, side)
		}
		for _, u := range h.Unknown {
			s.unknown = append(s.unknown, fmt.Sprintf("%d %s", u.Connections, u.Reason))
		}
		s.unknown = append(s.unknown, h.Notes...)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sides == nil {
		r.sides = map[scenario.Side]*said{}
	}
	r.sides[side] = s
}

func (s *said) enter(g *where.Group, id string, side scenario.Side) {
	text := fmt.Sprintf("%d %s at %s:%d", g.Count(), g.State, g.Site.File[strings.LastIndex(g.Site.File, "/")+1:], g.Site.Line)
	if g.Pools > 1 {
		text += fmt.Sprintf(" (%d pools)", g.Pools)
	}
	// The pair may share a file, but no side has the other one's.
	folder, file := path.Split(g.Site.File)
	if !strings.HasSuffix(folder, "socketlab/scenarios/"+id+"/") || file == string(side.Other())+".go" {
		s.wrong = append(s.wrong, text)
		return
	}
	if s.known += g.Connections; g.Connections == 0 {
		s.waiting += g.Requests
	}
	if len(s.lines) == 0 {
		s.asLesson = inFunctionOfLesson(id, g.Site.Line)
	}
	s.lines = append(s.lines, text)
}

// inFunctionOfLesson reports whether a line of the faulty code is in a function that has a
// line which the lesson quotes as wrong.
func inFunctionOfLesson(id string, line int) bool {
	_, lesson, _ := strings.Cut(scenarios.Lesson(id), "## The wrong line\n")
	block := regexp.MustCompile("(?s)```go\n(.*?)```").FindStringSubmatch(lesson)
	code := scenarios.Code(id, scenario.Faulty)
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, "", code, 0)
	if block == nil || err != nil {
		return false
	}
	lines := strings.Split(code, "\n")
	for _, d := range parsed.Decls {
		first, last := files.Position(d.Pos()).Line, files.Position(d.End()).Line
		if _, isFunction := d.(*ast.FuncDecl); !isFunction || line < first || line > last {
			continue
		}
		for _, l := range lines[first-1 : last] {
			if l = strings.TrimSpace(l); len(l) > len("return err") && strings.Contains(block[1], l) {
				return true
			}
		}
	}
	return false
}

// unreachable are the scenarios whose server refuses or drops each connect to the end: that
// is true of both sides.
var unreachable = map[string]string{
	"connection-refused": "connect-refused",
	"timeout-connect":    "connect-stalled",
	"firewall-drop":      "connect-stalled",
}

// right reports whether no line is of other code, enough of the connections of the faulty
// client have one, and the fixed client has no fault.
func (r *row) right() bool {
	if r.err != nil {
		return false
	}
	faulty, fixed := r.sides[scenario.Faulty], r.sides[scenario.Fixed]
	severity, kind, _ := strings.Cut(fixed.verdict, " ")
	fault := (severity == "fault" || severity == "leak") && kind != unreachable[r.id]
	return len(faulty.wrong)+len(fixed.wrong) == 0 && 100*faulty.known >= 95*faulty.held && !fault
}

func (r *row) String() string {
	if r.err != nil {
		return fmt.Sprintf("%-30s FAILED: %v", r.id, r.err)
	}
	mark := "ok"
	if !r.right() {
		mark = "BAD"
	}
	text := fmt.Sprintf("%-30s %-3s %s", r.id, mark, r.kind)
	for _, side := range scenario.Sides() {
		s := r.sides[side]
		text += fmt.Sprintf("\n    %-6s  a line for %d of %d; verdict %s", side, s.known, s.held, s.verdict)
		if side == scenario.Faulty && s.asLesson {
			text += "; in the function of the lesson's wrong line"
		}
		for _, l := range s.lines {
			text += "\n            " + l
		}
		for _, l := range s.wrong {
			text += "\n            OTHER CODE: " + l
		}
		for _, l := range s.unknown {
			text += "\n            no line: " + l
		}
	}
	return text
}
