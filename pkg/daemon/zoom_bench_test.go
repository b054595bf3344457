package daemon_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/chartd/chartd/pkg/store"
	"github.com/chartd/chartd/pkg/wire"
)

// BenchmarkZoom asks for ranges of a chart as a hand does that zooms, and is
// live again in between: from the write of the callback until the picture of the
// range has been read off the socket. What it takes with a thousand samples is
// what there is to pay for anything but reading them.
func BenchmarkZoom(b *testing.B) {
	for _, samples := range []int{1_000, 10_000_000} {
		b.Run(fmt.Sprintf("samples=%d", samples), func(b *testing.B) { zoom(b, samples) })
	}
}

func zoom(b *testing.B, samples int) {
	const series, over = 4, 10 * time.Hour
	d := start(b, `
store: {max_age: 24h, max_samples: 3000000}
session: {new_views_per_minute: 1000000, callbacks_per_second: 100000}
charts:
  many: {title: Many, kind: line, window: 10h, refresh: 1s, series: [{metric: m, name: "{mode}"}]}
`)
	end := time.Now().UnixMilli()
	for k := range series {
		labels := store.LabelsOf(map[string]string{"mode": string(rune('a' + k))})
		n := samples / series
		for i := range n {
			x := float64(i) / float64(n)
			if err := d.Store().Append("m", labels, end-int64((1-x)*float64(over.Milliseconds())), 20*float64(k)+9*math.Sin(x*40)+2*math.Sin(x*31_013)); err != nil {
				b.Fatal(err)
			}
		}
	}
	dialer := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}}
	ws, resp, err := dialer.Dial("ws"+strings.TrimPrefix(d.URL(), "http")+"ws", nil)
	if err != nil {
		b.Fatal(err)
	}
	_ = resp.Body.Close()
	defer func() { _ = ws.Close() }()
	write := func(format string, args ...any) {
		if err := ws.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, format, args...)); err != nil {
			b.Fatal(err)
		}
	}
	// read waits for a full of another view than the one before, whose id it returns.
	read := func(before string) string {
		_ = ws.SetReadDeadline(time.Now().Add(patience))
		for {
			_, text, err := ws.ReadMessage()
			if err != nil {
				b.Fatal(err)
			}
			var all []struct{ T, V, Code, Message string }
			if text[0] != '[' {
				text = append(append([]byte{'['}, text...), ']')
			}
			if err := json.Unmarshal(text, &all); err != nil {
				b.Fatalf("%v: %.200s", err, text)
			}
			for _, m := range all {
				if m.T == "error" {
					b.Fatalf("%s: %s", m.Code, m.Message)
				}
				if m.T == "full" && m.V != before {
					return m.V
				}
			}
		}
	}
	write(`[{"t":"hello"},{"t":"sub","id":1,"chart":"many"}]`)
	view := read("")
	var took []float64
	id := 1
	for b.Loop() {
		id += 2
		from := end - int64((0.98-0.6*math.Mod(float64(id)*0.377, 1))*float64(over.Milliseconds()))
		began := time.Now()
		write(`{"t":"callback","id":%d,"v":%q,"arg":{"view":{"from":%d,"to":%d}}}`, id, view, from, from+3*time.Hour.Milliseconds())
		view = read(view)
		took = append(took, float64(time.Since(began).Microseconds())/1000)
		write(`{"t":"callback","id":%d,"v":%q,"arg":{"view":{"from":0,"to":0}}}`, id+1, view)
		view = read(view)
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2], "zoom-median-ms")
	b.ReportMetric(took[len(took)*95/100], "zoom-p95-ms")
	b.ReportMetric(took[len(took)*99/100], "zoom-p99-ms")
	b.ReportMetric(took[len(took)-1], "zoom-max-ms")
	b.ReportMetric(0, "ns/op")
}
