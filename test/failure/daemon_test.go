package failure

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/store"
)

// charts are what every daemon here serves: pulse is the bystander's, each of
// whose ticks brings a frame; wide is one whose frames are large.
const charts = "listen: 127.0.0.1:0\n" +
	"charts:\n" +
	"  pulse: {refresh: 100ms, window: 10s, y: {min: 0, max: 100}, series: [{metric: pulse}]}\n" +
	"  last: {kind: stat, refresh: 100ms, window: 10s, series: [{metric: pulse}]}\n" +
	"  wide: {refresh: 1s, window: 1m, series: [{metric: wide}]}\n" +
	"  bad: {refresh: 0, window: 10s, series: [{metric: pulse}]}\n" +
	"  worse: {refresh: 100ms, window: 10s, series: [{metric: pulse}]}\n" +
	"  stuck: {refresh: 100ms, window: 10s, series: [{metric: pulse}]}\n"

// serve is the daemon's process. Over its standard input it is told to do what
// nothing else can make it do.
func serve(yaml string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	options := []daemon.Option{
		daemon.WithAnnounce(os.Stdout), daemon.WithSource("faulty", func() source.Config { return &faulty{} }),
		daemon.WithCallback("bad", panics), daemon.WithHook("worse", panicky()), daemon.WithCallback("stuck", hangs),
	}
	cfg, err := daemon.Parse(charts+yaml, options...)
	if err != nil {
		return err
	}
	d, err := daemon.New(cfg, options...)
	if err != nil {
		return err
	}
	go obey() // ends with the process: a read of the standard input cannot be interrupted
	var fed sync.WaitGroup
	fed.Go(func() { feed(ctx, d.Store()) })
	defer fed.Wait()
	defer stop()
	return d.Run(ctx)
}

// obey does what lines of the standard input say.
func obey() {
	var ahead func(seconds int64) error
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		var err error
		switch word {
		case "clock":
			if ahead == nil {
				ahead, err = takeClock()
			}
			if n, bad := strconv.ParseInt(rest, 10, 64); err == nil && bad == nil {
				err = ahead(n)
			}
			fmt.Println("clock", err)
		case "held":
			runtime.GC()
			runtime.GC() // what pools held
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			fmt.Println("held", m.HeapAlloc, runtime.NumGoroutine())
		}
	}
}

// feed brings samples until ctx ends, stamped by the process's clock.
func feed(ctx context.Context, st *store.Store) {
	wide := func(at time.Time, n int) {
		for i := range 60 {
			_ = st.Append("wide", store.LabelsOf(map[string]string{"n": strconv.Itoa(i)}), at.UnixMilli(), float64((i*7919+n*131)%1000))
		}
	}
	for n, start := 0, time.Now().Add(-time.Minute); n < 600; n++ {
		wide(start.Add(time.Duration(n)*100*time.Millisecond), n)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			now := time.Now()
			_ = st.Append("pulse", nil, now.UnixMilli(), float64(n%100))
			if n%10 == 0 {
				wide(now, n)
			}
		}
	}
}

// panics is a handler that does.
func panics(_ context.Context, call *session.Call) error {
	if call.ArgString() == "panic" {
		panic("a handler's")
	}
	return nil
}

// hangs is a handler that never returns, whatever it is told.
func hangs(context.Context, *session.Call) error { select {} }

// panicky is a hook that panics in each of its places in turn.
func panicky() session.Hook {
	var n atomic.Int64
	in := func(place int64) {
		if n.Load()%4 == place {
			if n.Add(1) <= 4 {
				fmt.Println("panicked", place)
			}
			panic(fmt.Sprint("a hook's, in place ", place))
		}
	}
	return session.Hook{
		Before:         func(context.Context, *session.Call) error { in(0); return nil },
		After:          func(context.Context, *session.Call, error, time.Duration) { in(1) },
		BeforeResponse: func(context.Context, *session.Call) { in(2) },
		AfterResponse:  func(context.Context, *session.Call) { in(3) },
	}
}

// faulty is a source that goes wrong.
type faulty struct {
	// How it does: "panic", or "hang" at the "start", in the "middle" or when it
	// is to "stop".
	How string `yaml:"how"`

	deps source.Deps
}

func (f *faulty) Kind() string                { return "faulty" }
func (f *faulty) Validate() []problem.Problem { return nil }
func (f *faulty) New(deps source.Deps) (source.Source, error) {
	return &faulty{How: f.How, deps: deps}, nil
}

// Run implements source.Source, badly.
func (f *faulty) Run(ctx context.Context, app store.Appender) error {
	for n := range 10 {
		if f.How == "start" {
			break
		}
		if err := app.Append("faulty", store.LabelsOf(map[string]string{"how": f.How}), time.Now().UnixMilli()+int64(n), float64(n)); err != nil {
			return err
		}
	}
	switch f.How {
	case "panic":
		panic("a source's")
	case "stop":
		<-ctx.Done()
	}
	select {} // whatever ctx says
}
