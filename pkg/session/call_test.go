package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/store"
)

// appended is an Appender that notes what it is given.
type appended []string

func (a *appended) Append(metric string, labels store.Labels, t int64, v float64) error {
	*a = append(*a, fmt.Sprintf("%s%v %d %v", metric, labels, t, v))
	return nil
}

func newCall(solo bool) (*Call, *appended) {
	spec := plotting.DefaultSpec()
	spec.Vars = map[string]plotting.Var{"host": {Default: "a"}}
	v := spec.View("cpu")
	v.Title = "was"
	app := &appended{}
	return &Call{chart: "cpu", cause: CauseClient, spec: &spec, appender: app, first: v, view: v, base: spec.View("cpu"), solo: solo}, app
}

func TestCallArgument(t *testing.T) {
	for arg, want := range map[string]string{
		`"MyCustomArgs"`: "MyCustomArgs", `"a\nb"`: "a\nb", `{"a":1}`: `{"a":1}`, `12`: "12", `null`: "", ``: "", `"\u2028"`: "\u2028", `[]`: "[]",
	} {
		c := &Call{}
		if arg != "" {
			c.arg = json.RawMessage(arg)
		}
		if got := c.ArgString(); got != want {
			t.Errorf("%s: got %q, want %q", arg, got, want)
		}
	}
}

func TestCallChanges(t *testing.T) {
	c, app := newCall(true)
	marks := []plotting.Mark{{T: 5, Text: "x"}}
	for i, err := range []error{
		c.SetWindow(time.Hour), c.SetTitle("new"), c.SetVar("host", "b"), c.SetRefresh(2 * time.Second),
		c.Hide("idle", "steal"), c.Hide("user"), c.Show("steal"), c.Mark(time.UnixMilli(9), "nine"), c.Mark(time.UnixMilli(3), "three"),
		c.Set(plotting.Change{Size: &[2]int{100, 200}}),
		c.Append("m", store.LabelsOf(map[string]string{"a": "b"}), 7, 1.5),
		c.Reply(map[string]int{"n": 1}),
	} {
		if err != nil {
			t.Errorf("call %d: %v", i, err)
		}
	}
	v := c.View()
	if v.Window != *window(time.Hour) || v.Title != "new" || v.Vars()["host"] != "b" || v.Refresh != *window(2 * time.Second) || v.Width != 100 {
		t.Errorf("view %+v", v)
	}
	if !slices.Equal(v.Hidden(), []string{"idle", "user"}) || len(v.Marks()) != 2 || v.Marks()[0].Text != "three" {
		t.Errorf("hidden %v, marks %v", v.Hidden(), v.Marks())
	}
	equal(t, strings.Join(*app, ";"), `m{a="b"} 7 1.5`)
	if err := c.Set(plotting.Change{Window: window(time.Millisecond), Title: new("half")}); err == nil || !strings.Contains(err.Error(), "window") || c.View() != v {
		t.Errorf("a bad change: %v, view %+v", err, c.View())
	}
	if err := c.SetRange(time.UnixMilli(1000), time.UnixMilli(2000)); err != nil || c.View().From != 1000 {
		t.Errorf("range: %v, %+v", err, c.View())
	}
	if err := c.Show(); err != nil || len(c.View().Hidden()) != 0 {
		t.Errorf("show all: %v, %v", err, c.View().Hidden())
	}
	delta, reply := c.finish()
	equal(t, string(reply), `{"n":1}`)
	got, err := c.spec.Change(c.first, delta)
	if err != nil || got != c.View() {
		t.Errorf("the changes lead to %+v (%v), the handler saw %+v", got, err, c.View())
	}
	// What a handler does to its variables afterwards is its own affair.
	ch := plotting.Change{Marks: &marks, Vars: map[string]string{"host": "c"}}
	c, _ = newCall(true)
	if err := c.Set(ch); err != nil {
		t.Fatal(err)
	}
	marks[0].Text, ch.Vars["host"] = "changed", "changed"
	delta, _ = c.finish()
	if (*delta.Marks)[0].Text != "x" || delta.Vars["host"] != "c" {
		t.Errorf("the change shares memory with the handler: %+v", delta)
	}
}

func TestCallReset(t *testing.T) {
	c, _ := newCall(true)
	if err := errors.Join(c.SetWindow(time.Hour), c.Set(plotting.Change{Reset: true, Title: new("again")})); err != nil {
		t.Fatal(err)
	}
	want := c.base
	want.Title = "again"
	if c.View() != want {
		t.Errorf("got %+v, want %+v", c.View(), want)
	}
	delta, _ := c.finish()
	if got, err := c.spec.Change(c.first, delta); err != nil || got != want {
		t.Errorf("the changes lead to %+v, %v", got, err)
	}
}

func TestCallUndo(t *testing.T) {
	c, _ := newCall(true)
	if err := errors.Join(c.SetTitle("x"), c.Reply(1)); err != nil {
		t.Fatal(err)
	}
	c.undo()
	if c.View() != c.first {
		t.Errorf("view %+v", c.View())
	}
	if err := c.SetWindow(time.Hour); err != nil { // an After hook may still
		t.Error(err)
	}
	delta, reply := c.finish()
	if delta.Title != nil || reply != nil || delta.Window == nil {
		t.Errorf("got %+v, %s", delta, reply)
	}
}

// A reply in another encoding, as a webhook may have it, is no reason for a client
// to lose its connection.
func TestReplyIsUTF8(t *testing.T) {
	c, _ := newCall(false)
	if err := c.Reply(json.RawMessage("\"caf\xe9\"")); err != nil {
		t.Fatal(err)
	}
	if _, reply := c.finish(); string(reply) != "\"caf\ufffd\"" {
		t.Errorf("got %q", reply)
	}
}

func TestCallRefuses(t *testing.T) {
	c, app := newCall(false)
	if err := c.Set(plotting.Change{Paused: new(true)}); err == nil || !strings.HasPrefix(err.Error(), "paused: ") {
		t.Errorf("pausing everybody: %v", err)
	}
	if err := c.Reply(func() {}); err == nil {
		t.Error("replied with a function")
	}
	if err := c.Reply(strings.Repeat("x", MaxReply)); err == nil || !strings.Contains(err.Error(), "at most 65536") {
		t.Errorf("a long reply: %v", err)
	}
	c.finish()
	for i, err := range []error{c.SetTitle("x"), c.Append("m", nil, 1, 1), c.Reply(1), c.Mark(time.Now(), "x"), c.Hide("x"), c.Show()} {
		if !errors.Is(err, ErrOver) {
			t.Errorf("call %d after the end: %v", i, err)
		}
	}
	if len(*app) > 0 {
		t.Error("a sample was appended after the end")
	}
}

func TestMarksAreBounded(t *testing.T) {
	c, _ := newCall(true)
	for i := range plotting.MaxMarks + 10 {
		if err := c.Mark(time.UnixMilli(int64(i)), fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	marks := c.View().Marks()
	if len(marks) != plotting.MaxMarks || marks[0].T != 10 {
		t.Errorf("%d marks from %d", len(marks), marks[0].T)
	}
}

func TestValues(t *testing.T) {
	var v Values
	if v.Get("a") != nil {
		t.Error("something in nothing")
	}
	v.Set("a", 1)
	v.Set("b", 2)
	v.Set("a", nil)
	if v.Get("a") != nil || v.Get("b") != 2 {
		t.Errorf("a is %v, b is %v", v.Get("a"), v.Get("b"))
	}
}
