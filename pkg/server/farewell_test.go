package server

import (
	"io"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/wire"
)

// Whoever ends a connection, each side says so once: a browser takes a second
// close frame for a broken connection and keeps the code of the first to itself.
func TestOneFarewell(t *testing.T) {
	r := newRig(t, rigOptions{session: func(c *session.Config) { c.HelloTimeout = quantity.Duration(100e6) }})
	dial := func(t *testing.T) *websocket.Conn {
		t.Helper()
		d := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}}
		c, resp, err := d.DialContext(t.Context(), "ws"+strings.TrimPrefix(r.base, "http")+"/ws", nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	// rest returns what comes behind the first close frame.
	rest := func(t *testing.T, c *websocket.Conn, want int) []byte {
		t.Helper()
		if _, _, err := c.ReadMessage(); !websocket.IsCloseError(err, want) {
			t.Fatalf("got %v; want close code %d", err, want)
		}
		b, err := io.ReadAll(c.NetConn())
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	t.Run("the server's", func(t *testing.T) {
		c := dial(t) // and says no hello; gorilla answers the close frame
		if b := rest(t, c, int(wire.CloseHelloTimeout)); len(b) > 0 {
			t.Errorf("behind its close frame the server says % x", b)
		}
	})
	t.Run("the client's", func(t *testing.T) {
		c := dial(t)
		if err := c.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(1001, "")); err != nil {
			t.Fatal(err)
		}
		if b := rest(t, c, 1001); len(b) > 0 {
			t.Errorf("behind its answer the server says % x", b)
		}
	})
}
