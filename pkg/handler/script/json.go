package script

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"

	"go.starlark.net/starlark"
)

// jsonFunctions returns the functions of json.
func jsonFunctions() starlark.StringDict {
	return starlark.StringDict{
		"encode": builtin("json.encode", func(r *run, thread *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			var v starlark.Value
			if err := starlark.UnpackPositionalArgs("json.encode", args, kwargs, 1, &v); err != nil {
				return nil, err
			}
			b, err := r.encode(thread, v)
			return starlark.String(b), err
		}),
		"decode": builtin("json.decode", func(r *run, thread *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			var s string
			if err := starlark.UnpackPositionalArgs("json.decode", args, kwargs, 1, &s); err != nil {
				return nil, err
			}
			return r.decode(thread, []byte(s))
		}),
	}
}

// decode returns JSON as a value.
func (r *run) decode(thread *starlark.Thread, b []byte) (starlark.Value, error) {
	if len(b) > r.limits.value {
		return nil, &overError{outcomeMemory, fmt.Sprintf("json: %d bytes; at most %d", len(b), r.limits.value)}
	}
	spend(thread, 8*len(b))
	// Lists and objects are made of brackets, and their contents of commas.
	nodes := bytes.Count(b, []byte{','}) + bytes.Count(b, []byte{'['}) + bytes.Count(b, []byte{'{'})
	objects := bytes.Count(b, []byte{'{'})
	if err := r.charge(2*len(b) + entryWeight*nodes + 6*entryWeight*objects); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("json: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("json: something follows the value")
	}
	return fromJSON(v, 0)
}

func fromJSON(v any, depth int) (starlark.Value, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("json: lists and objects more than %d deep", maxDepth)
	}
	switch v := v.(type) {
	case bool:
		return starlark.Bool(v), nil
	case string:
		return starlark.String(v), nil
	case json.Number:
		return fromNumber(v)
	case []any:
		out := make([]starlark.Value, len(v))
		for i, e := range v {
			var err error
			if out[i], err = fromJSON(e, depth+1); err != nil {
				return nil, err
			}
		}
		return starlark.NewList(out), nil
	case map[string]any:
		out := starlark.NewDict(len(v))
		for name, e := range v {
			x, err := fromJSON(e, depth+1)
			if err == nil {
				err = out.SetKey(starlark.String(name), x)
			}
			if err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return starlark.None, nil
}

func fromNumber(n json.Number) (starlark.Value, error) {
	if !strings.ContainsAny(n.String(), ".eE") {
		if len(n) > maxBits/4 {
			return nil, fmt.Errorf("json: a number of %d digits", len(n))
		}
		if i, ok := new(big.Int).SetString(n.String(), 10); ok {
			return starlark.MakeBigInt(i), nil
		}
	}
	f, err := n.Float64()
	if err != nil {
		return nil, fmt.Errorf("json: the number %.40s is too large", n)
	}
	return starlark.Float(f), nil
}

// encode returns a value as JSON.
func (r *run) encode(thread *starlark.Thread, v starlark.Value) ([]byte, error) {
	w, err := r.weigh(thread, v)
	if err != nil {
		return nil, err
	}
	if err := r.charge(8 * w); err != nil {
		return nil, err
	}
	x, err := toGo(v)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(x); err != nil {
		if e, ok := errors.AsType[*json.UnsupportedValueError](err); ok {
			return nil, fmt.Errorf("json: %s has no JSON", e.Str)
		}
		return nil, fmt.Errorf("json: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// toGo returns a value as encoding/json takes it. It has been weighed, and so is
// neither deep nor a circle.
func toGo(v starlark.Value) (any, error) {
	switch v := v.(type) {
	case starlark.NoneType:
		return nil, nil
	case starlark.Bool:
		return bool(v), nil
	case starlark.String:
		return string(v), nil
	case starlark.Int:
		return json.Number(v.String()), nil
	case starlark.Float:
		return float64(v), nil // the encoder refuses NaN and infinities
	case *starlark.Dict:
		out := make(map[string]any, v.Len())
		for k, e := range v.Entries() {
			name, ok := starlark.AsString(k)
			if !ok {
				return nil, fmt.Errorf("json: a dict with a key that is a %s; want texts", k.Type())
			}
			x, err := toGo(e)
			if err != nil {
				return nil, err
			}
			out[name] = x
		}
		return out, nil
	case *object:
		out := make(map[string]any, len(v.fields))
		for name, e := range v.fields {
			x, err := toGo(e)
			if err != nil {
				return nil, err
			}
			out[name] = x
		}
		return out, nil
	case starlark.Iterable:
		out := []any{}
		iter := v.Iterate()
		defer iter.Done()
		for e := starlark.Value(nil); iter.Next(&e); {
			x, err := toGo(e)
			if err != nil {
				return nil, err
			}
			out = append(out, x)
		}
		return out, nil
	}
	return nil, fmt.Errorf("json: a %s has no JSON", v.Type())
}
