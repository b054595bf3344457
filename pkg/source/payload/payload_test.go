package payload_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/payload"
	"github.com/chartd/chartd/pkg/store"
)

func mqtt() payload.Syntax {
	return payload.Syntax{Word: "topic", Separator: "/", One: "+", Rest: "#", RestMayBeEmpty: true}
}

// kept is an Appender that keeps what it is given, as text, and counts.
type kept struct {
	lines             []string
	times             []int64
	skipped, rejected int
	why               error
}

func (k *kept) Append(metric string, labels store.Labels, t int64, v float64) error {
	k.lines = append(k.lines, fmt.Sprintf("%s%s %v", metric, labels, v))
	k.times = append(k.times, t)
	return nil
}

func (k *kept) deps() source.Deps {
	return source.Deps{Name: "src", Logger: zap.NewNop(), Skip: func(n int) { k.skipped += n }, Reject: func(n int, err error) { k.rejected += n; k.why = err }}
}

func reader(t testing.TB, k *kept, change func(*payload.Config), topics ...string) *payload.Reader {
	t.Helper()
	cfg := payload.DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	if ps := cfg.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	patterns, ps := payload.ParsePatterns("topics", topics, mqtt())
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	r, err := cfg.New(k.deps(), patterns...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTake(t *testing.T) {
	query := func(q string) func(*payload.Config) { return func(c *payload.Config) { c.Query = q } }
	for _, tc := range []struct {
		topic, subject, text string
		change               func(*payload.Config)
		want                 string // lines, or what the error holds, or "" for none
		rejected, skipped    int
	}{
		{"s/{room}/{metric}", "s/lab/temp", " 21.5\n", nil, `temp{room="lab"} 21.5`, 0, 0},
		{"s/{room}/{metric}", "s/lab/temp", `{"value":1,"max":2,"ok":true}`, nil, `temp{room="lab"} 1; temp_max{room="lab"} 2; temp_ok{room="lab"} 1`, 0, 0},
		{"s/{room}/{metric}", "s/lab/temp", `[{"value":1,"host":"a"},{"value":2,"host":"b"}]`, nil, `temp{host="a", room="lab"} 1; temp{host="b", room="lab"} 2`, 0, 0},
		{"s/{room}", "s/lab", `{"room":"hall","temp":1}`, nil, `src_temp{room="lab"} 1`, 0, 0},
		{"s/{room}", "s/lab", "on", func(c *payload.Config) { c.Metric = "home_{source}_{column}" }, `home_src{room="lab"} 1`, 0, 0},
		{"s/#", "s/a/b", "OFF", nil, `src{topic="s/a/b"} 0`, 0, 0},
		{"s/#", "s", "1e3", nil, `src{topic="s"} 1000`, 0, 0},
		{"s/+/{metric}", "s/a/b", "1", nil, `b{topic="s/a/b"} 1`, 0, 0},
		{"s", "s", `"3"`, nil, `src{topic="s"} 3`, 0, 0},
		{"s", "s", `[1,2]`, query(".[1]"), `src{topic="s"} 2`, 0, 0},
		{"s", "s", `{"d":{"t":"4"},"n":"x"}`, query("{temp: .d.t, name: .n}"), `src_temp{name="x", topic="s"} 4`, 0, 0},
		{"s", "s", `{"ENERGY":{"Power":12},"id":"7"}`, func(c *payload.Config) { c.Labels = []string{"id"} }, `src_ENERGY_Power{id="7", topic="s"} 12`, 0, 0},
		{"s", "s", "{\"a\":1,\"b\":2}", func(c *payload.Config) { c.Values = []string{"b"} }, `src_b{topic="s"} 2`, 0, 1},
		{"s", "s", "", nil, "", 0, 1},
		{"s", "s", "NaN", nil, "", 0, 1},
		{"s/+", "other/a", "1", nil, "", 0, 1},
		{"s", "s", "0x10", nil, `topic "s": the payload "0x10" is no number, no word such as on or off, and no JSON`, 1, 0},
		{"s", "s", "inf", nil, "is no number", 1, 0},
		{"s", "s", `{"a":`, nil, `topic "s": reading JSON: `, 1, 0},
		{"s", "s", `["a", null]`, nil, "a row is neither an object nor a number", 1, 0},
		{"s", "s", "hello", query(".a"), "reading JSON: ", 1, 0},
		{"s", "s", `{"a":"x"}`, query(".a + 1"), "query: ", 1, 0},
		{"s/{metric}", "s/", "1", nil, "the part that names the metric is empty", 1, 0},
		{"s", "s", strings.Repeat("1", payload.MaxPayload+1), nil, "at most 1048576", 1, 0},
	} {
		k := &kept{}
		r := reader(t, k, tc.change, tc.topic)
		r.Take(t.Context(), k, payload.Message{Subject: tc.subject, Payload: []byte(tc.text)})
		got := strings.Join(k.lines, "; ")
		if tc.rejected > 0 {
			if k.why == nil || !strings.Contains(k.why.Error(), tc.want) || got != "" {
				t.Errorf("%s %.50q: got %v and %q, want %s", tc.subject, tc.text, k.why, got, tc.want)
			}
		} else if got != tc.want {
			t.Errorf("%s %.50q: got %s, want %s", tc.subject, tc.text, got, tc.want)
		}
		if k.rejected != tc.rejected || k.skipped != tc.skipped {
			t.Errorf("%s %.50q: %d rejected (%v) and %d skipped, want %d and %d", tc.subject, tc.text, k.rejected, k.why, k.skipped, tc.rejected, tc.skipped)
		}
	}
}

func TestTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &kept{}
		r := reader(t, k, nil, "s")
		now := time.Now().UnixMilli()
		for _, m := range []payload.Message{
			{Payload: []byte("1")},
			{Payload: []byte("2")},
			{Payload: []byte(`{"a":1}`)},
			{Payload: []byte(`{"a":2}`)},
			{Payload: []byte(`{"a":3,"time":1700000000}`), Time: 5},
			{Payload: []byte("3"), Time: 5},
			{Payload: []byte("4"), Time: 5},
			{Payload: []byte(`{"a":3}`), Time: 6},
		} {
			m.Subject = "s"
			r.Take(t.Context(), k, m)
		}
		if want := []int64{now, now + 1, now, now + 1, 1700000000_000, 5, 5, 6}; !slices.Equal(k.times, want) {
			t.Errorf("got %v, want %v", k.times, want)
		}
	})
}

