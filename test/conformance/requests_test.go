package conformance

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"github.com/coder/websocket"
)

// Every request is answered by one ok or error that repeats its id.
func TestRequestsAreAnswered(t *testing.T) {
	srv := start(t)
	srv.feed()
	c := srv.dial()
	_, ok := c.watch("wave")
	for _, step := range []struct {
		say, id, answer string // answer: ok, or an error's code
	}{
		{`{"t":"ping","id":2}`, "2", "ok"},
		{`{"t":"ping","id":-1.50e+2}`, "-1.50e+2", "ok"},
		{`{"t":"sub","id":3,"chart":"wavee"}`, "3", "unknown_chart"},
		{`{"t":"sub","id":4,"chart":"wave","view":{"window":"1ms"}}`, "4", "bad_view"},
		{`{"t":"sub","id":5,"chart":"wave","view":{"size":"big"}}`, "5", "bad_message"},
		{`{"t":"sub","id":6}`, "6", "bad_message"},
		{`{"t":"set","id":7,"v":"nothing"}`, "7", "unknown_view"},
		{`{"t":"unsub","id":8,"v":"nothing"}`, "8", "unknown_view"},
		{`{"t":"callback","id":9,"v":"nothing","arg":1}`, "9", "unknown_view"},
		{`{"t":"dance","id":10}`, "10", "unknown_type"},
		{`{"t":"hello","id":11}`, "11", "out_of_order"},
		{`{"t":"ping","id":"twelve"}`, "", "bad_message"},
		{`[{"t":"nothing"},{"t":"ping","id":13}]`, "", "unknown_type"},
		{`not json`, "", "bad_message"},
		{`{"t":"set","id":14,"v":"` + ok.V + `","view":{"paused":true},"later":1}`, "14", "ok"},
		{`{"t":"unsub","id":15,"v":"` + ok.V + `"}`, "15", "ok"},
		{`{"t":"unsub","id":16,"v":"` + ok.V + `"}`, "16", "unknown_view"},
	} {
		c.say("%s", step.say)
		m := c.next("ok", "error")
		if m.ID.String() == "13" { // the neighbor of a bad message
			m = c.next("ok", "error")
		}
		got := m.T
		if m.T == "error" {
			got = m.Code
			if m.Message == "" {
				t.Errorf("%s: the error says nothing", step.say)
			}
		}
		if m.ID.String() != step.id || got != step.answer {
			t.Errorf("%s is answered with %v, want %s of id %q", step.say, m, step.answer, step.id)
		}
	}
}

// A callback moves its caller's view, and nobody else's; its events come in
// the promised order, around the frame.
func TestACallbackAndItsEvents(t *testing.T) {
	srv := start(t)
	srv.feed()
	other := srv.dial()
	_, okOther := other.watch("wave")

	c := srv.dial()
	c.say(`[{"t":"hello"},{"t":"sub","id":1,"chart":"wave","events":true}]`)
	ok := c.next("ok")
	c.next("full")
	c.say(`{"t":"callback","id":2,"v":%q,"arg":"wide"}`, ok.V)

	var order []string
	var moved message
	s := screen{}
	for len(order) == 0 || order[len(order)-1] != "AfterCallbackResponseProcess" {
		m := c.next("event", "ok", "error", "full", "patch")
		switch {
		case m.T == "event" && m.Cause == "client":
			if m.ID != "2" || string(m.Arg) != `"wide"` || m.Error != "" || (m.MS != nil) != (m.Event == "AfterCallback") {
				t.Errorf("the event %v", m)
			}
			order = append(order, m.Event)
		case m.T == "ok" || m.T == "error":
			moved = m
			s.v = m.V
			order = append(order, m.T)
		case m.V == s.v && m.V != ok.V:
			if _, _, err := s.take(m); err != nil {
				t.Fatal(err)
			}
			order = append(order, m.T)
		}
	}
	want := []string{"BeforeCallback", "AfterCallback", "ok", "BeforeCallbackResponseProcess", "full", "AfterCallbackResponseProcess"}
	if len(order) != len(want) {
		t.Fatalf("the order is %v, want %v", order, want)
	}
	for i := range want {
		if order[i] != want[i] {
			t.Fatalf("the order is %v, want %v", order, want)
		}
	}
	if moved.V == ok.V || moved.V == "" || moved.Handled == nil || !*moved.Handled {
		t.Errorf("the callback is answered with %v", moved)
	}
	var view struct{ Window string }
	if err := json.Unmarshal(moved.View, &view); err != nil || view.Window != "30s" {
		t.Errorf("the view is %s, %v", moved.View, err)
	}

	// Ticks have events, too, in the same order, around a frame if anything moved.
	var tick []string
	for framed := false; !framed; {
		m := c.next("event", "full", "patch")
		switch {
		case m.T == "event" && m.Cause == "tick" && m.V == moved.V:
			begins, ends := m.Event == "BeforeCallback", m.Event == "AfterCallbackResponseProcess"
			framed = (begins || ends) && slices.Contains(tick, "frame") // a frame after the end is no reason to go on
			if begins && !framed {
				tick = nil
			}
			tick = append(tick, m.Event)
		case m.T == "patch" && len(tick) > 0:
			tick = append(tick, "frame")
		}
	}
	if !slices.Equal(tick, []string{"BeforeCallback", "AfterCallback", "BeforeCallbackResponseProcess", "frame", "AfterCallbackResponseProcess"}) {
		t.Errorf("a tick's events are %v", tick)
	}

	// Nobody wants this one, and nothing moves.
	c.say(`{"t":"callback","id":3,"v":%q,"arg":{"nobody":"wants this"}}`, moved.V)
	if m := c.next("ok", "error"); m.T != "ok" || m.V != moved.V || m.Handled == nil || *m.Handled {
		t.Errorf("a callback that nobody wants is answered with %v", m)
	}

	// The other one still watches what it watched.
	drained := false
	for !drained {
		select {
		case m := <-other.messages:
			if m.V != "" && m.V != okOther.V || m.T == "event" {
				t.Errorf("somebody else's callback brought %v", m)
			}
		default:
			drained = true
		}
	}
	if m := other.next("patch", "full"); m.V != okOther.V {
		t.Errorf("the other view became %v", m)
	}
}

