package daemon_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/store"
	"github.com/chartd/chartd/pkg/wire"
)

const viewed = `
charts:
  own: {refresh: 0, window: 10s, vars: {host: a}, series: [{metric: m, labels: {host: $host}, name: "{host}"}]}
  all: {refresh: 0, window: 10s, scope: shared, vars: {host: a}, series: [{metric: m, labels: {host: $host}, name: "{host}"}]}
`

// byHand raises a callback of a view, and returns the view's id then.
func byHand(c *livetest.Client, v, arg string) string {
	id := c.ID()
	c.Send(wire.Callback{ID: id, V: v, Arg: json.RawMessage(arg)})
	return c.OK(id).V
}

// Two viewers of one chart: what one does by hand sends the other not a byte.
// When the first resets, they share one view again, which is drawn once for both.
func TestTwoViewers(t *testing.T) {
	r := start(t, viewed)
	one, other := livetest.Dial(t, r.base), livetest.Dial(t, r.base)
	one.Hello("")
	other.Hello("")
	v := one.Sub(wire.Sub{Chart: "own"}).V
	one.Full(v)
	other.Sub(wire.Sub{Chart: "own"})
	other.Full(v)
	at := v
	for _, arg := range []string{`{"view":{"window":"5s"}}`, `{"view":{"hidden":["a"]}}`, `{"view":{"vars":{"host":"b"}}}`} {
		moved := byHand(one, at, arg)
		if moved == at || moved == v {
			t.Fatalf("%s: the view stays %s", arg, moved)
		}
		at = moved
		one.Full(at)
		// Answers and frames come in order: had there been a frame, it came first.
		id := other.ID()
		other.Send(wire.Ping{ID: id})
		if m, ok := other.Next().(wire.OK); !ok || m.ID != id {
			t.Fatalf("%s: the other one got %+v", arg, m)
		}
	}
	drawn := func() float64 { return r.metric("chartd_renders_total", `chart="own"`) }
	renders := drawn()
	if back := byHand(one, at, `{"view":{"reset":true}}`); back != v {
		t.Fatalf("reset leads to %s, not to %s", back, v)
	}
	renders++ // a callback draws its view, soon after it is answered
	livetest.Eventually(t, "the view is drawn anew", func() bool { return drawn() == renders })
	if err := r.Store().Append("m", store.LabelsOf(map[string]string{"host": "a"}), time.Now().UnixMilli(), 1); err != nil {
		t.Fatal(err)
	}
	byHand(one, v, `"draw"`)
	full, same := livetest.Until(one, holds), livetest.Until(other, holds)
	if string(full.AppendJSON(nil)) != string(same.AppendJSON(nil)) || full.V != v {
		t.Errorf("one view, but\n%s\nand\n%s", full.AppendJSON(nil), same.AppendJSON(nil))
	}
	if n := drawn() - renders; n != 1 {
		t.Errorf("drawn %v times for two viewers", n)
	}
}

// holds fits a full that shows the sample.
func holds(m wire.Full) bool { return strings.Contains(m.SVG, "data-name='a'") }

// With scope shared, what one does is everybody's, byte for byte.
func TestTwoViewersShared(t *testing.T) {
	r := start(t, viewed)
	one, other := livetest.Dial(t, r.base), livetest.Dial(t, r.base)
	one.Hello("")
	other.Hello("")
	v := one.Sub(wire.Sub{Chart: "all"}).V
	one.Full(v)
	other.Sub(wire.Sub{Chart: "all"})
	other.Full(v)
	for _, arg := range []string{`{"view":{"title":"T1"}}`, `{"view":{"window":"5s","title":"T2"}}`, `{"view":{"vars":{"host":"b"},"title":"T3"}}`} {
		title := arg[strings.Index(arg, "T"):][:2]
		byHand(one, v, arg)
		fits := func(m wire.Full) bool { return strings.Contains(m.SVG, title) }
		a, b := livetest.Until(one, fits), livetest.Until(other, fits)
		if string(a.AppendJSON(nil)) != string(b.AppendJSON(nil)) {
			t.Errorf("%s: one got\n%s\nthe other\n%s", arg, a.AppendJSON(nil), b.AppendJSON(nil))
		}
	}
}