func TestAgain(t *testing.T) {
	k := &kept{}
	r := reader(t, k, nil, "+")
	for _, m := range []payload.Message{
		{Subject: "a", Payload: []byte("1"), Again: true},
		{Subject: "a", Payload: []byte("1"), Again: true}, // which is left out
		{Subject: "b", Payload: []byte("1"), Again: true},
		{Subject: "a", Payload: []byte("2"), Again: true},
		{Subject: "a", Payload: []byte("2")},
	} {
		r.Take(t.Context(), k, m)
	}
	if len(k.lines) != 4 {
		t.Errorf("got %q", k.lines)
	}
}

func TestTheLogIsNotFlooded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.WarnLevel)
		k := &kept{}
		deps := k.deps()
		deps.Logger = zap.New(core)
		p, err := payload.ParsePattern("s", mqtt())
		if err != nil {
			t.Fatal(err)
		}
		r, err := new(payload.DefaultConfig()).New(deps, p)
		if err != nil {
			t.Fatal(err)
		}
		for range 1000 {
			r.Take(t.Context(), k, payload.Message{Subject: "s", Payload: []byte("x")})
			time.Sleep(100 * time.Millisecond)
		}
		if n := logs.Len(); n != 2 || k.rejected != 1000 {
			t.Errorf("%d lines for 1000 messages in 100 s, %d rejected", n, k.rejected)
		}
	})
}

func TestPattern(t *testing.T) {
	redis := payload.Syntax{Word: "channel", Separator: ":", One: "*", Rest: "*"}
	nats := payload.Syntax{Word: "subject", Separator: ".", One: "*", Rest: ">"}
	kafka := payload.Syntax{Word: "topic", Separator: "."}
	for _, tc := range []struct {
		text    string
		syntax  payload.Syntax
		filter  string
		wild    bool
		problem string
	}{
		{"a/{b}/{metric}", mqtt(), "a/+/+", true, ""},
		{"a/+/#", mqtt(), "a/+/#", true, ""},
		{"$SYS/broker/load", mqtt(), "$SYS/broker/load", false, ""},
		{"/a//b/", mqtt(), "/a//b/", false, ""},
		{"a:{b}:*", redis, "a:*:*", true, ""},
		{"a.*.>", nats, "a.*.>", true, ""},
		{"a.b", kafka, "a.b", false, ""},
		{"", mqtt(), "", false, "a topic is empty"},
		{"a/#/b", mqtt(), "", false, "# stands at the end alone"},
		{"a/b+", mqtt(), "", false, "a wildcard stands alone between"},
		{"a/b*", redis, "", false, "a wildcard stands alone between"},
		{"a/{}", mqtt(), "", false, "is no name in braces"},
		{"a/{b c}", mqtt(), "", false, "is no name in braces"},
		{"a/x{b}", mqtt(), "", false, "is no name in braces"},
		{"{a}/{a}", mqtt(), "", false, "{a} stands there twice"},
		{"{a}", kafka, "", false, "has no wildcards"},
	} {
		p, err := payload.ParsePattern(tc.text, tc.syntax)
		switch {
		case tc.problem != "":
			if err == nil || !strings.Contains(err.Error(), tc.problem) {
				t.Errorf("%q: got %v, want %s", tc.text, err, tc.problem)
			}
		case err != nil:
			t.Errorf("%q: %v", tc.text, err)
		case p.Filter() != tc.filter || p.String() != tc.text || p.Wild() != tc.wild:
			t.Errorf("%q: filter %q, shown as %q, wild %t", tc.text, p.Filter(), p, p.Wild())
		}
	}
}

