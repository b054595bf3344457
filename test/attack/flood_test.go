package attack

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/store"
	"github.com/chartd/chartd/pkg/wire"
)

func labelsOf(name string, n int) store.Labels {
	return store.LabelsOf(map[string]string{name: fmt.Sprint(n)})
}

// Every kind of message in a flood, from many clients at once, is refused with an
// error that names the setting, and then closed with a code that says why.
func TestMessageFloods(t *testing.T) {
	s := besiege(t, "")
	for _, kind := range []string{
		`{"t":"ping","id":1}`,
		`{"t":"sub","id":1,"chart":"other"}`,
		`{"t":"unsub","id":1,"v":"other"}`,
		`{"t":"set","id":1,"v":"other","view":{"window":"5m"}}`,
		`{"t":"resync","v":"other"}`,
		`{"t":"auth","id":1,"token":"x"}`,
		`{"t":"callback","id":1,"v":"other","arg":"zoom"}`,
		`{"t":"nonsense","id":1}`,
	} {
		t.Run(kind, func(t *testing.T) {
			before := s.metric("chartd_closed_total", `reason="flood"`)
			var flooded atomic.Int64
			s.during(func(more func() bool) {
				var clients sync.WaitGroup
				for range 5 {
					clients.Go(func() {
						for more() {
							c := s.client()
							ok := c.Sub(wire.Sub{Chart: "other"})
							message := []byte(strings.ReplaceAll(kind, `"v":"other"`, `"v":"`+ok.V+`"`))
							for c.Raw().WriteMessage(websocket.TextMessage, message) == nil {
							}
							if got := c.Closed(); got.Code != int(wire.CloseFlood) || !strings.Contains(got.Text, "session.messages_per_second") {
								t.Errorf("closed with %v", got)
								return
							}
							flooded.Add(1)
						}
					})
				}
				clients.Wait()
			})
			if n := s.metric("chartd_closed_total", `reason="flood"`) - before; n != float64(flooded.Load()) || n == 0 {
				t.Errorf("%v counted of %v", n, flooded.Load())
			}
		})
	}
	if s.metric("chartd_refused_total", `limit="messages_per_second"`) == 0 {
		t.Error("no refusal is counted")
	}
	if log := s.logs.String(); !strings.Contains(log, "message refused") || !strings.Contains(log, "more in the last 1s") || len(log) > 2<<20 {
		t.Errorf("the log of a flood has %d bytes", len(log))
	}
}

// A flood of callbacks within the bound of messages is refused by its own.
func TestCallbackFlood(t *testing.T) {
	s := besiege(t, "session: {messages_per_second: 100000}\n")
	c := s.client()
	ok := c.Sub(wire.Sub{Chart: "other"})
	s.during(func(more func() bool) {
		for more() {
			for range 50 {
				c.Send(wire.Callback{ID: "7", V: ok.V, Arg: []byte(`"none"`)})
			}
			for answers := 0; answers < 50; {
				switch m := c.Next().(type) {
				case wire.OK:
					answers++
				case wire.Failure:
					answers++
					if !strings.Contains(m.Err.Message, "session.callbacks_per_second") && !strings.Contains(m.Err.Message, "session.max_callbacks_waiting") {
						t.Fatalf("refused with %v", m.Err)
					}
				}
			}
		}
	})
	if s.metric("chartd_refused_total", `limit="callbacks_per_second"`) == 0 {
		t.Error("not counted")
	}
}

// Ten thousand views that nobody else watches, from one client, are refused before
// they are felt.
func TestTenThousandViews(t *testing.T) {
	s := besiege(t, "session: {messages_per_second: 1000000, new_views_per_minute: 300}\n")
	c := s.client()
	asked, refused := 0, 0
	s.during(func(more func() bool) {
		for asked < 10_000 || more() {
			asked++
			id := c.ID()
			c.Send(wire.Sub{ID: id, Chart: "other", View: plotting.Change{Size: &[2]int{300 + asked%700, 200 + asked/700}}})
			for answered := false; !answered; {
				switch m := c.Next().(type) {
				case wire.OK:
					answered = m.ID == id
					c.Send(wire.Unsub{V: m.V})
				case wire.Failure:
					answered = m.ID == id
					refused++
					if m.Err.Code != wire.CodeRateLimited || !strings.Contains(m.Err.Message, "session.new_views_per_minute") {
						t.Fatalf("refused with %v", m.Err)
					}
				}
			}
		}
	})
	if refused < 9_000 {
		t.Errorf("of %d views, %d were refused", asked, refused)
	}
	if n := s.metric("chartd_refused_total", `limit="new_views_per_minute"`); n != float64(refused) {
		t.Errorf("%d refused, %v counted", refused, n)
	}
}

// A flood of pictures, each another one, is refused by address.
func TestPictureFlood(t *testing.T) {
	s := besiege(t, "")
	var n, refused, drawn atomic.Int64
	s.during(func(more func() bool) {
		var clients sync.WaitGroup
		for range 100 {
			clients.Go(func() {
				for more() {
					status, body := s.ask(http.MethodGet, fmt.Sprintf("/charts/other.svg?title=%d", n.Add(1)), nil)
					switch {
					case status == http.StatusOK:
						drawn.Add(1)
					case status == http.StatusTooManyRequests && strings.Contains(body, "server.pictures_per_second"), status == http.StatusServiceUnavailable:
						refused.Add(1)
					default:
						t.Errorf("answered with %d %s", status, body)
						return
					}
				}
			})
		}
		clients.Wait()
	})
	if drawn.Load() == 0 || refused.Load() == 0 || s.metric("chartd_http_refused_total", `reason="picture_rate"`) == 0 {
		t.Errorf("%d drawn, %d refused", drawn.Load(), refused.Load())
	}
}

// Pings as frames have to be answered, too.
func TestPingFrameFlood(t *testing.T) {
	s := besiege(t, "")
	s.during(func(more func() bool) {
		for more() {
			c := s.client()
			frame := []byte{0x89, 0x80, 0, 0, 0, 0}
			for {
				if _, err := c.Raw().NetConn().Write(frame); err != nil {
					break
				}
			}
		}
	})
	livetest.Eventually(t, "it is counted", func() bool { return s.metric("chartd_closed_total", `reason="flood"`) > 0 })
}

// A storm of callbacks over HTTP is refused by address, with the setting's name.
func TestCallbackStormOverHTTP(t *testing.T) {
	s := besiege(t, "")
	var ran, refused atomic.Int64
	s.during(func(more func() bool) {
		var clients sync.WaitGroup
		for range 20 {
			clients.Go(func() {
				for more() {
					switch status, body := s.ask(http.MethodPost, "/api/v1/charts/other/callback", nil); {
					case status == http.StatusOK:
						ran.Add(1)
					case status == http.StatusTooManyRequests && (strings.Contains(body, "session.callbacks_per_second") || strings.Contains(body, "session.max_callbacks_waiting")):
						refused.Add(1)
					default:
						t.Errorf("answered with %d %s", status, body)
						return
					}
				}
			})
		}
		clients.Wait()
	})
	if n := s.metric("chartd_refused_total", `limit="callbacks_per_second"`) + s.metric("chartd_refused_total", `limit="max_callbacks_waiting"`); ran.Load() == 0 || n == 0 || n != float64(refused.Load()) {
		t.Errorf("%d ran, %d were refused, %v counted", ran.Load(), refused.Load(), n)
	}
}
