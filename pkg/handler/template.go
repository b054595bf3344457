package handler

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"
)

// maxText bounds what one template writes, in bytes.
const maxText = 16 << 10

// functions are what templates may call. None of them can loop, or make much
// out of little. The ones of text/template that are not safe (printf with a
// width, call) are not among them, and neither are loops: see allowed.
func functions() template.FuncMap {
	return template.FuncMap{
		"after": after, "before": before,
		"lower": onText(strings.ToLower), "upper": onText(strings.ToUpper), "trim": onText(strings.TrimSpace),
		"default": orElse, "json": toJSON, "eq": equal, "ne": unequal, finish: textOf,
	}
}

// finish is the function that every {{ }} ends with: it turns the value into
// text, or says why it is none.
const finish = "text"

// allowed are the functions that a template may name: those of functions, and
// the words of logic.
func allowed(name string) bool {
	switch name {
	case "and", "or", "not":
		return true
	}
	_, ok := functions()[name]
	return ok && name != finish
}

// wantTemplate says what a template is made of.
const wantTemplate = `write as {{ .arg | after ":" }}; there are .arg .chart .user .claims .vars .cause, and after before lower upper trim default json eq ne and or not if else with`

// parseTemplate returns a template that is known to end soon: it has no loops,
// and calls only what is safe.
func parseTemplate(text string) (*template.Template, error) {
	t, err := template.New("").Option("missingkey=zero").Funcs(functions()).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s; %s", strings.TrimPrefix(cut(err.Error()), "template: :1: "), wantTemplate)
	}
	if len(t.Templates()) > 1 {
		return nil, fmt.Errorf("a template inside a template; %s", wantTemplate)
	}
	if t.Tree == nil || t.Root == nil {
		return nil, fmt.Errorf("an empty template; %s", wantTemplate)
	}
	if err := check(t.Root); err != nil {
		return nil, fmt.Errorf("%w; %s", err, wantTemplate)
	}
	return t, nil
}

// cut keeps messages that quote somebody's text short.
func cut(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// check walks a template, refuses what is not allowed, and lets every {{ }} end
// with finish.
func check(n parse.Node) error {
	switch n := n.(type) {
	case nil, *parse.TextNode, *parse.CommentNode, *parse.FieldNode, *parse.VariableNode, *parse.DotNode, *parse.StringNode,
		*parse.NumberNode, *parse.BoolNode, *parse.NilNode:
		return nil
	case *parse.ListNode:
		if n == nil {
			return nil
		}
		for _, one := range n.Nodes {
			if err := check(one); err != nil {
				return err
			}
		}
		return nil
	case *parse.ActionNode:
		if err := check(n.Pipe); err != nil {
			return err
		}
		if len(n.Pipe.Decl) == 0 {
			n.Pipe.Cmds = append(n.Pipe.Cmds, &parse.CommandNode{
				NodeType: parse.NodeCommand, Pos: n.Pos, Args: []parse.Node{parse.NewIdentifier(finish).SetPos(n.Pos)},
			})
		}
		return nil
	case *parse.IfNode:
		return errors.Join(check(n.Pipe), check(n.List), check(n.ElseList))
	case *parse.WithNode:
		return errors.Join(check(n.Pipe), check(n.List), check(n.ElseList))
	case *parse.PipeNode:
		for _, c := range n.Cmds {
			for _, arg := range c.Args {
				if err := check(arg); err != nil {
					return err
				}
			}
		}
		return nil
	case *parse.ChainNode:
		return check(n.Node)
	case *parse.IdentifierNode:
		if !allowed(n.Ident) {
			return fmt.Errorf("a template may not call %q", n.Ident)
		}
		return nil
	default:
		return fmt.Errorf("a template may not hold %s", cut(n.String()))
	}
}

// errTooMuch is that a template writes more than maxText.
var errTooMuch = fmt.Errorf("it writes more than %d bytes", maxText)

// bounded is a text of at most maxText bytes.
type bounded struct{ strings.Builder }

// Write appends, or fails.
func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxText {
		return 0, errTooMuch
	}
	return b.Builder.Write(p)
}

// expand runs a template.
func expand(t *template.Template, data map[string]any) (string, error) {
	var b bounded
	if err := t.Execute(&b, data); err != nil {
		if errors.Is(err, errTooMuch) {
			return "", errTooMuch
		}
		// "template: :1:3: executing "" at <.arg.x>: why" says where by itself.
		said := err.Error()
		if _, rest, ok := strings.Cut(said, ` at <`); ok {
			said = "<" + rest
		}
		// Which function was called stands between the brackets; finish nobody wrote.
		if at, why, ok := strings.Cut(said, ">: error calling "); ok {
			_, why, _ = strings.Cut(why, ": ")
			if said = at + ">: " + why; at == "<"+finish {
				said = why
			}
		}
		return "", errors.New(cut(said))
	}
	return b.String(), nil
}

// textOf returns a value as text: a text itself, a number or a boolean as JSON
// writes it.
func textOf(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	case int:
		return strconv.Itoa(v), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case nil:
		return "", errors.New("there is no such value; give another one, as {{ .arg.x | default \"y\" }}")
	case []any, map[string]any, map[string]string:
		return "", errors.New("it is a list or an object; write {{ json .arg }} for its JSON")
	}
	return "", fmt.Errorf("a %T is no text", v)
}

// after returns what follows the first sep; "" if there is none.
func after(sep string, v any) (string, error) {
	s, err := textOf(v)
	_, rest, _ := strings.Cut(s, sep)
	return rest, err
}

// before returns what precedes the first sep; all of it if there is none.
func before(sep string, v any) (string, error) {
	s, err := textOf(v)
	head, _, _ := strings.Cut(s, sep)
	return head, err
}

func onText(f func(string) string) func(any) (string, error) {
	return func(v any) (string, error) {
		s, err := textOf(v)
		return f(s), err
	}
}

// orElse returns v, or other where v is absent or empty.
func orElse(other, v any) any {
	if v == nil || v == "" {
		return other
	}
	return v
}

func toJSON(v any) (string, error) {
	var b bounded
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// equal compares as texts: 3, "3" and the 3 of an argument are the same.
// Nothing is equal to what is absent.
func equal(a, b any) bool {
	x, errX := textOf(a)
	y, errY := textOf(b)
	return errX == nil && errY == nil && x == y
}

func unequal(a, b any) bool { return !equal(a, b) }
