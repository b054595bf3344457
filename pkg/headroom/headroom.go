// Package headroom tells how near the process is to its memory limit, so that
// work can be turned away before the garbage collector does nothing else. The
// limit is Go's own: the environment variable GOMEMLIMIT, or
// debug.SetMemoryLimit. Without one there is always room.
package headroom

import (
	"math"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// Level says how much room is left.
type Level int

// The levels.
const (
	// Ample is room for everything.
	Ample Level = iota
	// Tight is room for what is there already: nothing large is begun.
	Tight
	// Scarce is room for those who are there already: nobody else is let in.
	Scarce
)

// String returns "ample", "tight" or "scarce".
func (l Level) String() string { return [...]string{"ample", "tight", "scarce"}[l] }

// The part of the limit from which a level holds, and how far below it the level
// ends: without that it would come and go with every collection.
const (
	tightFrom  = 0.85
	scarceFrom = 0.92
	slack      = 0.05
)

// fresh is how long a reading is good for. Reading costs microseconds.
const fresh = 50 * time.Millisecond

// Memory is what the process uses and may use, in bytes.
type Memory struct {
	// Used is what a collection could not free: live objects, stacks, and what
	// the runtime needs for itself.
	Used int64
	// Limit is math.MaxInt64 if there is none.
	Limit int64
}

// Gauge watches the memory. It has no goroutine: it looks when it is asked. All
// methods are safe for concurrent use. A nil Gauge always says Ample.
type Gauge struct {
	read func() Memory
	log  *zap.Logger

	mu    sync.Mutex
	at    time.Time
	last  Memory
	level Level
}

// New returns a Gauge of what read returns; nil is this process. It logs when the
// level changes, and counts in reg.
func New(read func() Memory, log *zap.Logger, reg prometheus.Registerer) (*Gauge, error) {
	g := &Gauge{read: read, log: log}
	if read == nil {
		g.read = new(process).read
	}
	gauge := func(name, help string, value func(Memory, Level) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "chartd_memory_" + name, Help: help}, func() float64 {
			m, l := g.look()
			return value(m, l)
		})
	}
	for _, c := range []prometheus.Collector{
		gauge("limit_bytes", "The memory limit (GOMEMLIMIT); 0 is none.", func(m Memory, _ Level) float64 {
			if m.Limit == math.MaxInt64 {
				return 0
			}
			return float64(m.Limit)
		}),
		gauge("used_bytes", "Memory that a garbage collection could not free.", func(m Memory, _ Level) float64 { return float64(m.Used) }),
		gauge("shedding", "What is turned away because the memory limit is near: 0 nothing, 1 new views and pictures, 2 new clients, too.",
			func(_ Memory, l Level) float64 { return float64(l) }),
	} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// Level returns how much room there is.
func (g *Gauge) Level() Level {
	if g == nil {
		return Ample
	}
	_, l := g.look()
	return l
}

// look returns a reading that is fresh enough.
func (g *Gauge) look() (Memory, Level) {
	g.mu.Lock()
	if now := time.Now(); g.at.IsZero() || now.Sub(g.at) >= fresh {
		g.at, g.last = now, g.read()
	} else {
		defer g.mu.Unlock()
		return g.last, g.level
	}
	was := g.level
	g.level = next(was, g.last)
	m, l := g.last, g.level
	g.mu.Unlock()
	fields := []zap.Field{zap.Stringer("level", l), zap.Int64("used", m.Used), zap.Int64("limit", m.Limit)}
	switch {
	case l > was:
		g.log.Warn("the memory limit is near: new views and pictures are refused, and then new clients", fields...)
	case l < was:
		g.log.Info("there is more memory again", fields...)
	}
	return m, l
}

// next returns the level that follows on another.
func next(was Level, m Memory) Level {
	if m.Limit == math.MaxInt64 {
		return Ample
	}
	part := float64(m.Used) / float64(max(m.Limit, 1))
	from := func(l Level, at float64) bool {
		if was >= l {
			at -= slack
		}
		return part >= at
	}
	switch {
	case from(Scarce, scarceFrom):
		return Scarce
	case from(Tight, tightFrom):
		return Tight
	}
	return Ample
}

// process reads this process's own memory.
type process struct{ samples []metrics.Sample }

func (p *process) read() Memory {
	if p.samples == nil {
		for _, name := range []string{
			"/gc/heap/live:bytes",
			"/memory/classes/heap/stacks:bytes",
			"/memory/classes/metadata/mcache/free:bytes",
			"/memory/classes/metadata/mcache/inuse:bytes",
			"/memory/classes/metadata/mspan/free:bytes",
			"/memory/classes/metadata/mspan/inuse:bytes",
			"/memory/classes/metadata/other:bytes",
			"/memory/classes/os-stacks:bytes",
			"/memory/classes/other:bytes",
			"/memory/classes/profiling/buckets:bytes",
		} {
			p.samples = append(p.samples, metrics.Sample{Name: name})
		}
	}
	metrics.Read(p.samples)
	m := Memory{Limit: debug.SetMemoryLimit(-1)}
	for _, s := range p.samples {
		if s.Value.Kind() == metrics.KindUint64 { // a runtime may not know all of them
			m.Used += int64(s.Value.Uint64())
		}
	}
	return m
}
