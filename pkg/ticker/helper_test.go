package ticker

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clockface is a Renderer whose frame says the time and the view.
type clockface struct {
	epoch string
	slow  time.Duration              // how long a render takes
	fail  func(now int64) error      // may panic
	seen  func(v plotting.View)      // every render
	text  func(now int64) (s string) // nil: the time
}

func (c *clockface) Render(v plotting.View, now int64) (*plotting.Frame, error) {
	if c.seen != nil {
		c.seen(v)
	}
	if c.slow > 0 {
		time.Sleep(c.slow)
	}
	if c.fail != nil {
		if err := c.fail(now); err != nil {
			return nil, err
		}
	}
	text := fmt.Sprint(now)
	if c.text != nil {
		text = c.text(now)
	}
	text = fmt.Sprintf("%s %v", text, v.Window)
	return &plotting.Frame{Epoch: c.epoch, Root: &plotting.Node{Open: "<svg xmlns='http://www.w3.org/2000/svg'", Kids: []*plotting.Node{
		{Key: "t", Type: plotting.Text, Open: "<text data-k='t'", Live: []byte(text)},
		// Ballast, so that a patch is well under half a full.
		{Key: "p", Type: plotting.Path, Open: "<path data-k='p'", Live: fmt.Appendf(nil, "M0 0%01000d", 0)},
	}}}, nil
}

// bench is a pool with one chart in it.
type bench struct {
	*Pool
	t     testing.TB
	reg   *prometheus.Registry
	logs  *observer.ObservedLogs
	spec  plotting.Spec
	made  int // renderers
	face  func(c *clockface)
	chart Chart
	mu    sync.Mutex
	views []plotting.View // rendered
}

func newBench(t testing.TB, cfg Config) *bench {
	t.Helper()
	if cfg.MaxViews == 0 {
		cfg.MaxViews = 100
	}
	if cfg.Linger == 0 {
		cfg.Linger = 10 * time.Second
	}
	core, logs := observer.New(zap.WarnLevel)
	b := &bench{t: t, reg: prometheus.NewRegistry(), logs: logs, spec: plotting.DefaultSpec()}
	b.spec.Vars = map[string]plotting.Var{"host": {Default: "a"}}
	p, err := NewPool(cfg, zap.New(core), b.reg)
	if err != nil {
		t.Fatal(err)
	}
	b.Pool = p
	b.chart = Chart{Name: "cpu", Spec: &b.spec, NewRenderer: b.renderer}
	b.SetChart(&b.chart)()
	return b
}

func (b *bench) renderer() Renderer {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.made++
	c := &clockface{epoch: fmt.Sprintf("e%d", b.made), seen: func(v plotting.View) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.views = append(b.views, v)
	}}
	if b.face != nil {
		b.face(c)
	}
	return c
}

// with replaces the chart by one that differs.
func (b *bench) with(change func(c *Chart)) {
	c := b.chart
	change(&c)
	b.chart = c
	b.SetChart(&c)()
}

// view is the chart's default view with another window, in seconds.
func (b *bench) view(window int) plotting.View {
	v := b.spec.View("cpu")
	v.Window = quantity.Duration(window) * quantity.Duration(time.Second)
	return v
}

func (b *bench) acquire(v plotting.View) *Lease {
	b.t.Helper()
	l, err := b.Acquire(KeyOf(v))
	if err != nil {
		b.t.Fatal(err)
	}
	return l
}

// watch acquires and watches.
func (b *bench) watch(v plotting.View, events bool) (*Lease, *spy) {
	b.t.Helper()
	l := b.acquire(v)
	s := newSpy(b.t, v.ID())
	l.Watch(s, events, nil)
	return l, s
}

func (b *bench) close() {
	b.t.Helper()
	if err := b.Close(b.t.Context()); err != nil {
		b.t.Error(err)
	}
}

// counter returns the value of a metric of the chart.
func (b *bench) counter(name string, labels ...string) float64 {
	b.t.Helper()
	families, err := b.reg.Gather()
	if err != nil {
		b.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
	metrics:
		for _, m := range f.GetMetric() {
			have := map[string]string{}
			for _, l := range m.GetLabel() {
				have[l.GetName()] = l.GetValue()
			}
			for i := 0; i < len(labels); i += 2 {
				if have[labels[i]] != labels[i+1] {
					continue metrics
				}
			}
			if h := m.GetHistogram(); h != nil {
				return float64(h.GetSampleCount())
			}
			return m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return 0
}

// spy is a watcher that follows the view as a client does, and notes in which
// order things came.
type spy struct {
	t      testing.TB
	mirror *wire.Mirror
	mu     sync.Mutex
	log    []string
	at     []time.Time // of updates
	last   *wire.Update
}

func newSpy(t testing.TB, v string) *spy { return &spy{t: t, mirror: wire.NewMirror(v)} }

func (s *spy) Deliver(d *Delivery, _ *Tally) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ms []*wire.Message
	if d.Failure != nil {
		ms = append(ms, d.Failure)
	}
	ms = append(ms, d.Before...)
	if u := d.Update; u != nil {
		s.last = u
		s.at = append(s.at, time.Now())
		if patches, ok := u.Since(s.mirror.Pos()); ok {
			ms = append(ms, patches...)
		} else {
			ms = append(ms, u.Full())
		}
	}
	ms = append(ms, d.After...)
	for _, m := range ms {
		s.take(m)
	}
}

func (s *spy) take(m *wire.Message) {
	parsed, err := wire.ParseServer(m.JSON())
	if err != nil {
		s.t.Errorf("%v: %s", err, m.JSON())
		return
	}
	for _, p := range parsed {
		if _, err := s.mirror.Take(p); err != nil {
			s.t.Error(err)
		}
		switch p := p.(type) {
		case wire.Full:
			s.log = append(s.log, "full")
		case wire.Patch:
			s.log = append(s.log, "patch")
		case wire.Event:
			word := string(p.Name)
			if p.Error != "" {
				word += "!" + p.Error
			}
			if p.Cause == wire.CauseClient {
				word += "@client"
			}
			s.log = append(s.log, word)
		case wire.Failure:
			s.log = append(s.log, string(p.Err.Code))
		default:
			s.t.Errorf("unexpected %T", p)
		}
	}
}

// took returns what came since the last call.
func (s *spy) took() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.log
	s.log = nil
	return out
}

// shows fails unless the mirror shows what the last update's full does.
func (s *spy) shows() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		s.t.Fatal("no frame came")
	}
	if got, want := string(s.mirror.SVG()), string(s.last.Frame().AppendSVG(nil)); got != want {
		s.t.Errorf("the mirror shows\n%s\nthe frame is\n%s", got, want)
	}
}

// after lets time pass in the bubble, and everything that it brings happen.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func equal(t testing.TB, got, want []string) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

var errBroken = errors.New("the pen is broken")
