package plotting

import (
	"iter"
	"math"

	"github.com/chartd/chartd/pkg/store"
)

// slice is about how many samples of a Table are held at once.
const slice = 1 << 15

// Table is what a view shows as the samples that it is drawn from: all that the
// store has in the range, of every series that is not hidden. It belongs to one
// goroutine, and has to be closed.
type Table struct {
	live     *Live
	series   []*store.Series
	names    []string
	from, to int64
}

// NewTable returns the table of a view at a time in ms since the Unix epoch. The
// spec must be valid.
func NewTable(spec *Spec, q store.Querier, v View, now int64) (*Table, error) {
	l := NewLive(spec, q)
	t := &Table{live: l, from: v.From, to: v.To}
	if v.Live() {
		t.to = v.Now(now)
		t.from = t.to - v.Window.Millis()
	}
	_, err := l.look(v)
	if err == nil {
		err = l.derived.follow(v, t.from, t.to)
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	for _, ln := range l.lines {
		if !ln.hidden {
			t.series, t.names = append(t.series, ln.series), append(t.names, ln.name)
		}
	}
	return t, nil
}

// Close returns what the table holds of the store's room.
func (t *Table) Close() { t.live.Close() }

// Names returns the names of the series, as in the legend.
func (t *Table) Names() []string { return t.names }

// Cut leaves out the oldest samples until there are no more than most, which is
// at least one for each series. It returns the time in ms from which on the
// table is whole, and whether that is later than the range begins.
func (t *Table) Cut(most int) (from int64, cut bool) {
	if t.count(t.from, t.to) <= most {
		return t.from, false
	}
	// What begins at lo is too much, what begins at hi is not.
	lo, hi := t.from, t.to
	for hi-lo > 1 {
		if mid := lo + (hi-lo)/2; t.count(mid, t.to) > most {
			lo = mid
		} else {
			hi = mid
		}
	}
	t.from = hi
	return hi, true
}

// count returns how many samples lie in a range; it looks at blocks alone.
func (t *Table) count(from, to int64) (n int) {
	for _, s := range t.series {
		s.Each(from, to, func(block []store.Sample) { n += len(block) })
	}
	return n
}

// Rows yields each time in ms at which a series has a sample, in order, with a
// value for each of Names: NaN where there is none. The values are good until
// the next row.
func (t *Table) Rows() iter.Seq2[int64, []float64] {
	return func(yield func(int64, []float64) bool) {
		columns := make([][]store.Sample, len(t.series))
		row := make([]float64, len(t.series))
		for from := t.from; from <= t.to; {
			end := t.sliceEnd(from)
			for i, s := range t.series {
				columns[i] = columns[i][:0]
				s.Each(from, end, func(block []store.Sample) { columns[i] = append(columns[i], block...) })
			}
			for merge(columns, row, yield) {
			}
			if left(columns) {
				return // whoever reads has enough
			}
			from = end + 1
		}
	}
}

// sliceEnd returns up to when the rows from a time on are read together.
func (t *Table) sliceEnd(from int64) int64 {
	if t.count(from, t.to) <= slice {
		return t.to
	}
	lo, hi := from, t.to // up to hi is too much; up to lo is a row
	for hi-lo > 1 {
		if mid := lo + (hi-lo)/2; t.count(from, mid) > slice {
			hi = mid
		} else {
			lo = mid
		}
	}
	return lo
}

// merge yields the next row, and takes it off the columns if more is wanted. It
// reports whether to go on.
func merge(columns [][]store.Sample, row []float64, yield func(int64, []float64) bool) bool {
	next := int64(math.MaxInt64)
	for _, c := range columns {
		if len(c) > 0 {
			next = min(next, c[0].T)
		}
	}
	if !left(columns) {
		return false
	}
	for i, c := range columns {
		if row[i] = math.NaN(); len(c) > 0 && c[0].T == next {
			row[i] = c[0].V
		}
	}
	if !yield(next, row) {
		return false
	}
	for i, c := range columns {
		if len(c) > 0 && c[0].T == next {
			columns[i] = c[1:]
		}
	}
	return true
}

func left(columns [][]store.Sample) bool {
	for _, c := range columns {
		if len(c) > 0 {
			return true
		}
	}
	return false
}
