package wire

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

func TestJoin(t *testing.T) {
	a, b := Encode(OK{ID: "1"}), Encode(OK{ID: "2"})
	ab := Join(a, b)
	for _, c := range []struct {
		name string
		got  *Message
		want string
	}{
		{"two", ab, `[{"t":"ok","id":1},{"t":"ok","id":2}]`},
		{"nil is left out", Join(nil, a, nil, b), `[{"t":"ok","id":1},{"t":"ok","id":2}]`},
		{"arrays join flat", Join(a, ab, nil, ab), `[{"t":"ok","id":1},{"t":"ok","id":1},{"t":"ok","id":2},{"t":"ok","id":1},{"t":"ok","id":2}]`},
	} {
		if string(c.got.JSON()) != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got.JSON(), c.want)
		}
	}
	if Join() != nil || Join(nil, nil) != nil {
		t.Error("nothing joins to something")
	}
	if Join(nil, a) != a || Join(ab) != ab {
		t.Error("one message is copied")
	}
}

// A prepared message arrives over a real connection, compressed and not, as
// often as it is sent.
func TestPreparedMessagesArrive(t *testing.T) {
	msg := Encode(Full{V: "cpu~1f", Pos: Pos{E: "e", R: 1}, SVG: strings.Repeat("<path d='M0 0l12-3'/>", 1000)})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		up := websocket.Upgrader{EnableCompression: true, Subprotocols: []string{Subprotocol}}
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		for range 2 {
			p, err := msg.Prepared()
			if err != nil {
				t.Error(err)
				return
			}
			if err := c.WritePreparedMessage(p); err != nil {
				t.Error(err)
				return
			}
		}
		bye := Close{Code: CloseShutdown, Reason: strings.Repeat("ü", 200)}
		if err := c.WriteMessage(websocket.CloseMessage, bye.Payload()); err != nil {
			t.Error(err)
		}
	}))
	defer srv.Close()
	for _, compress := range []bool{false, true} {
		d := websocket.Dialer{EnableCompression: compress, Subprotocols: []string{Subprotocol}}
		c, resp, err := d.DialContext(t.Context(), "ws"+strings.TrimPrefix(srv.URL, "http"), nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		for range 2 {
			kind, r, err := c.NextReader()
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if err != nil || kind != websocket.TextMessage || string(got) != string(msg.JSON()) {
				t.Errorf("compress %v: message of kind %d, %d bytes, %v", compress, kind, len(got), err)
			}
		}
		_, _, err = c.NextReader()
		if !websocket.IsCloseError(err, int(CloseShutdown)) {
			t.Errorf("closed with %v", err)
		}
		c.Close()
	}
}
