package script

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"go.starlark.net/starlark"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/store"
)

// Limits of what a run may do through its functions.
const (
	maxPrints      = 100
	maxSeries      = 1000   // that one series() returns
	maxRead        = 20_000 // samples that one series() returns
	defaultSamples = 1000   // of one series
	sampleWeight   = 192    // bytes of one (t, v)
)

// functions returns what a script may call, beside Starlark's own.
func functions() starlark.StringDict {
	out := starlark.StringDict{}
	for name, f := range map[string]func(*run, *starlark.Thread, starlark.Tuple, []starlark.Tuple) (starlark.Value, error){
		"series": (*run).series, "append": (*run).append, "annotate": (*run).annotate, "set": (*run).set, "reply": (*run).reply,
	} {
		out[name] = builtin(name, func(r *run, thread *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			if r.call == nil {
				return nil, errOutside(name)
			}
			// What is bound in time elsewhere must not go on here.
			if err := r.ctx.Err(); err != nil {
				return nil, err
			}
			spend(thread, 16*stepBytes)
			return f(r, thread, args, kwargs)
		})
	}
	out["now"] = builtin("now", func(_ *run, _ *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		return starlark.MakeInt64(time.Now().UnixMilli()), starlark.UnpackArgs("now", args, kwargs)
	})
	return out
}

// print writes a line to the log.
func (r *run) print(_ *starlark.Thread, msg string) {
	if r.prints++; r.pool == nil || r.prints > maxPrints {
		return
	}
	r.pool.said.Write(zapcore.InfoLevel, r.call.Chart()+": print", cut(msg), zap.String("chart", r.call.Chart()), zap.String("script", r.script))
}

// series is series(metric, labels={}, since="5m", limit=1000).
func (r *run) series(thread *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var metric string
	var labels *starlark.Dict
	since, limit := starlark.Value(starlark.String("5m")), defaultSamples
	if err := starlark.UnpackArgs("series", args, kwargs, "metric", &metric, "labels??", &labels, "since?", &since, "limit?", &limit); err != nil {
		return nil, err
	}
	age, err := duration(since)
	if err != nil {
		return nil, fmt.Errorf("series: since: %w", err)
	}
	if limit < 1 || limit > maxRead {
		return nil, fmt.Errorf("series: limit: %d; want 1 to %d", limit, maxRead)
	}
	wanted, err := r.texts(thread, labels)
	if err != nil {
		return nil, fmt.Errorf("series: labels: %w", err)
	}
	var ms []store.Matcher
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		m, err := store.ParseMatcher(name, wanted[name])
		if err != nil {
			return nil, fmt.Errorf("series: labels: %w", err)
		}
		ms = append(ms, m)
	}
	found := r.pool.store.Select(metric, ms)
	if len(found) > maxSeries {
		return nil, fmt.Errorf("series: %d series of %q; at most %d, choose by labels", len(found), metric, maxSeries)
	}
	out, left := make([]starlark.Value, 0, len(found)), maxRead
	from := time.Now().Add(-age.Std()).UnixMilli()
	for _, s := range found {
		newest := newestOf(s, from, min(limit, left+1))
		if left -= len(newest); left < 0 {
			return nil, fmt.Errorf("series: more than %d samples of %q; give a shorter since, a limit, or labels", maxRead, metric)
		}
		spend(thread, sampleWeight*len(newest))
		if err := r.charge(sampleWeight*len(newest) + 8*entryWeight + 2*entryWeight*len(s.Labels())); err != nil {
			return nil, err
		}
		out = append(out, seriesValue(s, newest))
	}
	return starlark.NewList(out), nil
}

// newestOf returns the newest samples of a series, at most so many, from a time
// on.
func newestOf(s *store.Series, from int64, most int) []store.Sample {
	var kept []store.Sample
	s.Each(from, math.MaxInt64, func(block []store.Sample) {
		if len(block) >= most {
			kept = append(kept[:0], block[len(block)-most:]...)
			return
		}
		if over := len(kept) + len(block) - most; over > 0 {
			kept = kept[:copy(kept, kept[over:])]
		}
		kept = append(kept, block...)
	})
	return kept
}

// seriesValue returns a series for scripts.
func seriesValue(s *store.Series, samples []store.Sample) *object {
	labels := starlark.NewDict(len(s.Labels()))
	for _, l := range s.Labels() {
		_ = labels.SetKey(starlark.String(l.Name), starlark.String(l.Value)) // a text hashes
	}
	list, flat := make([]starlark.Value, len(samples)), make([]starlark.Value, 2*len(samples))
	for i, x := range samples {
		at := flat[2*i : 2*i+2 : 2*i+2]
		at[0], at[1] = starlark.MakeInt64(x.T), starlark.Float(x.V)
		list[i] = starlark.Tuple(at)
	}
	return &object{"series", starlark.StringDict{"metric": starlark.String(s.Metric()), "labels": labels, "samples": starlark.NewList(list)}}
}

// append is append(metric, value, labels={}, t=None).
func (r *run) append(thread *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var metric string
	var value starlark.Value
	var labels *starlark.Dict
	var t starlark.Value
	if err := starlark.UnpackArgs("append", args, kwargs, "metric", &metric, "value", &value, "labels??", &labels, "t??", &t); err != nil {
		return nil, err
	}
	v, ok := starlark.AsFloat(value)
	if !ok {
		return nil, fmt.Errorf("append: value: a %s, where a number is wanted", value.Type())
	}
	names, err := r.texts(thread, labels)
	if err != nil {
		return nil, fmt.Errorf("append: labels: %w", err)
	}
	at, err := moment(t, time.Now().UnixMilli())
	if err == nil {
		err = r.call.Append(metric, store.LabelsOf(names), at, v)
	}
	if err != nil {
		return nil, fmt.Errorf("append: %w", err)
	}
	return starlark.None, nil
}

