package ticker

import (
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/chartd/chartd/pkg/wire"
)

// Upper bounds of the buckets of Ledger's histograms.
var (
	stepBounds = [...]float64{1, 2, 4, 8, 16, 64, 256}
	waitBounds = [...]float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}
)

// Tally is what one goroutine delivered, until it is added to a Ledger: so ten
// thousand deliveries touch no counter that others touch, too. The zero value
// is empty.
type Tally struct {
	patches, fulls, bytes, overtaken uint64
	steps                            counts // of revisions that one frame brought a viewer up by
	waits                            counts // of seconds from a frame's making to the connection
	unsettled                        uint64 // frames that were written, whose wait is not known yet
}

// counts are a histogram's buckets, each by itself, and what they sum up to.
type counts struct {
	in  [len(waitBounds) + 1]uint64 // as long as the longer one needs
	sum float64
}

func (c *counts) add(bounds []float64, v float64, n uint64) {
	i, _ := slices.BinarySearch(bounds, v)
	c.in[i] += n
	c.sum += v * float64(n)
}

// Patches counts n patches that were written to a viewer who held a position,
// and lead to u.
func (t *Tally) Patches(u *wire.Update, held wire.Pos, n int) {
	t.patches += uint64(n)
	t.frame(u, held)
}

// Full counts a full that was written to a viewer who held a position, the zero
// value if none.
func (t *Tally) Full(u *wire.Update, held wire.Pos) {
	t.fulls++
	t.frame(u, held)
}

func (t *Tally) frame(u *wire.Update, held wire.Pos) {
	t.unsettled++
	switch step := u.Pos().R - held.R; {
	case held.R == 0 || step-1 >= 1<<32:
		// A first frame, or one of a view that began anew: nobody was behind.
	case step == 1: // by far the most
		t.steps.in[0]++
		t.steps.sum++
	default:
		t.steps.add(stepBounds[:], float64(step), 1)
	}
}

// Bytes counts the bytes of messages, frames and others, that were written.
func (t *Tally) Bytes(n int) { t.bytes += uint64(n) }

// Overtaken counts a frame that was never written because a newer one came.
func (t *Tally) Overtaken() { t.overtaken++ }

// Settle says that the connections took all frames that were counted since the
// last Settle, which were made at a time, by now.
func (t *Tally) Settle(made, now time.Time) {
	if t.unsettled > 0 {
		t.waits.add(waitBounds[:], now.Sub(made).Seconds(), t.unsettled)
		t.unsettled = 0
	}
}

// Unsettle takes back the last frame from what waits for Settle: the connection
// did not take all of it. Whoever sees it do so counts it with Late.
func (t *Tally) Unsettle() { t.unsettled-- }

// Late counts the wait of a frame that was made at a time, and that its
// connection took now.
func (t *Tally) Late(made, now time.Time) {
	t.waits.add(waitBounds[:], now.Sub(made).Seconds(), 1)
}

// Ledger adds up what was delivered. It is a prometheus.Collector, and safe for
// concurrent use.
type Ledger struct {
	mu    sync.Mutex
	total Tally
}

// Add adds a tally and empties it. What is not settled yet stays in it.
func (l *Ledger) Add(t *Tally) {
	l.mu.Lock()
	defer l.mu.Unlock()
	sum := &l.total
	sum.patches += t.patches
	sum.fulls += t.fulls
	sum.bytes += t.bytes
	sum.overtaken += t.overtaken
	sum.steps.merge(&t.steps)
	sum.waits.merge(&t.waits)
	*t = Tally{unsettled: t.unsettled}
}

func (c *counts) merge(o *counts) {
	for i, n := range o.in {
		c.in[i] += n
	}
	c.sum += o.sum
}

// descs are the metrics of a Ledger.
type descs struct{ frames, bytes, overtaken, steps, waits *prometheus.Desc }

func newDescs() descs {
	return descs{
		frames:    prometheus.NewDesc("chartd_frames_sent_total", "Frames handed to connections, by type.", []string{"type"}, nil),
		bytes:     prometheus.NewDesc("chartd_websocket_sent_bytes_total", "Bytes of messages handed to connections, before compression.", nil, nil),
		overtaken: prometheus.NewDesc("chartd_frames_coalesced_total", "Frames that a newer one overtook before the connection was ready for them.", nil, nil),
		steps: prometheus.NewDesc("chartd_delivery_steps",
			"By how many frames one delivery brought a viewer up to the newest: 1 is a viewer who was never more than one frame behind.", nil, nil),
		waits: prometheus.NewDesc("chartd_delivery_seconds",
			"Time from the making of a frame until a viewer's connection, that is the kernel, had taken all of it.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (l *Ledger) Describe(ch chan<- *prometheus.Desc) {
	d := newDescs()
	for _, one := range []*prometheus.Desc{d.frames, d.bytes, d.overtaken, d.steps, d.waits} {
		ch <- one
	}
}

// Collect implements prometheus.Collector.
func (l *Ledger) Collect(ch chan<- prometheus.Metric) {
	l.mu.Lock()
	t := l.total
	l.mu.Unlock()
	d := newDescs()
	counter := func(desc *prometheus.Desc, n uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), labels...)
	}
	counter(d.frames, t.patches, "patch")
	counter(d.frames, t.fulls, "full")
	counter(d.bytes, t.bytes)
	counter(d.overtaken, t.overtaken)
	ch <- t.steps.metric(d.steps, stepBounds[:])
	ch <- t.waits.metric(d.waits, waitBounds[:])
}

// metric returns the counts as Prometheus wants them: cumulative.
func (c *counts) metric(desc *prometheus.Desc, bounds []float64) prometheus.Metric {
	buckets := make(map[float64]uint64, len(bounds))
	n := uint64(0)
	for i, b := range bounds {
		n += c.in[i]
		buckets[b] = n
	}
	return prometheus.MustNewConstHistogram(desc, n+c.in[len(bounds)], c.sum, buckets)
}
