package attack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/wire"
)

// stormRate is how many callbacks one client raises in a second.
const stormRate = 1000

// stormed is a chart with a row of each kind; %q is the webhook's address.
const stormed = `
  stormed:
    refresh: 1s
    window: 1m
    series: [{metric: pulse}]
    callbacks:
      - {on: set, set: {title: stormed}}
      - {on: hook, webhook: {url: %q, allow_private: true}}
      - on: script
        script: |
          def callback(call):
              reply(len(series("pulse")[0].samples))
`

// rages returns the arguments of a storm: a row of each kind, and a change of the
// view that needs none, another one each time.
func rages(n int) (kind int, arg string) {
	kind = n % 4
	return kind, []string{`"set"`, `"hook"`, `"script"`, fmt.Sprintf(`{"view":{"window":%d}}`, 60_000+n)}[kind]
}

// storm is what one client's callbacks came to.
type storm struct {
	sent    int
	handled [4]atomic.Int64         // of each kind
	told    sync.Map                // limit -> *atomic.Int64
	odd     atomic.Pointer[string]  // the first answer that should not be
	closed  atomic.Int64            // connections ended, told why
	view    atomic.Pointer[wire.OK] // the last one
}

// strange keeps an answer that should not be.
func (s *storm) strange(what string) { s.odd.CompareAndSwap(nil, &what) }

// refused takes a refusal, which must say which limit it is of, and when to come
// back.
func (s *storm) refused(code wire.ErrorCode, message string) {
	for limit, want := range map[string]wire.ErrorCode{
		"session.callbacks_per_second": wire.CodeRateLimited, "session.max_callbacks_waiting": wire.CodeBusy,
		"session.messages_per_second": wire.CodeRateLimited, "session.new_views_per_minute": wire.CodeRateLimited,
	} {
		if strings.Contains(message, limit) {
			if code != want || !strings.Contains(message, "come back ") {
				s.strange(fmt.Sprintf("%s: %s", code, message))
			}
			n, _ := s.told.LoadOrStore(limit, new(atomic.Int64))
			n.(*atomic.Int64).Add(1)
			return
		}
	}
	s.strange(fmt.Sprintf("%s: %s", code, message))
}

// of returns how many refusals named a limit.
func (s *storm) of(limit string) int64 {
	n, ok := s.told.Load(limit)
	if !ok {
		return 0
	}
	return n.(*atomic.Int64).Load()
}

// judge fails the test if the client was not both heard and refused.
func (s *storm) judge(t *testing.T, how string, limits ...string) {
	t.Helper()
	handled := make([]int64, len(s.handled))
	for i := range s.handled {
		handled[i] = s.handled[i].Load()
	}
	t.Logf("%s: %d sent, handled of each kind %v", how, s.sent, handled)
	if odd := s.odd.Load(); odd != nil {
		t.Errorf("%s: answered with %s", how, *odd)
	}
	if slices.Contains(handled, 0) {
		t.Errorf("%s: of the kinds were handled %v", how, handled)
	}
	for _, limit := range limits {
		if s.of(limit) == 0 {
			t.Errorf("%s: nobody was told of %s", how, limit)
		}
	}
}

// paced calls f stormRate times a second until more says no, or f does.
func paced(more func() bool, f func(n int) bool) int {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	n, start := 0, time.Now()
	for more() {
		for due := int(time.Since(start) * stormRate / time.Second); n < due; n++ {
			if !f(n) {
				return n
			}
		}
		<-tick.C
	}
	return n
}

