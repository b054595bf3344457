package plotting

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/store"
)

// samples draws a series' samples in time order.
func drawSamples(t *rapid.T) []point {
	var pts []point
	at := rapid.Int64Range(-100_000, 100_000).Draw(t, "start")
	for range rapid.IntRange(1, 400).Draw(t, "n") {
		at += rapid.Int64Range(1, 40).Draw(t, "dt")
		v := rapid.Float64Range(-10, 10).Draw(t, "v")
		if rapid.IntRange(0, 20).Draw(t, "gap") == 0 {
			v = math.NaN()
		}
		pts = append(pts, point{at, v})
	}
	return pts
}

func fill(tr *trace, pts []point) {
	for _, p := range pts {
		tr.add(p.t, p.v)
	}
}

func points(tr *trace) (pts []point) {
	for _, c := range tr.chunks {
		pts = append(pts, c.pts...)
	}
	return pts
}

func samePoints(a, b []point) bool {
	return slices.EqualFunc(a, b, func(x, y point) bool { return x.t == y.t && equal(x.v, y.v) })
}

// TestTraceKeepsWhatShows holds a trace against what M4 promises: of every
// bucket the smallest and largest value, of one that is not crowded the first
// and last, and the newest of all.
func TestTraceKeepsWhatShows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bucket := rapid.Int64Range(1, 200).Draw(t, "bucket")
		tr := newTrace(bucket, 0)
		pts := drawSamples(t)
		fill(&tr, pts)

		kept := map[int64][]point{}
		for _, p := range points(&tr) {
			if i := floorDiv(p.t, bucket); !math.IsNaN(p.v) {
				kept[i] = append(kept[i], p)
			}
		}
		all := map[int64][]point{}
		for _, p := range pts {
			if i := floorDiv(p.t, bucket); !math.IsNaN(p.v) {
				all[i] = append(all[i], p)
			}
		}
		value := func(a, b point) int { return int(math.Copysign(1, a.v-b.v)) }
		for i, in := range all {
			out := kept[i]
			if len(out) == 0 || len(out) > 8 {
				t.Fatalf("bucket %d of %d samples is drawn by %d points", i, len(in), len(out))
			}
			if slices.MinFunc(out, value).v != slices.MinFunc(in, value).v ||
				slices.MaxFunc(out, value).v != slices.MaxFunc(in, value).v {
				t.Fatalf("bucket %d: %v is drawn as %v", i, in, out)
			}
			// A break closes its bucket.
			last := pts[len(pts)-1]
			newest := floorDiv(last.t, bucket) == i && !math.IsNaN(last.v)
			if len(in) < crowd && out[0] != in[0] || (len(in) < crowd || newest) && out[len(out)-1] != in[len(in)-1] {
				t.Fatalf("bucket %d: an end of %v is missing in %v", i, in, out)
			}
			if len(in) <= 2 && !samePoints(in, out) {
				t.Fatalf("bucket %d: a sample of %v is missing in %v", i, in, out)
			}
		}
		if len(kept) != len(all) {
			t.Fatalf("%d buckets are drawn, %d have samples", len(kept), len(all))
		}
	})
}

// TestRewind re-reads from any time on, and finds what a first reading finds.
func TestRewind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bucket, gap := rapid.Int64Range(1, 50).Draw(t, "bucket"), rapid.Int64Range(0, 30).Draw(t, "gap")
		pts := drawSamples(t)
		first, again := newTrace(bucket, gap), newTrace(bucket, gap)
		fill(&first, pts)
		fill(&again, pts)
		from := again.rewind(pts[rapid.IntRange(0, len(pts)-1).Draw(t, "at")].t)
		for _, p := range pts {
			if p.t >= from {
				again.add(p.t, p.v)
			}
		}
		if !samePoints(points(&first), points(&again)) {
			t.Fatalf("first %v\nagain %v", points(&first), points(&again))
		}
		for i, c := range first.chunks {
			if o := again.chunks[i]; c.index != o.index || c.joins != o.joins || c.join != o.join {
				t.Fatalf("chunk %d joins %v, and %v after a rewind", i, c.join[:c.joins], o.join[:o.joins])
			}
		}
	})
}

