package pipe

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/lines"
	"github.com/chartd/chartd/pkg/store"
)

var update = flag.Bool("update", false, "write the expected files anew")

// laid returns what the charts of a text are, a line for each, and a store that
// holds what they show.
func laid(t *testing.T, text, match string) (string, []*config.Chart, *store.Store) {
	t.Helper()
	format := lines.DefaultConfig()
	format.Match = match
	f := newFeed(format)
	if _, err := f.New(source.Deps{Skip: func(int) {}, Reject: func(_ int, err error) { t.Errorf("rejected: %v", err) }}); err != nil {
		t.Fatal(err)
	}
	cfg := store.DefaultConfig()
	cfg.MaxAge = 3660 * 24 * 3600e9
	st := store.New(cfg, nil)
	for line := range bytes.Lines([]byte(text)) {
		f.read(line, st)
	}
	charts, _ := f.layout(Config{Match: match}, 0)
	var b strings.Builder
	for _, c := range charts {
		if ps := c.Validate(); len(ps) > 0 {
			t.Errorf("%s: %v", c.Name, ps)
		}
		fmt.Fprintf(&b, "%s: %s", c.Title, c.Kind)
		if c.Stack {
			b.WriteString(" stacked")
		}
		if c.Y.Min != nil {
			fmt.Fprintf(&b, " from %v", *c.Y.Min)
		}
		fmt.Fprintf(&b, " in %s:", c.Y.Unit)
		for _, s := range c.Series {
			ms := make([]store.Matcher, 0, 1)
			for name, value := range s.Labels {
				m, err := store.ParseMatcher(name, value)
				if err != nil {
					t.Fatal(err)
				}
				ms = append(ms, m)
			}
			n := len(st.Select(s.Metric, ms))
			if n == 0 {
				t.Errorf("%s: nothing is called %s", c.Name, s.Metric)
			}
			fmt.Fprintf(&b, " [%s]×%d", s.Name, n)
		}
		b.WriteByte('\n')
	}
	return b.String(), charts, st
}

// TestRecorded lays out what programs printed, with no flag; ping has its one,
// too.
func TestRecorded(t *testing.T) {
	time.Local = time.UTC
	files, err := filepath.Glob("../source/lines/testdata/*.*")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, file := range files {
		if filepath.Ext(file) == ".golden" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got, _, _ := laid(t, string(text), "")
		fmt.Fprintf(&b, "== %s\n%s", filepath.Base(file), got)
		if filepath.Base(file) == "ping.txt" {
			got, _, _ := laid(t, string(text), "time=([0-9.]+)")
			fmt.Fprintf(&b, "== %s --match 'time=([0-9.]+)'\n%s", filepath.Base(file), got)
		}
	}
	const golden = "testdata/layouts.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

// TestLater holds that what comes later joins the page, and that what is there
// stays as it is.
func TestLater(t *testing.T) {
	one, first, _ := laid(t, "a b\n1 2\n", "")
	two, second, _ := laid(t, "a b\n1 2\nc d\n500 7\na b\n3 4\n", "")
	if !strings.HasPrefix(two, one) || len(second) <= len(first) || first[0].Name != second[0].Name {
		t.Errorf("first\n%sthen\n%s", one, two)
	}
}

// TestBurst holds that lines which come at once all show, although they say no
// time.
func TestBurst(t *testing.T) {
	_, charts, st := laid(t, "name v\n"+strings.Repeat("a 1\nb 2\n", 100), "")
	all := st.Select(charts[0].Series[0].Metric, nil)
	if len(all) != 2 || all[0].Len() != 100 || all[1].Len() != 100 {
		t.Fatalf("of twice 100 lines %v are there", all)
	}
	if last, ok := all[0].Last(); !ok || last.T > time.Now().UnixMilli()+200 {
		t.Errorf("the last one is of %v", time.UnixMilli(last.T))
	}
}

// TestWindow follows the pace of the lines.
func TestWindow(t *testing.T) {
	now := time.Now().Unix()
	for _, tt := range []struct {
		step int64
		rows int
		want string
	}{
		{1, 30, "2m"}, {10, 5, "15m"}, {60, 10, "1h"}, {3600, 48, "7d"},
	} {
		var b strings.Builder
		b.WriteString("time,v\n")
		for i := range tt.rows {
			fmt.Fprintf(&b, "%d,%d\n", now-int64(tt.rows-i)*tt.step, i)
		}
		_, charts, _ := laid(t, b.String(), "")
		if got := charts[0].Window.String(); got != tt.want {
			t.Errorf("every %d s: a window of %s, want %s", tt.step, got, tt.want)
		}
	}
}
