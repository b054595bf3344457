package script

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"github.com/chartd/chartd/pkg/problem"
)

// price works out what a call costs, and pays for it. recv is nil for what is no
// method.
type price func(r *run, thread *starlark.Thread, recv starlark.Value, args starlark.Tuple, kwargs []starlark.Tuple) error

// free is the price of what looks at nothing and makes next to nothing.
func free(*run, *starlark.Thread, starlark.Value, starlark.Tuple, []starlark.Tuple) error { return nil }

// each is the price of what makes so many bytes of each value that its arguments
// yield, and does not look into those.
func each(bytes int) price {
	return func(r *run, thread *starlark.Thread, _ starlark.Value, args starlark.Tuple, kwargs []starlark.Tuple) error {
		for _, a := range args {
			if err := r.elements(thread, a, bytes); err != nil {
				return err
			}
		}
		return r.charge(entryWeight * len(kwargs))
	}
}

// all is the price of what looks through all that it is given, as often as the
// factor says, and makes so many times as much.
func all(factor int) price {
	return func(r *run, thread *starlark.Thread, recv starlark.Value, args starlark.Tuple, kwargs []starlark.Tuple) error {
		w, err := r.weighCall(thread, recv, args, kwargs)
		if err != nil {
			return err
		}
		return r.charge(factor*w + 4*nodeWeight)
	}
}

// weighCall weighs what a function is given.
func (r *run) weighCall(thread *starlark.Thread, recv starlark.Value, args starlark.Tuple, kwargs []starlark.Tuple) (int, error) {
	vs := make([]starlark.Value, 0, len(args)+len(kwargs)+1)
	vs = append(vs, args...)
	if recv != nil {
		vs = append(vs, recv)
	}
	for _, kv := range kwargs {
		vs = append(vs, kv[1])
	}
	return r.weigh(thread, vs...)
}

// universe returns Starlark's own functions at their prices. What is not here
// does not exist.
func universe() starlark.StringDict {
	prices := map[string]price{
		"abs": free, "bool": free, "chr": free, "dir": free, "float": all(0), "len": free, "ord": all(0), "range": free, "type": free,
		"any": each(0), "all": each(0),
		"list": each(entryWeight), "tuple": each(entryWeight), "reversed": each(entryWeight), "enumerate": each(2 * entryWeight), "zip": each(2 * entryWeight),
		"bytes": all(1), "dict": all(entryWeight / nodeWeight), "fail": all(6), "hash": all(0), "int": numeral, "max": all(0), "min": all(0),
		"print": all(6), "repr": all(6), "sorted": all(8), "str": all(6),
	}
	out := starlark.StringDict{"None": starlark.None, "True": starlark.True, "False": starlark.False}
	for name, cost := range prices {
		b, _ := starlark.Universe[name].(*starlark.Builtin)
		out[name] = priced(b, nil, cost)
	}
	out["getattr"] = builtin("getattr", func(r *run, _ *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var x, other starlark.Value
		var name string
		if err := starlark.UnpackPositionalArgs("getattr", args, kwargs, 2, &x, &name, &other); err != nil {
			return nil, err
		}
		v, err := r.attr(x, name)
		if err != nil && other != nil {
			return other, nil
		}
		return v, err
	})
	out["hasattr"] = builtin("hasattr", func(r *run, _ *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var x starlark.Value
		var name string
		if err := starlark.UnpackPositionalArgs("hasattr", args, kwargs, 2, &x, &name); err != nil {
			return nil, err
		}
		_, err := r.attr(x, name)
		return starlark.Bool(err == nil), nil
	})
	return out
}

// priced returns b behind its price.
func priced(b *starlark.Builtin, recv starlark.Value, cost price) *starlark.Builtin {
	return builtin(b.Name(), func(r *run, thread *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if err := cost(r, thread, recv, args, kwargs); err != nil {
			return nil, err
		}
		return b.CallInternal(thread, args, kwargs)
	})
}

// numeral is the price of reading an integer, which grows with the square of its
// length.
func numeral(r *run, _ *starlark.Thread, _ starlark.Value, args starlark.Tuple, _ []starlark.Tuple) error {
	if len(args) > 0 {
		if s, ok := args[0].(starlark.String); ok && len(s) > maxBits {
			return fmt.Errorf("int: a text of %d bytes; at most %d", len(s), maxBits)
		}
	}
	return r.charge(entryWeight)
}

// attr returns x.name. A method comes with its price.
func (r *run) attr(x starlark.Value, name string) (starlark.Value, error) {
	if a, ok := x.(ambient); ok {
		return r.field(a, name)
	}
	has, ok := x.(starlark.HasAttrs)
	if !ok {
		return nil, fmt.Errorf("%s has no .%s", x.Type(), name)
	}
	v, err := has.Attr(name)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, noField(x.Type(), name, has.AttrNames())
	}
	if b, ok := v.(*starlark.Builtin); ok && b.Receiver() != nil {
		if err := r.charge(3 * entryWeight); err != nil {
			return nil, err
		}
		return priced(b, x, methodPrice(x, name)), nil
	}
	return v, nil
}

