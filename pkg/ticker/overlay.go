package ticker

import (
	"maps"

	"github.com/chartd/chartd/pkg/plotting"
)

// Merge returns the change that does what a and then b do: fields of b win,
// vars add up, and a Reset in b forgets a.
func Merge(a, b plotting.Change) plotting.Change {
	if b.Reset {
		return b
	}
	if b.Window != nil {
		// A window makes a view live again; a range that came before is over.
		a.Window, a.From, a.To, a.Replay = b.Window, nil, nil, nil
	}
	if b.From != nil || b.To != nil {
		a.Replay = nil
	}
	if b.Replay != nil {
		a.From, a.To = nil, nil
	}
	pick(&a.From, b.From)
	pick(&a.To, b.To)
	pick(&a.Replay, b.Replay)
	pick(&a.Hidden, b.Hidden)
	pick(&a.Size, b.Size)
	pick(&a.Refresh, b.Refresh)
	pick(&a.Title, b.Title)
	pick(&a.Marks, b.Marks)
	pick(&a.Thresholds, b.Thresholds)
	pick(&a.Timezone, b.Timezone)
	pick(&a.Paused, b.Paused)
	if len(b.Vars) > 0 {
		vars := maps.Clone(a.Vars)
		if vars == nil {
			vars = map[string]string{}
		}
		maps.Copy(vars, b.Vars)
		a.Vars = vars
	}
	return a
}

func pick[T any](dst **T, v *T) {
	if v != nil {
		*dst = v
	}
}

// lay returns v under overlays; a Reset in them was dealt with when they were
// merged, and pausing is no matter of a view. An overlay that does not fit is
// an error, and v is returned as it was.
func lay(spec *plotting.Spec, v plotting.View, overlays ...plotting.Change) (plotting.View, error) {
	out := v
	for _, c := range overlays {
		c.Reset = false
		next, err := spec.Change(out, c)
		if err != nil {
			return v, err
		}
		out = next
	}
	return out, nil
}
