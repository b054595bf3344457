package source

import (
	"fmt"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/chartd/chartd/pkg/secret"
)

// discreet is where a source logs: its secrets are taken out, whoever repeats
// them.
type discreet struct {
	zapcore.Core
	hidden secret.Set
}

// discreetLogger returns a logger that takes these secrets out.
func discreetLogger(log *zap.Logger, hidden secret.Set) *zap.Logger {
	if hidden.Empty() {
		return log
	}
	return log.WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core { return discreet{c, hidden} }))
}

// With implements zapcore.Core.
func (d discreet) With(fields []zap.Field) zapcore.Core {
	return discreet{d.Core.With(d.clean(fields)), d.hidden}
}

// Check implements zapcore.Core.
func (d discreet) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if d.Enabled(e.Level) {
		return ce.AddCore(e, d)
	}
	return ce
}

// Write implements zapcore.Core.
func (d discreet) Write(e zapcore.Entry, fields []zap.Field) error {
	e.Message, e.Stack = d.hidden.Scrub(e.Message), d.hidden.Scrub(e.Stack)
	if ce := d.Core.Check(e, nil); ce != nil { // which may leave some out
		ce.Write(d.clean(fields)...)
	}
	return nil
}

// clean returns fields without secrets: those that have one become a text.
func (d discreet) clean(fields []zap.Field) []zap.Field {
	out := make([]zap.Field, len(fields))
	for i, f := range fields {
		all := zapcore.NewMapObjectEncoder()
		f.AddTo(all)
		text := fmt.Sprint(all.Fields[f.Key])
		if b, ok := all.Fields[f.Key].([]byte); ok {
			text = string(b)
		}
		if clean := d.hidden.Scrub(text); clean != text {
			f = zap.String(f.Key, clean)
		}
		out[i] = f
	}
	return out
}
