package auth

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
)

func linkGrant(l Link) *Grant { return &Grant{form: FormLink, link: &l, read: globs{l.Chart}} }

func minutes(n int64) *quantity.Duration { return new(quantity.Duration(n * 60e9)) }

func TestUnlimitedChange(t *testing.T) {
	s, now := spec(), time.Now()
	for _, g := range []*Grant{Everybody(), {form: FormToken, read: globs{"*"}}} {
		v, err := g.View(s, "cpu")
		if err != nil || v != s.View("cpu") {
			t.Errorf("the view is %+v, %v", v, err)
		}
		c := plotting.Change{Window: minutes(600), Vars: map[string]string{"host": "web2"}}
		got, err := g.Change(s, v, c, now)
		want, wantErr := s.Change(v, c)
		if err != nil || wantErr != nil || got != want || g.Fit(s, got, now) != nil {
			t.Errorf("changed to %+v, %v; want %+v", got, err, want)
		}
	}
}

// TestLimits is the table of what the viewer of a link may ask for.
func TestLimits(t *testing.T) {
	s, now := spec(), time.Now()
	ms := func(ago time.Duration) *int64 { return new(now.Add(-ago).UnixMilli()) }
	title, hidden, size := "mine", []string{"idle"}, [2]int{300, 200}
	pin := Link{Chart: "cpu", View: plotting.Change{Vars: map[string]string{"host": "web2"}, Title: &title, Size: &size}, MaxWindow: quantity.Duration(10 * 60e9)}
	fixed := Link{Chart: "cpu", View: plotting.Change{From: ms(48 * time.Hour), To: ms(47 * time.Hour)}}
	window := Link{Chart: "cpu", View: plotting.Change{Window: minutes(2), Hidden: &hidden}}
	other := "other"
	for _, tt := range []struct {
		name string
		link Link
		c    plotting.Change
		want string // in the error; "" is allowed
	}{
		{"nothing", pin, plotting.Change{}, ""},
		{"another var", pin, plotting.Change{Vars: map[string]string{"disk": "sdb"}}, ""},
		{"the pinned var", pin, plotting.Change{Vars: map[string]string{"host": "web3"}}, "vars.host: cannot be altered"},
		{"back to the chart's own var", pin, plotting.Change{Vars: map[string]string{"host": "web1"}}, "vars.host: cannot be altered"},
		{"the pinned var as it is", pin, plotting.Change{Vars: map[string]string{"host": "web2"}}, ""},
		{"the title", pin, plotting.Change{Title: &other}, "title: cannot be altered"},
		{"the title away", pin, plotting.Change{Title: new("")}, "title: cannot be altered"},
		{"reset keeps what is pinned", pin, plotting.Change{Reset: true}, ""},
		{"reset and more", pin, plotting.Change{Reset: true, Vars: map[string]string{"host": "web1"}}, "vars.host"},
		{"a size is kept silently", pin, plotting.Change{Size: &[2]int{800, 600}}, ""},
		{"a smaller window", pin, plotting.Change{Window: minutes(1)}, ""},
		{"the largest window", pin, plotting.Change{Window: minutes(10)}, ""},
		{"a larger window", pin, plotting.Change{Window: minutes(11)}, "window: 11m; this link shows at most 10m"},
		{"the chart's own window", pin, plotting.Change{Window: minutes(0)}, ""},
		{"a range within", pin, plotting.Change{From: ms(9 * time.Minute), To: ms(time.Minute)}, ""},
		{"a range of long ago", pin, plotting.Change{From: ms(time.Hour), To: ms(59 * time.Minute)}, "from: "},
		{"a range that begins too early", pin, plotting.Change{From: ms(time.Hour), To: ms(0)}, "from: "},
		{"a range that ends in the future", pin, plotting.Change{From: ms(0), To: ms(-9 * time.Minute)}, ""},
		{"a range that would grow", pin, plotting.Change{From: ms(0), To: ms(-1000 * time.Hour)}, "to: "},
		{"the past within", pin, plotting.Change{Window: minutes(2), Replay: &plotting.Replay{At: *ms(7 * time.Minute)}}, ""},
		{"the past as it went by", pin, plotting.Change{Window: minutes(2), Replay: &plotting.Replay{At: *ms(7 * time.Minute), Speed: 10}}, ""},
		{"the past of long ago", pin, plotting.Change{Window: minutes(2), Replay: &plotting.Replay{At: *ms(time.Hour)}}, "replay: "},
		{"a window that reaches far behind the past", pin, plotting.Change{Window: minutes(9), Replay: &plotting.Replay{At: *ms(5 * time.Minute)}}, "replay: "},
		{"hidden series", pin, plotting.Change{Hidden: &hidden}, ""},
		{"a bad window", pin, plotting.Change{Window: new(quantity.Duration(1))}, "is not between"},
		{"a var that is not there", pin, plotting.Change{Vars: map[string]string{"x": "y"}}, `no var "x"`},

		{"away from a pinned range", fixed, plotting.Change{Window: minutes(5)}, "from, to: cannot be altered"},
		{"live again", fixed, plotting.Change{From: new(int64(0)), To: new(int64(0))}, "from, to: cannot be altered"},
		{"the past instead", fixed, plotting.Change{Replay: &plotting.Replay{At: *ms(time.Hour)}}, "from, to: cannot be altered"},
		{"a pinned range as it is", fixed, plotting.Change{Hidden: &hidden}, ""},

		{"the pinned window", window, plotting.Change{Window: minutes(3)}, "window: cannot be altered"},
		{"the past in its place", window, plotting.Change{Replay: &plotting.Replay{At: *ms(time.Hour)}}, "window: cannot be altered"},
		{"a range in its place", window, plotting.Change{From: ms(time.Hour), To: ms(0)}, "window: cannot be altered"},
		{"show what is hidden", window, plotting.Change{Hidden: &[]string{}}, "hidden: cannot be altered"},
		{"hide more", window, plotting.Change{Hidden: &[]string{"idle", "user"}}, "hidden: cannot be altered"},
		{"another refresh", window, plotting.Change{Refresh: new(quantity.Duration(5e9))}, ""},
	} {
		g := linkGrant(tt.link)
		v, err := g.View(s, "cpu")
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if err := g.Fit(s, v, now); err != nil {
			t.Errorf("%s: the first view does not fit: %v", tt.name, err)
		}
		next, err := g.Change(s, v, tt.c, now)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want == "" && tt.link.View.Size != nil && [2]int{next.Width, next.Height} != size:
			t.Errorf("%s: the size is %d by %d", tt.name, next.Width, next.Height)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		case tt.want != "" && next != (plotting.View{}):
			t.Errorf("%s: there is a view beside the error", tt.name)
		}
	}
}

