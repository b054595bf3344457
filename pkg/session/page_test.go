package session

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"github.com/chartd/chartd/pkg/wire"
)

// page is a client: the connection as the hub sees it, and what a browser
// makes of what arrives.
type page struct {
	w      *world
	client *Client
	token  string

	mu      sync.Mutex
	log     []string
	last    wire.OK // the last ok
	writes  int
	mirrors map[string]*wire.Mirror
	errs    []wire.Failure
	closed  *wire.Close
	cut     chan struct{} // closed by Close
	stuck   chan struct{} // what is written arrives when it is closed; nil: at once
}

// connect makes a connection and says nothing.
func (w *world) connect(from string) *page {
	w.t.Helper()
	p := &page{w: w, mirrors: map[string]*wire.Mirror{}, cut: make(chan struct{})}
	c, err := w.Connect(p, Peer{Address: from, Since: time.Now()})
	if err != nil {
		w.t.Fatal(err)
	}
	p.client = c
	return p
}

// open connects and says hello.
func (w *world) open() *page {
	w.t.Helper()
	p := w.connect("")
	p.say(wire.Hello{})
	synctest.Wait()
	equal(w.t, p.took(), "welcome")
	return p
}

// say sends messages to the hub.
func (p *page) say(ms ...wire.ClientMessage) {
	for _, m := range ms {
		p.client.Handle(m.AppendJSON(nil))
	}
}

// sub subscribes and takes what comes first.
func (p *page) sub(m wire.Sub) (v string) {
	p.w.t.Helper()
	m.ID = "1"
	if m.Chart == "" {
		m.Chart = "cpu"
	}
	p.say(m)
	synctest.Wait()
	equal(p.w.t, p.took(), "ok:1 full")
	return p.v()
}

// v returns the view's id of the last ok.
func (p *page) v() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last.V
}

// Write implements Conn. While the page is stuck, it keeps the message, as a
// connection does whose kernel takes nothing.
func (p *page) Write(m *wire.Message) (full bool, err error) {
	p.mu.Lock()
	stuck := p.stuck
	p.writes++
	p.mu.Unlock()
	if stuck == nil {
		return false, p.arrive(m, nil)
	}
	go func() { p.client.Ready(p.arrive(m, stuck)) }()
	return true, nil
}

// arrive takes a message, when stuck allows it.
func (p *page) arrive(m *wire.Message, stuck chan struct{}) error {
	if stuck != nil {
		timer := time.NewTimer(writeTimeout)
		defer timer.Stop()
		select {
		case <-stuck:
		case <-p.cut:
			return errors.New("closed")
		case <-timer.C:
			return os.ErrDeadlineExceeded
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed != nil {
		return errors.New("closed")
	}
	ms, err := wire.ParseServer(m.JSON())
	if err != nil {
		p.w.t.Errorf("%v: %s", err, m.JSON())
	}
	for _, m := range ms {
		p.take(m)
	}
	return nil
}

// take does what a page does.
func (p *page) take(m wire.ServerMessage) {
	follow := func(v string) {
		if p.mirrors[v] == nil {
			p.mirrors[v] = wire.NewMirror(v)
		}
		if _, err := p.mirrors[v].Take(m); err != nil {
			p.w.t.Error(err)
		}
	}
	word := ""
	switch m := m.(type) {
	case wire.Welcome:
		p.token, word = m.Session, "welcome"
		if m.Resumed {
			word = "resumed"
		}
	case wire.OK:
		p.last, word = m, "ok:"+string(m.ID)
		if m.Handled != nil && !*m.Handled {
			word += "(unhandled)"
		}
		if m.Reply != nil {
			word += "=" + string(m.Reply)
		}
	case wire.Failure:
		p.errs = append(p.errs, m)
		word = "error:" + string(m.ID) + ":" + string(m.Err.Code)
	case wire.Full:
		follow(m.V)
		word = "full"
	case wire.Patch:
		follow(m.V)
		word = "patch"
	case wire.Event:
		word = string(m.Name)
		if m.Cause == wire.CauseClient {
			word += "@" + string(m.ID)
		}
		if m.Error != "" {
			word += "!"
		}
	}
	p.log = append(p.log, word)
}

// Close implements Conn. As in the server, the reader then finds the
// connection closed.
func (p *page) Close(how wire.Close) {
	p.mu.Lock()
	if p.closed != nil {
		p.w.t.Errorf("closed twice: %v, %v", p.closed, how)
	}
	p.closed = &how
	close(p.cut)
	p.mu.Unlock()
	p.client.Gone(nil)
}

// drop is what a cut cable does.
func (p *page) drop() { p.client.Gone(errors.New("cut")) }

// stick keeps what is written from now on; the result lets it arrive.
func (p *page) stick() (release func()) {
	ch := make(chan struct{})
	p.mu.Lock()
	p.stuck = ch
	p.mu.Unlock()
	return func() {
		p.mu.Lock()
		p.stuck = nil
		p.mu.Unlock()
		close(ch)
	}
}

// took returns what arrived since the last call, in words.
func (p *page) took() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := strings.Join(p.log, " ")
	p.log = nil
	return out
}

// closing returns how the connection was closed, nil if it is open.
func (p *page) closing() *wire.Close {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// failure returns the last error that arrived.
func (p *page) failure() wire.Failure {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.errs) == 0 {
		return wire.Failure{Err: &wire.Error{}}
	}
	return p.errs[len(p.errs)-1]
}

// svg returns what the page shows of a view.
func (p *page) svg(v string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mirrors[v] == nil {
		return ""
	}
	return string(p.mirrors[v].SVG())
}

// pos returns the position of what the page shows of a view.
func (p *page) pos(v string) wire.Pos {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mirrors[v].Pos()
}
