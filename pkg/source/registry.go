package source

import (
	"fmt"
	"maps"
	"slices"

	"github.com/chartd/chartd/pkg/problem"
)

// Registry says which kinds of sources there are: by name, a function that
// returns a pointer to a Config that holds the defaults. It is a value: two
// daemons in one process may have different ones.
type Registry map[string]func() Config

// Kinds returns the names, sorted.
func (r Registry) Kinds() []string { return slices.Sorted(maps.Keys(r)) }

// New returns a Config of a kind with its defaults, or an error that says which
// kinds there are.
func (r Registry) New(kind string) (Config, error) {
	if f, ok := r[kind]; ok {
		return f(), nil
	}
	return nil, fmt.Errorf("%q is no kind of source; %s", kind, problem.OneOf(kind, r.Kinds()))
}

// With returns a copy of r with one more kind, or with that kind replaced.
func (r Registry) With(kind string, f func() Config) Registry {
	out := maps.Clone(r)
	if out == nil {
		out = Registry{}
	}
	out[kind] = f
	return out
}
