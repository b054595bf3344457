package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// message is any message of the server.
type message struct {
	T         string          `json:"t"`
	ID        json.Number     `json:"id"`
	V         string          `json:"v"`
	Session   string          `json:"session"`
	Resumed   bool            `json:"resumed"`
	Server    string          `json:"server"`
	View      json.RawMessage `json:"view"`
	Handled   *bool           `json:"handled"`
	Reply     json.RawMessage `json:"reply"`
	Code      string          `json:"code"`
	Field     string          `json:"field"`
	Message   string          `json:"message"`
	Temporary bool            `json:"temporary"`
	E         string          `json:"e"`
	B         uint64          `json:"b"`
	R         uint64          `json:"r"`
	SVG       string          `json:"svg"`
	O         [][]any         `json:"o"`
	Event     string          `json:"event"`
	Cause     string          `json:"cause"`
	Arg       json.RawMessage `json:"arg"`
	Error     string          `json:"error"`
	MS        *float64        `json:"ms"`
}

// String returns the message without its picture.
func (m message) String() string {
	if len(m.SVG) > 40 {
		m.SVG = m.SVG[:40] + "…"
	}
	return fmt.Sprintf("%+v", struct {
		T, V, ID, E, SVG string
		B, R             uint64
		O                [][]any
		Event, Code, Why string
	}{m.T, m.V, m.ID.String(), m.E, m.SVG, m.B, m.R, m.O, m.Event, m.Code, m.Message + m.Error})
}

// client is one connection. What the server says is in messages, which is
// closed when the connection is; ended says how.
type client struct {
	t        *testing.T
	ws       *websocket.Conn
	messages chan message
	ended    error // valid when messages is closed
}

// patience is how long anything may take.
const patience = 10 * time.Second

func (c *chartd) dial() *client {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	opts := &websocket.DialOptions{Subprotocols: []string{"chartd.v1"}, CompressionMode: websocket.CompressionNoContextTakeover}
	ws, _, err := websocket.Dial(ctx, c.ws, opts) //nolint:bodyclose // the body is the connection
	if err != nil {
		c.t.Fatal(err)
	}
	if ws.Subprotocol() != "chartd.v1" {
		c.t.Fatalf("the server speaks %q", ws.Subprotocol())
	}
	ws.SetReadLimit(1 << 24)
	cl := &client{t: c.t, ws: ws, messages: make(chan message, 1024)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		cl.read()
	}()
	c.t.Cleanup(func() {
		cl.cut()
		<-done
	})
	return cl
}

// cut ends the connection without a word.
func (c *client) cut() { _ = c.ws.CloseNow() } // it may be closed already

func (c *client) read() {
	defer close(c.messages)
	for {
		kind, text, err := c.ws.Read(context.Background()) // cut ends it
		if err != nil {
			c.ended = err
			return
		}
		if kind != websocket.MessageText {
			c.ended = fmt.Errorf("a message of kind %v", kind)
			return
		}
		ms := make([]message, 1)
		if strings.HasPrefix(string(text), "[") {
			err = json.Unmarshal(text, &ms)
		} else {
			err = json.Unmarshal(text, &ms[0])
		}
		if err != nil {
			c.ended = fmt.Errorf("%w in %s", err, text)
			return
		}
		for _, m := range ms {
			c.messages <- m
		}
	}
}

// say sends a text.
func (c *client) say(format string, args ...any) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	if err := c.ws.Write(ctx, websocket.MessageText, fmt.Appendf(nil, format, args...)); err != nil {
		c.t.Fatal(err)
	}
}

// next returns the next message of one of these types; others are passed over.
func (c *client) next(types ...string) message {
	c.t.Helper()
	late := time.After(patience)
	for {
		select {
		case m, ok := <-c.messages:
			if !ok {
				c.t.Fatalf("the connection ended while waiting for %v: %v", types, c.ended)
			}
			if slices.Contains(types, m.T) {
				return m
			}
		case <-late:
			c.t.Fatalf("nothing of %v came", types)
		}
	}
}

// closed waits for the end of the connection and returns its code.
func (c *client) closed() int {
	c.t.Helper()
	late := time.After(patience)
	for {
		select {
		case _, ok := <-c.messages:
			if !ok {
				return int(websocket.CloseStatus(c.ended))
			}
		case <-late:
			c.t.Fatal("the connection does not end")
		}
	}
}

// watch says hello and sub, and returns the answers.
func (c *client) watch(chart string) (welcome, ok message) {
	c.t.Helper()
	c.say(`[{"t":"hello"},{"t":"sub","id":1,"chart":%q}]`, chart)
	welcome, ok = c.next("welcome", "error"), c.next("ok", "error")
	if welcome.T != "welcome" || welcome.Session == "" || welcome.Resumed || ok.T != "ok" || ok.ID != "1" || ok.V == "" {
		c.t.Fatalf("hello and sub are answered with %v and %v", welcome, ok)
	}
	return welcome, ok
}

// screen follows one view by the rules of the protocol.
type screen struct {
	v, e  string
	r     uint64
	pic   *picture
	asked bool // a resync is under way
}

// take shows a frame. resync says that the client has to ask for one now.
func (s *screen) take(m message) (shown, resync bool, err error) {
	if m.V != s.v || m.T != "full" && m.T != "patch" {
		return false, false, nil
	}
	if m.T == "full" {
		pic, err := newPicture(m.SVG)
		if err != nil {
			return false, false, err
		}
		if got := pic.root.String(); got != m.SVG {
			return false, false, fmt.Errorf("a full is read as\n%s\nbut says\n%s", got, m.SVG)
		}
		s.pic, s.e, s.r, s.asked = pic, m.E, m.R, false
		return true, false, nil
	}
	if s.asked {
		return false, false, nil
	}
	if s.pic == nil || m.E != s.e || m.B != s.r {
		s.asked = true
		return false, true, fmt.Errorf("patch %s/%d→%d does not apply to %s/%d", m.E, m.B, m.R, s.e, s.r)
	}
	for _, op := range m.O {
		if err := s.pic.apply(op); err != nil { // half done: only a full helps
			s.asked = true
			return false, true, fmt.Errorf("%v: %w", op, err)
		}
	}
	s.r = m.R
	return true, false, nil
}
