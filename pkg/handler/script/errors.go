package script

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// maxMessage bounds what is repeated of a script's own words, in bytes.
const maxMessage = 1 << 10

// failure is how a script went wrong.
type failure struct {
	text    string // "scripts/deploy.star:3:5: what is wrong"
	trace   string // Starlark's, for the log
	outcome string // as it is counted
	cause   error
}

// Error implements error. It names the script's line, and is for clients, too.
func (f *failure) Error() string { return f.text }

// Unwrap returns what was behind it.
func (f *failure) Unwrap() error { return f.cause }

// panicError is that a function for scripts panicked.
type panicError struct {
	value any
	stack []byte
}

func panicked(v any) *panicError { return &panicError{v, debug.Stack()} }

// Error implements error.
func (e *panicError) Error() string { return fmt.Sprintf("chartd panicked: %.200v", e.value) }

// explain turns what Starlark says into a failure.
func explain(err error) *failure {
	f := &failure{outcome: outcomeFailed, cause: err}
	if over, ok := errors.AsType[*overError](err); ok {
		f.outcome = over.outcome
	}
	if p, ok := errors.AsType[*panicError](err); ok {
		f.outcome, f.trace = outcomePanicked, string(p.stack)
	}
	var list resolve.ErrorList
	switch {
	case errors.As(err, &list) && len(list) > 0:
		f.text = at(list[0].Pos, list[0].Msg)
		return f
	}
	if e, ok := errors.AsType[syntax.Error](err); ok {
		f.text = at(e.Pos, e.Msg)
		return f
	}
	e, ok := errors.AsType[*starlark.EvalError](err)
	if !ok {
		f.text = cut(err.Error())
		return f
	}
	f.text = at(place(e.CallStack), e.Msg)
	f.trace = cutTo(e.Backtrace(), 16*maxMessage) + f.trace
	return f
}

// place returns where in the script a call stack stands.
func place(stack starlark.CallStack) syntax.Position {
	for i := range stack {
		if fr := stack.At(i); fr.Pos.Line > 0 {
			return fr.Pos
		}
	}
	return syntax.Position{}
}

// at returns a message with its place.
func at(pos syntax.Position, msg string) string {
	if pos.Line == 0 {
		return cut(msg)
	}
	return fmt.Sprintf("%s: %s", pos, cut(msg))
}

func cut(s string) string { return cutTo(s, maxMessage) }

func cutTo(s string, most int) string {
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// stopped returns the error of a run whose thread was cancelled, if it was.
func stopped(ctx context.Context, f *failure) *failure {
	if ctx.Err() == nil || f.outcome != outcomeFailed {
		return f
	}
	f.outcome = outcomeTimeout
	return f
}
