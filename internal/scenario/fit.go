package scenario

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// fit returns the first thing in node, in the order of the file, that is not
// how a value of type t is written. The library's own decoding is more lenient
// than a script should be: 2.5 becomes the whole number 2 and "200" a number.
// Of two unknown keys it names either.
func (p parsed) fit(node ast.Node, t reflect.Type, name string) error {
	node = bare(node)
	switch node.(type) {
	case *ast.NullNode: // as if the key were not there
		return nil
	case *ast.AliasNode: // what it stands for was looked at in its own place
		return nil
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[Server]() {
		t = section()
	}
	own, hasOwn := reflect.Zero(t).Interface().(value)
	switch {
	case hasOwn:
		if _, _, ok := expectationText(node); ok && (t == reflect.TypeFor[Expectation]() || isScalar(node)) {
			return nil // the rest it sees to itself
		}
		return p.at(firstToken(node), fmt.Sprintf("%s is %s, not %s", name, own.form(), valueName(node)))
	case t.Kind() == reflect.Struct:
		if m, ok := node.(*ast.MappingNode); ok {
			return p.fitKeys(m, t)
		}
	case t.Kind() == reflect.Slice:
		if list, ok := node.(*ast.SequenceNode); ok {
			for _, item := range list.Values {
				if err := p.fit(item, t.Elem(), "each item of "+name); err != nil {
					return err
				}
			}
			return nil
		}
	default:
		if slices.Contains(written[t.Kind()], node.Type()) {
			return nil
		}
	}
	message := fmt.Sprintf("%s is %s, not %s", name, kindName(t.Kind()), valueName(node))
	if _, isScalar := node.(ast.ScalarNode); isScalar && t.Kind() == reflect.String {
		message += ": put it in quotes"
	}
	return p.at(firstToken(node), message)
}

// value is a type with a way of its own to be written.
type value interface {
	form() string // as in "delay is %s"
}

// written says which values stand for a type that has no words of its own.
var written = map[reflect.Kind][]ast.NodeType{
	reflect.Int:     {ast.IntegerType},
	reflect.Float64: {ast.IntegerType, ast.FloatType, ast.InfinityType, ast.NanType},
	reflect.Bool:    {ast.BoolType},
	reflect.String:  {ast.StringType, ast.LiteralType},
}

func (p parsed) fitKeys(m *ast.MappingNode, t reflect.Type) error {
	keys := keysOf(t)
	for _, pair := range m.Values {
		key := pair.Key.GetToken()
		i := slices.Index(keys, key.Value)
		if i < 0 {
			return p.at(key, fmt.Sprintf("unknown key %q: use one of %s", short(key.Value), strings.Join(keys, ", ")))
		}
		if err := p.fit(pair.Value, t.Field(i).Type, key.Value); err != nil {
			return err
		}
	}
	return nil
}

// keysOf lists the keys of a struct, in the order of its fields. A field that is
// no key comes after all that are.
func keysOf(t reflect.Type) []string {
	keys := make([]string, 0, t.NumField())
	for i := range t.NumField() {
		key, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if key == "-" {
			break
		}
		keys = append(keys, key)
	}
	return keys
}

// bare returns the value below an anchor or a tag.
func bare(node ast.Node) ast.Node {
	for {
		switch n := node.(type) {
		case *ast.AnchorNode:
			node = n.Value
		case *ast.TagNode:
			node = n.Value
		default:
			return node
		}
	}
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
	case reflect.Slice:
		return "a list"
	default:
		return "keys and values"
	}
}

// valueName is what a message calls the value that a script has.
func valueName(node ast.Node) string {
	switch n := node.(type) {
	case *ast.MappingNode:
		return "keys and values"
	case *ast.SequenceNode:
		return "a list"
	case *ast.StringNode:
		return fmt.Sprintf("%q", short(n.Value))
	case *ast.LiteralNode:
		return "a block of text"
	default:
		return short(n.GetToken().Value)
	}
}