// TestDrawnGrows holds the text that was appended to, point by point, against
// the text that is written at once.
func TestDrawnGrows(t *testing.T) {
	shapes := map[string]shape{"line": lineShape{}, "step": stepShape{}, "dots": dotShape{}, "fill": newFillShape(3000)}
	s := &scale{t0: 0, perMs: 0.5, bottom: 3000, min: -10, perUnit: 100}
	for name, sh := range shapes {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				pts := drawSamples(t)
				grown, whole := newTrace(20, 0), newTrace(20, 0)
				var old []byte
				var was string
				for i, p := range pts {
					grown.add(p.t, p.v)
					for j, c := range grown.chunks {
						if c.drawn == nil {
							c.drawn = []drawn{{node: &Node{Key: "k"}}}
						}
						c.drawn[0].draw(c, s, sh, grown.goesOn(j))
						c.dirty = len(c.pts)
						if i == len(pts)/2 && j == len(grown.chunks)-1 {
							old = c.drawn[0].node.Live
							was = string(old)
						}
					}
				}
				if string(old) != was {
					t.Fatalf("a frame that was out has changed from %q to %q", was, old)
				}
				fill(&whole, pts)
				for i, c := range whole.chunks {
					d := drawn{node: &Node{Key: "k"}}
					d.draw(c, s, sh, whole.goesOn(i))
					if got := string(grown.chunks[i].drawn[0].text); got != string(d.text) {
						t.Fatalf("chunk %d: grown %q\nat once %q", i, got, d.text)
					}
				}
			})
		})
	}
}

// TestAddAll holds the fast way of adding many against the plain one.
func TestAddAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bucket, gap := rapid.Int64Range(1, 500).Draw(t, "bucket"), rapid.Int64Range(0, 30).Draw(t, "gap")
		pts := drawSamples(t)
		one, all := newTrace(bucket, gap), newTrace(bucket, gap)
		fill(&one, pts)
		for len(pts) > 0 {
			n := rapid.IntRange(1, len(pts)).Draw(t, "block")
			block := make([]store.Sample, n)
			for i, p := range pts[:n] {
				block[i] = store.Sample{T: p.t, V: p.v}
			}
			all.addAll(block)
			pts = pts[n:]
		}
		if !samePoints(points(&one), points(&all)) {
			t.Fatalf("one by one %v\nin blocks  %v", points(&one), points(&all))
		}
		for i, c := range one.chunks {
			if o := all.chunks[i]; c.lo != o.lo || c.hi != o.hi {
				t.Fatalf("chunk %d spans %v to %v, in blocks %v to %v", i, c.lo, c.hi, o.lo, o.hi)
			}
		}
	})
}

// TestExtent holds the remembered extent against the chunks', whatever happens
// in between.
func TestExtent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr := newTrace(rapid.Int64Range(1, 20).Draw(t, "bucket"), 0)
		now := int64(0)
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				now += rapid.Int64Range(1, 300).Draw(t, "dt")
				tr.add(now, rapid.Float64Range(-9, 9).Draw(t, "v"))
			},
			"trim":   func(t *rapid.T) { tr.trim(now - rapid.Int64Range(0, 2000).Draw(t, "keep")) },
			"rewind": func(t *rapid.T) { now = max(tr.rewind(now-rapid.Int64Range(0, 2000).Draw(t, "back")), 0) },
			"": func(t *rapid.T) {
				lo, hi := math.Inf(1), math.Inf(-1)
				for _, c := range tr.chunks {
					lo, hi = min(lo, c.lo), max(hi, c.hi)
				}
				if a, b := tr.extent(); a != lo || b != hi {
					t.Fatalf("%v to %v, want %v to %v", a, b, lo, hi)
				}
			},
		})
	})
}

// TestAddBlock holds blocks whose extremes are known against their samples.
func TestAddBlock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bucket := rapid.SampledFrom([]int64{5, 100, 2000}).Draw(t, "bucket")
		pts := drawSamples(t)
		one, all := newTrace(bucket, 0), newTrace(bucket, 0)
		fill(&one, pts)
		for len(pts) > 0 {
			n := rapid.IntRange(1, len(pts)).Draw(t, "block")
			b := store.Block{Summed: true}
			for i, p := range pts[:n] {
				s := store.Sample{T: p.t, V: p.v}
				b.Samples = append(b.Samples, s)
				if i == 0 || s.V < b.Low.V {
					b.Low = s
				}
				if i == 0 || s.V > b.High.V {
					b.High = s
				}
				b.Summed = b.Summed && !math.IsNaN(s.V)
			}
			if !b.Summed {
				b.Low, b.High = store.Sample{}, store.Sample{}
			}
			all.addBlock(b)
			pts = pts[n:]
		}
		if !samePoints(points(&one), points(&all)) {
			t.Fatalf("one by one  %v\nby extremes %v", points(&one), points(&all))
		}
	})
}