// TestRangeGrowsOld holds that a range which was good when it was chosen may
// stay, with other changes, though it leaves the window that the link allows.
func TestRangeGrowsOld(t *testing.T) {
	s, now := spec(), time.Now()
	g := linkGrant(Link{Chart: "cpu", MaxWindow: quantity.Duration(600e9)})
	v, err := g.View(s, "cpu")
	if err != nil || v.Window != quantity.Duration(600e9) {
		t.Fatalf("%+v, %v; the window must be the link's", v, err)
	}
	from, to := now.Add(-9*time.Minute).UnixMilli(), now.UnixMilli()
	if v, err = g.Change(s, v, plotting.Change{From: &from, To: &to}, now); err != nil {
		t.Fatal(err)
	}
	later := now.Add(time.Hour)
	next, err := g.Change(s, v, plotting.Change{Hidden: &[]string{"idle"}}, later)
	if err != nil || next.From != from {
		t.Errorf("%+v, %v", next, err)
	}
	if _, err := g.Change(s, next, plotting.Change{To: new(to - 1)}, later); err == nil {
		t.Error("another old range is allowed")
	}
	if err := g.Fit(s, next, later); err == nil {
		t.Error("the same view of somebody else is allowed")
	}
}

// TestLinkOutlivesChart holds what happens to a link whose chart has changed.
func TestLinkOutlivesChart(t *testing.T) {
	s := spec()
	delete(s.Vars, "host")
	g := linkGrant(Link{Chart: "cpu", View: plotting.Change{Vars: map[string]string{"host": "web2"}}})
	if _, err := g.View(s, "cpu"); err == nil || !strings.Contains(err.Error(), "does not fit the chart any more") {
		t.Errorf("the view: %v", err)
	}
	if _, err := g.Change(s, s.View("cpu"), plotting.Change{}, time.Now()); err == nil {
		t.Error("a change is allowed")
	}
}

