package handler

import (
	"fmt"
	"strings"

	"github.com/chartd/chartd/pkg/handler/script"
	"github.com/chartd/chartd/pkg/handler/webhook"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/session"
)

// Rules is the part of a chart's YAML that says how callbacks are answered. It
// stands beside the fields of plotting.Spec.
type Rules struct {
	// Callbacks answer the callbacks of clients and the chart's ticks. The first
	// row whose `on` fits decides; the chart's Go handler is asked where none does.
	Callbacks []Row `yaml:"callbacks"`
}

// Row answers some of a chart's callbacks. It has exactly one of the keys beside
// on.
type Row struct {
	// On says which callbacks: the argument, exactly or as a pattern in which
	// "*" stands for any text and "?" for one character; fields of a JSON
	// argument with such patterns, as {action: deploy, "user.name": "a*"}; or
	// tick, for every tick of each watched view. The text "tick" as an argument
	// is {".": tick}. What a viewer does by hand, as {"view":{"window":"1h"}},
	// fits no text, not even "*", but its fields: {view.window: "*"}.
	On On `yaml:"on"`
	// Set is how the view changes. Its values may be templates, as
	// "{{ .arg | after \":\" }}".
	Set *Set `yaml:"set"`
	// Webhook posts the callback to an HTTP server, whose answer may set the view,
	// append samples, annotate, and reply to the caller.
	Webhook *webhook.Config `yaml:"webhook"`
	// Script runs Starlark: the path of a file in the folder of the configuration
	// file or below, as "scripts/deploy.star", which is read again when it changes;
	// or, as a block of lines, the script itself.
	Script *script.Config `yaml:"script"`
}

// Locate reads the files that the rows name; they are in dir or below. chart
// names what has no file of its own in errors.
func (r Rules) Locate(dir, chart string) {
	for i, row := range r.Callbacks {
		if row.Script != nil {
			row.Script.Load(dir, fmt.Sprintf("charts.%s.callbacks[%d].script", chart, i))
		}
	}
}

// owner is what a row belongs to.
type owner struct {
	on    On
	scope session.Scope
}

// Validate returns every problem that shows without the chart's spec; Against
// finds the others.
func (r Rules) Validate(scope session.Scope) []problem.Problem {
	var ps []problem.Problem
	seen := map[string]int{}
	for i := range r.Callbacks {
		row := &r.Callbacks[i]
		at := fmt.Sprintf("callbacks[%d]", i)
		bad := row.On.validate()
		ps = append(ps, problem.Under(at+".on", bad)...)
		if name := row.On.String(); len(bad) == 0 {
			if first, dup := seen[name]; dup {
				ps = append(ps, problem.Problem{
					Path: at + ".on", What: fmt.Sprintf("%q stands in callbacks[%d] already, and the first decides", name, first),
					Want: "one row for each",
				})
			} else {
				seen[name] = i
			}
		}
		var given []string
		for _, k := range row.kinds() {
			if !k.given {
				continue
			}
			given = append(given, k.key)
			ps = append(ps, problem.Under(at+"."+k.key, k.validate(owner{row.On, scope}))...)
		}
		switch len(given) {
		case 0:
			ps = append(ps, problem.Problem{Path: at + "." + row.keys()[0], What: "is missing", Want: "what the row does: " + strings.Join(row.keys(), ", ")})
		case 1:
		default:
			ps = append(ps, problem.Problem{Path: at, What: "has " + strings.Join(given, " and "), Want: "one of them; a second row is for another on"})
		}
	}
	return ps
}

// Against returns the problems of the rows with the chart that they change.
func (r Rules) Against(spec *plotting.Spec) []problem.Problem {
	var ps []problem.Problem
	for i, row := range r.Callbacks {
		if row.Set != nil {
			ps = append(ps, problem.Under(fmt.Sprintf("callbacks[%d].set", i), row.Set.against(spec))...)
		}
	}
	return ps
}

// ticks reports whether a row is for ticks.
func (r Rules) ticks() bool {
	for _, row := range r.Callbacks {
		if row.On.tick() {
			return true
		}
	}
	return false
}