// A chart that is refreshed only on demand is silent until a callback asks.
func TestARefreshOnDemand(t *testing.T) {
	srv := start(t)
	if err := srv.push(t.Context(), `{"metric":"wave","labels":{"of":"x"},"v":1}`); err != nil {
		t.Fatal(err)
	}
	c := srv.dial()
	_, ok := c.watch("quiet")
	s := screen{v: ok.V}
	if _, _, err := s.take(c.next("full", "patch")); err != nil {
		t.Fatal(err)
	}
	if err := srv.push(t.Context(), `{"metric":"wave","labels":{"of":"x"},"v":2}`); err != nil {
		t.Fatal(err)
	}
	c.say(`{"t":"callback","id":2,"v":%q}`, ok.V)
	m := c.next("full", "patch")
	if shown, _, err := s.take(m); !shown || err != nil {
		t.Fatalf("%v: %v", m, err)
	}
	c.say(`{"t":"resync","v":%q}`, ok.V)
	full := c.next("full", "patch")
	if full.T != "full" || full.E != s.e || full.R != s.r || full.SVG != s.pic.root.String() {
		t.Errorf("a resync brings %v, want a full at %s/%d that says\n%s", full, s.e, s.r, s.pic.root)
	}
}

// A callback that fails has its four events, its error among them, and refreshes
// the chart all the same; one that is refused before it begins has none.
func TestACallbackThatFails(t *testing.T) {
	srv := start(t)
	if err := srv.push(t.Context(), `{"metric":"wave","labels":{"of":"up"},"v":1}`); err != nil {
		t.Fatal(err)
	}
	c := srv.dial()
	c.say(`[{"t":"hello"},{"t":"sub","id":1,"chart":"quiet","events":true}]`)
	ok := c.next("ok")
	c.next("full")
	if err := srv.push(t.Context(), `{"metric":"wave","labels":{"of":"up"},"v":2}`); err != nil {
		t.Fatal(err)
	}
	c.say(`[{"t":"callback","id":2,"v":"nothing"},{"t":"callback","id":3,"v":%q,"arg":{"view":{"window":1}}}]`, ok.V)
	var order []string
	for !slices.Contains(order, "AfterCallbackResponseProcess") {
		m := c.next("event", "ok", "error", "full", "patch")
		what := m.T
		switch m.T {
		case "event":
			what = m.Event
			if m.ID != "3" || (m.Error != "") != (m.Event == "AfterCallback") {
				t.Errorf("the event %v", m)
			}
		case "error":
			what = m.Code
		case "patch", "full":
			what = "frame"
		}
		order = append(order, what)
	}
	want := []string{"unknown_view", "BeforeCallback", "AfterCallback", "bad_view", "BeforeCallbackResponseProcess", "frame", "AfterCallbackResponseProcess"}
	if !slices.Equal(order, want) {
		t.Errorf("the order is %v, want %v", order, want)
	}
}

