package server

import (
	"net/url"
	"strings"
	"testing"

	"github.com/chartd/chartd/pkg/plotting"
)

func TestQueryChangesAView(t *testing.T) {
	spec := plotting.DefaultSpec()
	spec.Vars = map[string]plotting.Var{"host": {Default: "web1"}}
	q, err := url.ParseQuery("window=15m&size=400x200&hidden=a%2Cb&hidden=c&vars.host=web2&title=Hi&refresh=500&timezone=Asia/Tokyo&marks=[{\"t\":5,\"text\":\"x\"}]&thresholds=[{\"at\":80}]")
	if err != nil {
		t.Fatal(err)
	}
	c, err := changeOf(q)
	if err != nil {
		t.Fatal(err)
	}
	v, err := spec.Change(spec.View("cpu"), c)
	if err != nil {
		t.Fatal(err)
	}
	if v.Window.String() != "15m" || v.Width != 400 || v.Height != 200 || v.Title != "Hi" || v.Refresh.Millis() != 500 ||
		strings.Join(v.Hidden(), "|") != "a,b|c" || v.Vars()["host"] != "web2" ||
		v.Timezone != "Asia/Tokyo" || len(v.Marks()) != 1 || v.Marks()[0].Text != "x" || len(spec.ThresholdsOf(v)) != 1 {
		t.Fatalf("got %+v", v)
	}
}

func TestQueryTimes(t *testing.T) {
	q := url.Values{"from": {"1700000000000"}, "to": {"2023-11-14T23:13:20Z"}}
	c, err := changeOf(q)
	if err != nil {
		t.Fatal(err)
	}
	if *c.From != 1_700_000_000_000 || *c.To != 1_700_003_600_000 {
		t.Fatalf("got %d to %d", *c.From, *c.To)
	}
}

func TestQueryReplays(t *testing.T) {
	c, err := changeOf(url.Values{"replay.at": {"2023-11-14T22:13:20Z"}, "replay.since": {"1700000060000"}, "replay.speed": {"2.5"}})
	if err != nil {
		t.Fatal(err)
	}
	if want := (plotting.Replay{At: 1_700_000_000_000, Since: 1_700_000_060_000, Speed: 2.5}); c.Replay == nil || *c.Replay != want {
		t.Fatalf("got %+v, want %+v", c.Replay, want)
	}
}

func TestQueryNamesEveryMistake(t *testing.T) {
	q, err := url.ParseQuery("windw=5m&replay.at=then&replay.speed=fast&size=400&from=yesterday&refresh=fast&title=a&title=b&marks=here")
	if err != nil {
		t.Fatal(err)
	}
	_, err = changeOf(q)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`windw: is no parameter; did you mean "window"?`, `size: "400" is not a size; write it as 800x400`,
		`from: "yesterday" is not a time`, `replay.at: "then" is not a time`, `replay.speed: "fast" is not a number`, `refresh: "fast" is not a duration`, `title: stands there 2 times`,
		`marks: is no list that can be read; write JSON such as [{"t":`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %q", err, want)
		}
	}
}

func FuzzQuery(f *testing.F) {
	f.Add("window=5m&size=400x200&hidden=a&vars.x=1&from=1&to=2023-11-14T23:13:20Z")
	f.Add("size=x&refresh=&%zz")
	spec := plotting.DefaultSpec()
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		c, err := changeOf(q)
		if err != nil {
			return
		}
		v, err := spec.Change(spec.View("x"), c)
		if err == nil && (v.Width < plotting.MinSide || v.Height > plotting.MaxSide) {
			t.Fatalf("size %d by %d got through", v.Width, v.Height)
		}
	})
}