func noField(what, name string, there []string) error {
	return fmt.Errorf("%s has no .%s; %s", what, name, problem.OneOf(name, there))
}

// method calls x.name(…).
func (r *run) method(thread *starlark.Thread, x starlark.Value, name string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if has, ok := x.(starlark.HasAttrs); ok {
		v, err := has.Attr(name)
		if b, ok := v.(*starlark.Builtin); ok && err == nil && b.Receiver() != nil {
			if err := methodPrice(x, name)(r, thread, x, args, kwargs); err != nil {
				return nil, err
			}
			return b.CallInternal(thread, args, kwargs)
		}
	}
	v, err := r.attr(x, name)
	if err != nil {
		return nil, err
	}
	return starlark.Call(thread, v, args, kwargs)
}

// methodPrice returns the price of a method of one of Starlark's own types.
func methodPrice(x starlark.Value, name string) price {
	switch x.(type) {
	case *starlark.List:
		return listPrice(name)
	case *starlark.Dict:
		return dictPrice(name)
	case starlark.String:
		return textPrice(name)
	}
	return all(4)
}

func listPrice(name string) price {
	switch name {
	case "append":
		return growing
	case "insert", "pop", "clear":
		return func(r *run, thread *starlark.Thread, recv starlark.Value, args starlark.Tuple, kwargs []starlark.Tuple) error {
			spend(thread, nodeWeight*starlark.Len(recv))
			return growing(r, thread, recv, args, kwargs)
		}
	case "extend":
		return each(entryWeight)
	}
	return all(0) // index, remove
}

// growing is the price of one element or entry more.
func growing(r *run, thread *starlark.Thread, _ starlark.Value, args starlark.Tuple, _ []starlark.Tuple) error {
	return r.charge(4 * nodeWeight)
}

func dictPrice(name string) price {
	switch name {
	case "items", "keys", "values":
		return func(r *run, thread *starlark.Thread, recv starlark.Value, _ starlark.Tuple, _ []starlark.Tuple) error {
			return r.elements(thread, recv, 2*entryWeight)
		}
	case "get", "pop", "setdefault":
		return func(r *run, thread *starlark.Thread, _ starlark.Value, args starlark.Tuple, _ []starlark.Tuple) error {
			if len(args) > 0 {
				if _, err := r.weigh(thread, args[0]); err != nil {
					return err
				}
			}
			if name != "setdefault" {
				return nil
			}
			return r.charge(entryWeight)
		}
	case "update":
		return func(r *run, thread *starlark.Thread, _ starlark.Value, args starlark.Tuple, kwargs []starlark.Tuple) error {
			return all(2*entryWeight/nodeWeight)(r, thread, nil, args, kwargs)
		}
	}
	return func(r *run, thread *starlark.Thread, recv starlark.Value, _ starlark.Tuple, _ []starlark.Tuple) error {
		spend(thread, nodeWeight*starlark.Len(recv)) // clear, popitem
		return nil
	}
}

// textPrice is the price of a method of a text.
func textPrice(name string) price {
	return func(r *run, thread *starlark.Thread, recv starlark.Value, args starlark.Tuple, kwargs []starlark.Tuple) error {
		s, _ := recv.(starlark.String)
		w, err := r.weighCall(thread, recv, args, kwargs)
		if err != nil {
			return err
		}
		arg := func(i int) string {
			if i < len(args) {
				a, _ := args[i].(starlark.String)
				return string(a)
			}
			return ""
		}
		switch name {
		case "split", "rsplit":
			pieces := len(s)/2 + 1
			if sep := arg(0); sep != "" {
				pieces = strings.Count(string(s), sep) + 1
			}
			return r.charge(4 * nodeWeight * pieces)
		case "splitlines":
			return r.charge(4 * nodeWeight * (strings.Count(string(s), "\n") + strings.Count(string(s), "\r") + 1))
		case "join":
			if len(args) == 0 {
				return nil
			}
			return r.charge(w + len(s)*count(args[0], r.limits.memory))
		case "replace":
			return r.charge(w + (strings.Count(string(s), arg(0))+1)*len(arg(1)))
		case "format":
			return r.charge(len(s) + 6*w*(strings.Count(string(s), "{")+1))
		case "upper", "lower", "title", "capitalize":
			return r.charge(3*w + 4*nodeWeight)
		}
		return r.charge(8 * nodeWeight) // what looks, or returns a part
	}
}
