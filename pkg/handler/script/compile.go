package script

import (
	"context"
	"fmt"
	"maps"
	"unicode/utf8"

	"go.starlark.net/lib/math"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// entry is the function that a script must have.
const entry = "callback"

// program is a script that is ready to run. It is frozen: any number of threads
// may run it at once.
type program struct {
	name   string
	entry  *starlark.Function
	limits limits
}

// compile reads a script and runs what stands outside of its functions. The
// error is a *failure.
func compile(name, source string, l limits) (*program, error) {
	if err := readable(name, source); err != nil {
		return nil, err
	}
	opts := &syntax.FileOptions{TopLevelControl: true}
	file, err := opts.Parse(name, source, 0)
	if err != nil {
		return nil, explain(err)
	}
	var w rewriter
	w.file(file)
	if len(w.errs) > 0 {
		return nil, explain(w.errs[0])
	}
	known := predeclared()
	compiled, err := starlark.FileProgram(file, func(name string) bool {
		// What Starlark has and universe does not is not there.
		return known.Has(name)
	})
	if err != nil {
		return nil, explain(err)
	}
	r := &run{ctx: context.Background(), limits: l, left: l.memory, script: name}
	thread := r.thread()
	globals, err := compiled.Init(thread, known)
	if err != nil {
		return nil, explain(err)
	}
	// Freezing follows functions and tuples without looking where it has been.
	if err := freezable(globals, l); err != nil {
		return nil, &failure{text: name + ": " + err.Error(), outcome: outcomeFailed, cause: err}
	}
	globals.Freeze()
	f, ok := globals[entry].(*starlark.Function)
	if !ok {
		return nil, &failure{text: fmt.Sprintf("%s: there is no function %s; write def %s(call):", name, entry, entry), outcome: outcomeFailed}
	}
	if f.NumParams() != 1 || f.HasVarargs() || f.HasKwargs() {
		return nil, &failure{text: at(f.Position(), fmt.Sprintf("%s takes one parameter: def %s(call):", entry, entry)), outcome: outcomeFailed}
	}
	return &program{name: name, entry: f, limits: l}, nil
}

// readable refuses what is no script before a parser sees it.
func readable(name, source string) error {
	bad := func(text string) error { return &failure{text: name + ": " + text, outcome: outcomeFailed} }
	switch {
	case len(source) > maxSource:
		return bad(fmt.Sprintf("a script of more than %d bytes", maxSource))
	case !utf8.ValidString(source):
		return bad("not UTF-8")
	}
	return nil
}

// predeclared returns what a script can name.
func predeclared() starlark.StringDict {
	out := hidden()
	for _, more := range []starlark.StringDict{universe(), functions()} {
		maps.Copy(out, more)
	}
	out["math"] = math.Module
	out["json"] = &object{kind: "json", fields: jsonFunctions()}
	for _, a := range ambients() {
		out[string(a)] = a
	}
	return out
}

// thread returns a thread for the run.
func (r *run) thread() *starlark.Thread {
	t := &starlark.Thread{Name: r.script, Print: r.print}
	t.SetLocal(runKey, r)
	t.SetMaxExecutionSteps(r.limits.steps)
	t.OnMaxSteps = func(t *starlark.Thread) { t.Cancel(tooManySteps) }
	return t
}

// freezable refuses globals that Freeze would not come to an end with: functions
// that hold themselves, and tuples of tuples that are far larger than they look.
func freezable(globals starlark.StringDict, l limits) error {
	f := freezer{left: l.value / nodeWeight, done: map[starlark.Value]bool{}}
	for _, name := range globals.Keys() {
		if err := f.visit(globals[name], 0); err != nil {
			return fmt.Errorf("the global %s: %w", name, err)
		}
	}
	return nil
}

type freezer struct {
	left int
	done map[starlark.Value]bool // what has a flag of its own
}

func (f *freezer) visit(v starlark.Value, depth int) error {
	if f.left--; f.left < 0 {
		return fmt.Errorf("it is too large")
	}
	if depth > maxDepth {
		return fmt.Errorf("it holds others more than %d deep, or itself", maxDepth)
	}
	switch v := v.(type) {
	case *starlark.List:
		if f.done[v] {
			return nil
		}
		f.done[v] = true
		for i := range v.Len() {
			if err := f.visit(v.Index(i), depth+1); err != nil {
				return err
			}
		}
	case *starlark.Dict:
		if f.done[v] {
			return nil
		}
		f.done[v] = true
		for k, e := range v.Entries() {
			if err := f.visit(k, depth+1); err != nil {
				return err
			}
			if err := f.visit(e, depth+1); err != nil {
				return err
			}
		}
	case starlark.Tuple:
		for _, e := range v {
			if err := f.visit(e, depth+1); err != nil {
				return err
			}
		}
	case *starlark.Builtin: // Freeze follows the value of a method
		if v.Receiver() != nil {
			return f.visit(v.Receiver(), depth+1)
		}
	case *starlark.Function:
		for i := range v.NumParams() {
			if d := v.ParamDefault(i); d != nil {
				if err := f.visit(d, depth+1); err != nil {
					return err
				}
			}
		}
		for i := range v.NumFreeVars() {
			if _, x := v.FreeVar(i); x != nil {
				if err := f.visit(x, depth+1); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