// annotate is annotate(text, t=None, to=None).
func (r *run) annotate(_ *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var label string
	var t, to starlark.Value
	if err := starlark.UnpackArgs("annotate", args, kwargs, "text", &label, "t??", &t, "to??", &to); err != nil {
		return nil, err
	}
	from, err := moment(t, time.Now().UnixMilli())
	var until int64
	if err == nil {
		until, err = moment(to, 0)
	}
	switch {
	case err != nil:
	case until != 0:
		err = r.call.Band(time.UnixMilli(from), time.UnixMilli(until), label)
	default:
		err = r.call.Mark(time.UnixMilli(from), label)
	}
	if err != nil {
		return nil, fmt.Errorf("annotate: %w", err)
	}
	return starlark.None, nil
}

// set is set(window=…, range=(from, to), title=…, vars={…}, …): whatever a
// plotting.Change may be.
func (r *run) set(thread *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(args) > 0 {
		return nil, errors.New(`set: takes names, as set(window="15m")`)
	}
	tree := map[string]any{}
	for _, kv := range kwargs {
		name, _ := starlark.AsString(kv[0])
		if _, err := r.weigh(thread, kv[1]); err != nil {
			return nil, fmt.Errorf("set: %s: %w", name, err)
		}
		v, err := toGo(kv[1])
		if err != nil {
			return nil, fmt.Errorf("set: %s: %w", name, err)
		}
		if name != "range" {
			tree[name] = v
			continue
		}
		// "from" is no name in Starlark.
		ends, ok := v.([]any)
		switch {
		case v == nil:
			tree["from"], tree["to"] = 0, 0
		case ok && len(ends) == 2:
			tree["from"], tree["to"] = wholeMs(ends[0]), wholeMs(ends[1])
		default:
			return nil, errors.New("set: range: want (from, to) in ms since 1970, or None for live")
		}
	}
	change, err := changeOf(tree)
	if err == nil {
		err = r.call.Set(change)
	}
	if err != nil {
		return nil, fmt.Errorf("set: %w", err)
	}
	return starlark.None, nil
}

// wholeMs returns a time in whole ms: half a window before now may lie between
// two.
func wholeMs(v any) any {
	if t, ok := v.(float64); ok && math.Abs(t) < 1<<53 {
		return int64(t)
	}
	return v
}

// changeOf reads a change, key by key, so that an error names its own.
func changeOf(tree map[string]any) (c plotting.Change, err error) {
	for _, key := range slices.Sorted(maps.Keys(tree)) {
		b, err := json.Marshal(map[string]any{key: tree[key]})
		if err != nil {
			return c, fmt.Errorf("%s: %w", key, err)
		}
		dec := json.NewDecoder(bytes.NewReader(b))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&c); err != nil {
			return c, refused(key, err)
		}
	}
	return c, nil
}

// refused says what encoding/json means in the words of who writes a script.
func refused(key string, err error) error {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s: %s", key, problem.OfJSON(e))
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		if name == fmt.Sprintf("%q", key) {
			return fmt.Errorf("there is no %q; %s", key, problem.OneOf(key, changeKeys()))
		}
		return fmt.Errorf("%s: the field %.60s is not known", key, name)
	}
	return fmt.Errorf("%s: %w", key, err)
}

func changeKeys() []string {
	return []string{"hidden", "marks", "paused", "range", "refresh", "replay", "reset", "size", "thresholds", "timezone", "title", "vars", "window"}
}

// reply is reply(value).
func (r *run) reply(thread *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var v starlark.Value
	if err := starlark.UnpackArgs("reply", args, kwargs, "value", &v); err != nil {
		return nil, err
	}
	b, err := r.encode(thread, v)
	if err == nil {
		err = r.call.Reply(json.RawMessage(b))
	}
	if err != nil {
		return nil, fmt.Errorf("reply: %w", err)
	}
	return starlark.None, nil
}

// texts returns a dict of texts; a number or a boolean becomes one.
func (r *run) texts(thread *starlark.Thread, d *starlark.Dict) (map[string]string, error) {
	if d == nil {
		return nil, nil
	}
	if _, err := r.weigh(thread, d); err != nil {
		return nil, err
	}
	out := make(map[string]string, d.Len())
	for k, v := range d.Entries() {
		name, ok := starlark.AsString(k)
		if !ok {
			return nil, fmt.Errorf("a key that is a %s; want texts", k.Type())
		}
		switch v := v.(type) {
		case starlark.String:
			out[name] = string(v)
		case starlark.Int, starlark.Bool:
			out[name] = v.String()
		default:
			return nil, fmt.Errorf("%s: a %s, where a text is wanted", name, v.Type())
		}
	}
	return out, nil
}

// moment returns a time in ms since the Unix epoch; other if it is None.
func moment(v starlark.Value, other int64) (int64, error) {
	switch v := v.(type) {
	case nil, starlark.NoneType:
		return other, nil
	case starlark.Int:
		if t, ok := v.Int64(); ok {
			return t, nil
		}
	case starlark.Float:
		if t := float64(v); math.Abs(t) < 1<<53 {
			return int64(t), nil
		}
	}
	return 0, fmt.Errorf("%.40s is no time; want ms since 1970", v.String())
}

// duration reads a text as "5m", or a number of ms.
func duration(v starlark.Value) (quantity.Duration, error) {
	if s, ok := starlark.AsString(v); ok {
		return quantity.ParseDuration(s)
	}
	ms, ok := starlark.AsFloat(v)
	if !ok {
		return 0, fmt.Errorf("a %s, where a duration is wanted", v.Type())
	}
	return quantity.FromMillis(ms)
}
