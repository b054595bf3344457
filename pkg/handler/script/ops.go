package script

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// hidden returns the functions that rewritten scripts call, by their names.
func hidden() starlark.StringDict {
	out := starlark.StringDict{}
	add := func(name, shown string, f func(*run, *starlark.Thread, starlark.Tuple, []starlark.Tuple) (starlark.Value, error)) {
		out[name] = builtin(shown, f)
	}
	for op := syntax.PLUS; op <= syntax.GTGT; op++ {
		add(opPrefix+op.String(), op.String(), operator(op))
		add(augPrefix+op.String(), op.String()+"=", augmented(op))
	}
	for _, op := range []syntax.Token{syntax.LT, syntax.GT, syntax.GE, syntax.LE, syntax.EQL, syntax.NEQ, syntax.IN, syntax.NOT_IN} {
		add(opPrefix+op.String(), op.String(), operator(op))
	}
	add(hideIndex, "[]=", augmentIndex)
	add(hideKey, "[]", func(r *run, thread *starlark.Thread, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		_, err := r.weigh(thread, args[0])
		return args[0], err
	})
	add(hideStar, "*", func(r *run, thread *starlark.Thread, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		return args[0], r.elements(thread, args[0], 3*entryWeight)
	})
	add(hidePart, "[:]", func(r *run, thread *starlark.Thread, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		switch args[0].(type) {
		case starlark.String, starlark.Bytes: // the part of a text is not copied
			return args[0], nil
		}
		return args[0], r.elements(thread, args[0], nodeWeight)
	})
	add(hideCopy, "[::]", func(r *run, thread *starlark.Thread, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		n := size(args[0])
		spend(thread, max(n, 0))
		return args[0], r.charge(6 * n)
	})
	add(hideMade, "[]", func(r *run, _ *starlark.Thread, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		return args[0], r.charge(size(args[0]))
	})
	add(hideEnter, "def", func(r *run, _ *starlark.Thread, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		n, err := starlark.AsInt32(args[0])
		if err != nil {
			return nil, err
		}
		return starlark.True, r.charge(3 * nodeWeight * n)
	})
	add(hideAttr, "getattr", func(r *run, _ *starlark.Thread, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		return r.attr(args[0], string(args[1].(starlark.String)))
	})
	add(hideCall, "call", func(r *run, thread *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		return r.method(thread, args[0], string(args[1].(starlark.String)), args[2:], kwargs)
	})
	return out
}