func TestHowConnectionsEnd(t *testing.T) {
	srv := start(t)
	t.Run("a binary message", func(t *testing.T) {
		c := srv.dial()
		c.watch("wave")
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if err := c.ws.Write(ctx, websocket.MessageBinary, []byte{1}); err != nil {
			t.Fatal(err)
		}
		if code := c.closed(); code != 4500 {
			t.Errorf("closed with %d", code)
		}
	})
	t.Run("a message too long", func(t *testing.T) {
		c := srv.dial()
		c.watch("wave")
		c.say(`{"t":"callback","v":"x","arg":%q}`, make([]byte, 80_000))
		if code := c.closed(); code != 1009 {
			t.Errorf("closed with %d", code)
		}
	})
	t.Run("a message before hello", func(t *testing.T) {
		c := srv.dial()
		c.say(`[{"t":"sub","id":1,"chart":"wave"},{"t":"hello"}]`)
		if m := c.next("ok", "error", "welcome"); m.T != "error" || m.Code != "out_of_order" || m.ID != "1" {
			t.Errorf("it is answered with %v", m)
		}
		if code := c.closed(); code != 4500 {
			t.Errorf("closed with %d", code)
		}
	})
	t.Run("bad messages over and over", func(t *testing.T) {
		c := srv.dial()
		c.watch("wave")
		for range 32 {
			c.say(`{"t":"unsub"}`)
		}
		if code := c.closed(); code != 4500 {
			t.Errorf("closed with %d", code)
		}
	})
	t.Run("another connection resumes the session", func(t *testing.T) {
		c := srv.dial()
		welcome, _ := c.watch("wave")
		d := srv.dial()
		d.say(`{"t":"hello","session":%q}`, welcome.Session)
		if m := d.next("welcome"); !m.Resumed {
			t.Errorf("the session is not resumed: %v", m)
		}
		if code := c.closed(); code != 4503 {
			t.Errorf("closed with %d", code)
		}
	})
	t.Run("the server stops", func(t *testing.T) {
		c := srv.dial()
		c.watch("wave")
		done := make(chan error, 1)
		go func() { done <- srv.stop() }()
		if code := c.closed(); code != 4000 {
			t.Errorf("closed with %d", code)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// A set moves the subscription, and its ok comes before the first frame of the
// new view.
func TestASetMovesTheView(t *testing.T) {
	srv := start(t)
	srv.feed()
	c := srv.dial()
	_, ok := c.watch("wave")
	c.next("full")
	c.say(`{"t":"set","id":2,"v":%q,"view":{"size":[300,150]}}`, ok.V)
	moved := message{}
	for moved.T == "" {
		switch m := c.next("ok", "error", "full", "patch"); {
		case m.T == "ok":
			moved = m
		case m.T == "error" || m.V != ok.V:
			t.Fatalf("before the ok comes %v", m)
		}
	}
	if moved.V == ok.V || moved.ID != "2" {
		t.Fatalf("the set is answered with %v", moved)
	}
	first := c.next("full", "patch")
	for first.V == ok.V { // was on its way
		first = c.next("full", "patch")
	}
	s := screen{v: moved.V}
	if shown, _, err := s.take(first); !shown || err != nil {
		t.Fatalf("the first frame is %v: %v", first, err)
	}
	if box, _, _, _ := s.pic.root.attr("viewBox"); box != "0 0 3000 1500" {
		t.Errorf("the viewBox of 300 by 150 px is %q", box)
	}
	// And back: equal views have equal ids.
	c.say(`{"t":"set","id":3,"v":%q,"view":{"reset":true}}`, moved.V)
	if m := c.next("ok", "error"); m.V != ok.V {
		t.Errorf("the default view is called %q, and was %q", m.V, ok.V)
	}
}

// Who pauses gets no frames, and catches up afterwards.
func TestAPause(t *testing.T) {
	srv := start(t)
	srv.feed()
	c, other := srv.dial(), srv.dial()
	_, ok := c.watch("wave")
	other.watch("wave")
	s := screen{v: ok.V}
	if _, _, err := s.take(c.next("full")); err != nil {
		t.Fatal(err)
	}
	c.say(`{"t":"set","id":2,"v":%q,"view":{"paused":true}}`, ok.V)
	for paused := false; !paused; {
		m := c.next("ok", "error", "full", "patch")
		if paused = m.T == "ok"; !paused {
			if _, _, err := s.take(m); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 3 {
		other.next("patch")
	}
	c.say(`[{"t":"ping","id":3},{"t":"set","id":4,"v":%q,"view":{"paused":false}}]`, ok.V)
	if m := c.next("ok", "full", "patch"); m.ID != "3" {
		t.Errorf("during the pause comes %v", m)
	}
	if m := c.next("ok", "full", "patch"); m.ID != "4" || m.V != ok.V {
		t.Errorf("the end of the pause is answered with %v", m)
	}
	before := s.r
	m := c.next("full", "patch")
	if shown, _, err := s.take(m); !shown || err != nil || s.r <= before {
		t.Errorf("after the pause comes %v: %v", m, err)
	}
}