func TestPatternsThatMeanTheSame(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		same bool
	}{
		{"a", "a", true},
		{"a", "b", false},
		{"a/+", "a/b", true},
		{"a/{x}", "{y}/b", true},
		{"a/+/c", "a/b/d", false},
		{"a/#", "a", true},
		{"#", "a/b", true},
		{"a/b/#", "a/c/#", false},
		{"a/+", "a", false},
	} {
		_, ps := payload.ParsePatterns("topics", []string{tc.a, tc.b}, mqtt())
		if (len(ps) > 0) != tc.same || tc.same && ps[0].Path != "topics[1]" {
			t.Errorf("%s and %s: %v", tc.a, tc.b, ps)
		}
	}
}

func TestValidate(t *testing.T) {
	for change, want := range map[*payload.Config]string{
		{Metric: "m"}:                                "metric: ",
		{Metric: "{column}", Query: ".["}:            "query: unexpected EOF",
		{Metric: "{column}", TimeFormat: "whatever"}: "time_format: ",
	} {
		if ps := change.Validate(); len(ps) != 1 || !strings.HasPrefix(ps[0].Error(), want) {
			t.Errorf("got %v, want %s", ps, want)
		}
	}
}

// What a subscription means is what its pattern means: every topic that is made of a filter is taken, with its parts.
func TestPartsBecomeLabels(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		part := rapid.StringMatching(`[a-z0-9 .:]{1,6}`)
		room, metric := part.Draw(rt, "room"), part.Draw(rt, "metric")
		k := &kept{}
		r := reader(t, k, nil, "s/{room}/{metric}")
		r.Take(t.Context(), k, payload.Message{Subject: "s/" + room + "/" + metric, Payload: []byte("1")})
		if want := fmt.Sprintf("%s{room=%q} 1", metric, room); len(k.lines) != 1 || k.lines[0] != want {
			rt.Fatalf("got %q, want %s", k.lines, want)
		}
	})
}

func FuzzTake(f *testing.F) {
	for _, text := range []string{"1", "on", `{"value":1,"time":"2026-01-02T03:04:05Z"}`, `[{"a":1},2]`, `"3"`, "NaN", "{", "\xff", "[[1]]"} {
		f.Add("s/a/b", text, false)
		f.Add("s/a", text, true)
	}
	f.Fuzz(func(t *testing.T, subject, text string, query bool) {
		k := &kept{}
		r := reader(t, k, func(c *payload.Config) {
			if query {
				c.Query = ".[]?, .a?"
			}
		}, "s/{room}/{metric}", "s/+")
		for range 2 {
			r.Take(t.Context(), k, payload.Message{Subject: subject, Payload: []byte(text)})
		}
		for _, l := range k.lines {
			if strings.HasSuffix(l, "NaN") || strings.HasSuffix(l, "Inf") {
				t.Errorf("%q gave %s", text, l)
			}
		}
	})
}

func FuzzPattern(f *testing.F) {
	f.Add("a/{b}/#", "a/x/y")
	f.Add("+/b", "a/b")
	f.Fuzz(func(t *testing.T, text, subject string) {
		p, err := payload.ParsePattern(text, mqtt())
		if err != nil {
			return
		}
		if p.String() != text {
			t.Errorf("%q is written as %q", text, p)
		}
		k := &kept{}
		r, err := new(payload.DefaultConfig()).New(k.deps(), p)
		if err != nil {
			t.Fatal(err)
		}
		r.Take(t.Context(), k, payload.Message{Subject: subject, Payload: []byte("1")})
		if !p.Wild() && (len(k.lines)+k.rejected == 1) != (subject == text) {
			t.Errorf("%q and the topic %q: %v", text, subject, k.lines)
		}
	})
}

// nothing takes samples and forgets them.
type nothing struct{}

func (nothing) Append(string, store.Labels, int64, float64) error { return nil }

func BenchmarkTake(b *testing.B) {
	for name, text := range map[string]string{
		"number": "21.53", "json": `{"temperature":21.53,"humidity":40,"battery":97,"linkquality":120}`, "query": `{"temperature":21.53,"humidity":40}`,
	} {
		b.Run(name, func(b *testing.B) {
			k := &kept{}
			r := reader(b, k, func(c *payload.Config) {
				if name == "query" {
					c.Query = "{t: .temperature}"
				}
			}, "home/{room}/{metric}")
			m := payload.Message{Subject: "home/kitchen/sensor", Payload: []byte(text)}
			ctx := context.Background()
			b.ReportAllocs()
			for b.Loop() {
				r.Take(ctx, nothing{}, m)
			}
		})
	}
}

func TestANumberAllocatesNothing(t *testing.T) {
	k := &kept{}
	r := reader(t, k, nil, "home/{room}/{metric}")
	m := payload.Message{Subject: "home/kitchen/sensor", Payload: []byte("21.53"), Time: math.MaxInt32}
	if n := testing.AllocsPerRun(100, func() { r.Take(t.Context(), nothing{}, m) }); n > 0 {
		t.Errorf("%v allocations for a number", n)
	}
}