// builtin returns a function for scripts. A panic in it is an error, with the
// script's line.
func builtin(name string, f func(*run, *starlark.Thread, starlark.Tuple, []starlark.Tuple) (starlark.Value, error)) *starlark.Builtin {
	return starlark.NewBuiltin(name, func(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (v starlark.Value, err error) {
		defer func() {
			if p := recover(); p != nil {
				v, err = nil, panicked(p)
			}
		}()
		if v, err = f(runOf(thread), thread, args, kwargs); err != nil {
			return nil, err
		}
		return v, nil
	})
}

// small reports whether v is a number that no operation makes much of.
func small(v starlark.Value) bool {
	switch v := v.(type) {
	case starlark.Float, starlark.Bool, starlark.NoneType:
		return true
	case starlark.Int:
		_, ok := v.Int64()
		return ok
	}
	return false
}

// operator returns what x op y is.
func operator(op syntax.Token) func(*run, *starlark.Thread, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
	return func(r *run, thread *starlark.Thread, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		return r.operate(thread, op, args[0], args[1])
	}
}

func (r *run) operate(thread *starlark.Thread, op syntax.Token, x, y starlark.Value) (starlark.Value, error) {
	switch op {
	case syntax.LT, syntax.GT, syntax.GE, syntax.LE, syntax.EQL, syntax.NEQ:
		if err := r.look(thread, x, y); err != nil {
			return nil, err
		}
		ok, err := starlark.Compare(op, x, y)
		return starlark.Bool(ok), err
	case syntax.IN, syntax.NOT_IN:
		if y.Type() != "range" { // which only reckons
			if err := r.look(thread, x, y); err != nil {
				return nil, err
			}
		}
		in, err := starlark.Binary(syntax.IN, x, y)
		if err == nil && op == syntax.NOT_IN {
			return !in.Truth(), nil
		}
		return in, err
	}
	if !small(x) || !small(y) || op == syntax.LTLT {
		bytes, err := r.cost(thread, op, x, y)
		if err == nil {
			err = r.charge(bytes)
		}
		if err != nil {
			return nil, err
		}
	}
	return starlark.Binary(op, x, y)
}

// look pays for looking through two values.
func (r *run) look(thread *starlark.Thread, x, y starlark.Value) error {
	if small(x) && small(y) {
		return nil
	}
	_, err := r.weigh(thread, x, y)
	return err
}

// cost returns how many bytes x op y makes at most, and pays for looking through
// its operands.
func (r *run) cost(thread *starlark.Thread, op syntax.Token, x, y starlark.Value) (int, error) {
	a, xInt := x.(starlark.Int)
	b, yInt := y.(starlark.Int)
	if xInt && yInt {
		return integer(op, a, b)
	}
	switch op {
	case syntax.STAR:
		what, times := x, b
		if xInt {
			what, times = y, a
		}
		n, ok := times.Int64()
		if !xInt && !yInt || n <= 0 && ok {
			return 0, nil // a number, nothing, or an error
		}
		each := size(what)
		if !ok || each < 0 || n > int64(r.limits.memory) {
			return -1, nil
		}
		spend(thread, each*int(n))
		return each * int(n), nil
	case syntax.PERCENT:
		format, ok := x.(starlark.String)
		if !ok {
			return 0, nil
		}
		w, err := r.weigh(thread, y)
		// Each value is written once, but for those that are named.
		return len(format) + 6*w*(1+strings.Count(string(format), "%(")), err
	case syntax.PIPE, syntax.AMP, syntax.CIRCUMFLEX, syntax.MINUS:
		w, err := r.weigh(thread, x, y)
		return w * entryWeight / nodeWeight, err
	}
	sx, sy := size(x), size(y)
	if sx < 0 || sy < 0 {
		return -1, nil
	}
	spend(thread, sx+sy)
	return sx + sy, nil
}

// integer is cost for two integers.
func integer(op syntax.Token, x, y starlark.Int) (int, error) {
	n := max(bits(x), bits(y)) + 1
	switch op {
	case syntax.STAR:
		n = bits(x) + bits(y)
	case syntax.LTLT:
		by, ok := y.Int64()
		if !ok || by > maxBits {
			n = maxBits + 64
		} else {
			n = x.BigInt().BitLen() + int(by)
		}
	}
	if n > maxBits+1 {
		return 0, &overError{outcomeMemory, fmt.Sprintf("an integer of more than %d bits", maxBits)}
	}
	return n/8 + 4*nodeWeight, nil
}

// augmented returns what x is after x op= y. A list and a dict are changed in
// place.
func augmented(op syntax.Token) func(*run, *starlark.Thread, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
	return func(r *run, thread *starlark.Thread, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		return r.augment(thread, op, args[0], args[1])
	}
}

func (r *run) augment(thread *starlark.Thread, op syntax.Token, x, y starlark.Value) (starlark.Value, error) {
	switch x := x.(type) {
	case *starlark.List:
		if _, ok := y.(starlark.Iterable); ok && op == syntax.PLUS {
			_, err := r.method(thread, x, "extend", starlark.Tuple{y}, nil)
			return x, err
		}
	case *starlark.Dict:
		if _, ok := y.(*starlark.Dict); ok && op == syntax.PIPE {
			_, err := r.method(thread, x, "update", starlark.Tuple{y}, nil)
			return x, err
		}
	}
	return r.operate(thread, op, x, y)
}

// augmentIndex is x[i] op= y.
func augmentIndex(r *run, thread *starlark.Thread, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	x, key, name, y := args[0], args[1], args[2], args[3]
	if _, err := r.weigh(thread, key); err != nil {
		return nil, err
	}
	op := syntax.PLUS
	for op.String() != string(name.(starlark.String)) {
		op++
	}
	switch x := x.(type) {
	case starlark.HasSetKey:
		old, found, err := x.Get(key)
		if err != nil {
			return nil, err
		}
		if !found {
			return nil, fmt.Errorf("there is no key %.100s in this %s", key.String(), x.Type())
		}
		v, err := r.augment(thread, op, old, y)
		if err != nil {
			return nil, err
		}
		return starlark.None, x.SetKey(key, v)
	case starlark.HasSetIndex:
		i, err := starlark.AsInt32(key)
		if err != nil {
			return nil, fmt.Errorf("%s index: %w", x.Type(), err)
		}
		n := x.Len()
		if i < 0 {
			i += n
		}
		if i < 0 || i >= n {
			return nil, fmt.Errorf("%s index %v is out of range; it has %d", x.Type(), key, n)
		}
		v, err := r.augment(thread, op, x.Index(i), y)
		if err != nil {
			return nil, err
		}
		return starlark.None, x.SetIndex(i, v)
	}
	return nil, fmt.Errorf("%s value does not support item assignment", x.Type())
}