// onSocket raises a storm on WebSockets: who is sent away comes back at once, as
// the same session.
func (s *siege) onSocket(out *storm, more func() bool) {
	session := ""
	for more() && out.odd.Load() == nil {
		ws, err := s.tryDial()
		if err != nil {
			out.strange(err.Error())
			return
		}
		_ = ws.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `[{"t":"hello","session":%q},{"t":"sub","id":0,"chart":"stormed"}]`, session))
		ready := make(chan struct{})
		var reading sync.WaitGroup
		reading.Go(func() { session = out.listen(ws, sync.OnceFunc(func() { close(ready) })) })
		<-ready
		out.sent += paced(more, func(n int) bool {
			id := out.sent + n
			_, arg := rages(id)
			return ws.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"t":"callback","id":%d,"v":%q,"arg":%s}`, id, out.view.Load().V, arg)) == nil
		})
		if !more() {
			_ = ws.Close()
		}
		reading.Wait()
		_ = ws.Close()
	}
}

// listen reads the answers until the connection ends, and returns the session's
// token.
func (s *storm) listen(ws *websocket.Conn, ready func()) (session string) {
	defer ready()
	for {
		_, b, err := ws.ReadMessage()
		if err != nil {
			if websocket.IsCloseError(err, int(wire.CloseFlood)) && strings.Contains(err.Error(), "session.messages_per_second") {
				s.closed.Add(1)
			} else if told, ok := errors.AsType[*websocket.CloseError](err); ok {
				s.strange(told.Error())
			}
			return session
		}
		ms, err := wire.ParseServer(b)
		if err != nil {
			s.strange(err.Error())
			return session
		}
		for _, m := range ms {
			switch m := m.(type) {
			case wire.Welcome:
				session = m.Session
			case wire.OK:
				s.view.Store(&m)
				ready()
				if id, err := strconv.Atoi(string(m.ID)); err == nil && m.Handled != nil && *m.Handled {
					kind, _ := rages(id)
					s.handled[kind].Add(1)
				}
			case wire.Failure:
				if m.Err.Code != wire.CodeUnknownView { // it has moved since, by the storm itself
					s.refused(m.Err.Code, m.Err.Message)
				}
			}
		}
	}
}

// overHTTP raises a storm by POST, over connections that stay open.
func (s *siege) overHTTP(out *storm, more func() bool) {
	const abreast = 8
	transport := &http.Transport{MaxIdleConnsPerHost: abreast, MaxConnsPerHost: abreast}
	defer transport.CloseIdleConnections()
	turns := make(chan int)
	var posting sync.WaitGroup
	for range abreast {
		posting.Go(func() {
			for n := range turns {
				kind, arg := rages(n)
				out.post(transport, s.base, kind, arg)
			}
		})
	}
	out.sent = paced(more, func(n int) bool {
		turns <- n
		return out.odd.Load() == nil
	})
	close(turns)
	posting.Wait()
}

// post raises one callback.
func (s *storm) post(transport http.RoundTripper, base string, kind int, arg string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/api/v1/charts/stormed/callback", strings.NewReader(arg))
	if err != nil {
		s.strange(err.Error())
		return
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := transport.RoundTrip(req)
	if err != nil {
		s.strange(err.Error())
		return
	}
	defer func() { _ = resp.Body.Close() }()
	var said struct {
		Handled bool `json:"handled"`
		Error   *struct {
			Code      wire.ErrorCode `json:"code"`
			Message   string         `json:"message"`
			Temporary bool           `json:"temporary"`
		} `json:"error"`
	}
	body, err := io.ReadAll(resp.Body)
	if err == nil {
		err = json.Unmarshal(body, &said)
	}
	after, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
	switch {
	case err == nil && resp.StatusCode == http.StatusOK && said.Handled:
		s.handled[kind].Add(1)
	case err == nil && resp.StatusCode == http.StatusTooManyRequests && said.Error != nil && said.Error.Temporary && after > 0:
		s.refused(said.Error.Code, said.Error.Message)
	default:
		s.strange(fmt.Sprintf("%d %v %s", resp.StatusCode, err, body))
	}
}

// Two clients raise a thousand callbacks a second each, one on a socket and one
// over HTTP, of every kind there is. Both are limited and told so; everybody else
// sees each tick, and is answered before the next but one.
func TestCallbackStorm(t *testing.T) {
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"reply":"heard"}`)) }))
	t.Cleanup(hook.Close)
	s := besiegeCharts(t, "", fmt.Sprintf(stormed, hook.URL))
	var socket, post storm
	bystander := s.client()
	view := bystander.Sub(wire.Sub{Chart: "other"}).V
	var waited []int64 // for each of its answers, in ticks
	s.during(func(more func() bool) {
		var raging sync.WaitGroup
		raging.Go(func() { s.onSocket(&socket, more) })
		raging.Go(func() { s.overHTTP(&post, more) })
		for more() {
			began := s.frames.Load()
			id := bystander.ID()
			bystander.Send(wire.Callback{ID: id, V: view, Arg: []byte(`"zoom"`)})
			ok := bystander.OK(id)
			if view = ok.V; ok.Handled == nil || !*ok.Handled {
				t.Error("a bystander's callback was not handled")
			}
			waited = append(waited, s.frames.Load()-began)
			next := s.frames.Load() + 1
			livetest.Eventually(t, "a tick", func() bool { return !more() || s.frames.Load() >= next })
		}
		raging.Wait()
	})
	socket.judge(t, "socket", "session.callbacks_per_second", "session.messages_per_second")
	post.judge(t, "post", "session.callbacks_per_second")
	if socket.closed.Load() == 0 {
		t.Error("who went on after being refused was not closed")
	}
	slices.Sort(waited)
	t.Logf("bystander: %d callbacks, answered after %v ticks", len(waited), waited)
	if len(waited) < 3 || waited[len(waited)/2] > 1 {
		t.Errorf("a bystander's callbacks were answered after %v ticks", waited)
	}
	for _, limit := range []string{"callbacks_per_second", "messages_per_second"} {
		name := "session." + limit
		if n := s.metric("chartd_refused_total", fmt.Sprintf("limit=%q", limit)); n < float64(socket.of(name)+post.of(name)) {
			t.Errorf("%s: %v counted, %d told", limit, n, socket.of(name)+post.of(name))
		}
	}
	// Who comes back as it was told is heard.
	livetest.Eventually(t, "a callback over HTTP is handled again", func() bool {
		before := post.handled[0].Load()
		post.post(http.DefaultTransport, s.base, 0, `"set"`)
		return post.handled[0].Load() > before
	})
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}