// TestPinsHold draws links and whatever their viewers may ask for, over and
// over: no row of changes leads to a view that shows more.
func TestPinsHold(t *testing.T) {
	s := spec()
	rapid.Check(t, func(t *rapid.T) {
		now := time.Now()
		g := linkGrant(Link{Chart: "cpu", View: drawChange(t, now, true), MaxWindow: *minutes(rapid.Int64Range(1, 60).Draw(t, "max"))})
		v, err := g.View(s, "cpu")
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 6).Draw(t, "changes") {
			next, err := g.Change(s, v, drawChange(t, now, false), now)
			if err != nil {
				continue
			}
			v = next
			if err := g.Fit(s, v, now); err != nil {
				t.Fatalf("a change led to %+v: %v", v, err)
			}
			for name, want := range g.link.View.Vars {
				got, ok := v.Vars()[name]
				if !ok {
					got = s.Vars[name].Default
				}
				if got != want {
					t.Fatalf("%s is %q, pinned is %q", name, got, want)
				}
			}
			if g.link.View.Title != nil && v.Title != *g.link.View.Title {
				t.Fatalf("the title is %q", v.Title)
			}
			if v.Live() && v.Window > g.link.MaxWindow || !v.Live() && (v.From < now.Add(-g.link.MaxWindow.Std()-slack).UnixMilli() || v.To-v.From > (g.link.MaxWindow.Std()+slack).Milliseconds()) {
				t.Fatalf("it shows more than %v: %+v", g.link.MaxWindow, v)
			}
		}
	})
}

// drawChange makes up a change. One that is to be pinned leaves out the time,
// which is bounded otherwise.
func drawChange(t *rapid.T, now time.Time, pinned bool) plotting.Change {
	var c plotting.Change
	maybe := func(what string) bool { return rapid.Bool().Draw(t, what) }
	if maybe("vars") {
		c.Vars = map[string]string{rapid.SampledFrom([]string{"host", "disk"}).Draw(t, "var"): rapid.SampledFrom([]string{"web1", "web2", "sda", ""}).Draw(t, "value")}
	}
	if maybe("title") {
		c.Title = new(rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "title"))
	}
	if maybe("hidden") {
		c.Hidden = new(rapid.SliceOfN(rapid.SampledFrom([]string{"user", "idle"}), 0, 2).Draw(t, "hidden"))
	}
	if maybe("size") {
		c.Size = &[2]int{rapid.IntRange(40, 500).Draw(t, "w"), rapid.IntRange(40, 500).Draw(t, "h")}
	}
	if pinned {
		return c
	}
	c.Reset = maybe("reset")
	if maybe("window") {
		c.Window = minutes(rapid.Int64Range(0, 120).Draw(t, "minutes"))
	}
	if maybe("range") {
		c.From = new(now.Add(-time.Duration(rapid.Int64Range(0, 120).Draw(t, "from")) * time.Minute).UnixMilli())
		c.To = new(now.Add(time.Duration(rapid.Int64Range(0, 120).Draw(t, "to")) * time.Minute).UnixMilli())
	}
	return c
}
