package handler

import (
	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/session"
)

// kind is one thing that a row may do. A new one is a field of Row, an entry of
// kinds, and whatever its callback needs.
type kind struct {
	key      string
	given    bool
	validate func(owner) []problem.Problem
	callback func(e *Engine, chart string, on On) (session.RefreshCallback, error)
}

// kinds returns every kind of row, and says which of them this row is.
func (r *Row) kinds() []kind {
	return []kind{
		{
			"set", r.Set != nil,
			func(o owner) []problem.Problem { return r.Set.validate(o) },
			func(*Engine, string, On) (session.RefreshCallback, error) { return r.Set.callback() },
		},
		{
			"webhook", r.Webhook != nil,
			func(owner) []problem.Problem { return r.Webhook.Validate() },
			func(e *Engine, chart string, on On) (session.RefreshCallback, error) {
				return r.Webhook.New(e.webhooks, chart, on.String())
			},
		},
		{
			"script", r.Script != nil,
			func(owner) []problem.Problem { return r.Script.Validate() },
			func(e *Engine, chart string, on On) (session.RefreshCallback, error) {
				return r.Script.New(e.scripts, chart, on.String())
			},
		},
	}
}

// keys returns the keys of the kinds.
func (r *Row) keys() []string {
	var out []string
	for _, k := range r.kinds() {
		out = append(out, k.key)
	}
	return out
}
