package handler

import (
	"maps"

	"github.com/chartd/chartd/pkg/plotting"
)

// varsOf returns the values of a chart's variables in a view.
func varsOf(spec *plotting.Spec, v plotting.View) map[string]string {
	out := map[string]string{}
	for name, x := range spec.Vars {
		out[name] = initial(x)
	}
	maps.Copy(out, v.Vars())
	return out
}

func initial(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case interface{ Initial() (string, bool) }:
		s, _ := v.Initial()
		return s
	}
	return ""
}
