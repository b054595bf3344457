package influx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"testing"
	"testing/iotest"

	"github.com/influxdata/line-protocol/v2/lineprotocol"

	"github.com/chartd/chartd/pkg/source/receive"
	"github.com/chartd/chartd/pkg/store"
)

// recorder keeps what is appended with a time, as text.
type recorder struct{ got []string }

func (r *recorder) Append(metric string, labels store.Labels, t int64, v float64) error {
	if t > 1<<40 { // now
		t = -1
	}
	r.got = append(r.got, fmt.Sprint(metric, labels, t, v))
	return nil
}

// reference reads a body in one piece, by the library alone. lines are those on
// which it finds errors.
func reference(body []byte) (got []string, lines []int) {
	dec := lineprotocol.NewDecoderWithBytes(body)
next:
	for dec.Next() {
		fail := func(err error) bool {
			if err == nil {
				return false
			}
			line := -1 // the library does not say
			if e, ok := errors.AsType[*lineprotocol.DecodeError](err); ok {
				line = int(e.Line)
			}
			lines = append(lines, line)
			return true
		}
		m, err := dec.Measurement()
		if fail(err) {
			continue
		}
		measurement := string(m)
		var labels store.Labels
		for {
			k, v, err := dec.NextTag()
			if fail(err) {
				continue next
			}
			if k == nil {
				break
			}
			labels = append(labels, store.Label{Name: string(k), Value: string(v)})
		}
		slices.SortFunc(labels, func(a, b store.Label) int { return slices.Compare([]byte(a.Name), []byte(b.Name)) })
		var samples []string
		values := map[string]float64{}
		var order []string
		for {
			k, v, err := dec.NextField()
			if fail(err) {
				continue next
			}
			if k == nil {
				break
			}
			name := measurement
			if string(k) != "value" {
				name += "_" + string(k)
			}
			switch x := v.Interface().(type) {
			case float64:
				values[name] = x
			case int64:
				values[name] = float64(x)
			case uint64:
				values[name] = float64(x)
			case bool:
				values[name] = map[bool]float64{true: 1}[x]
			default:
				continue
			}
			order = append(order, fmt.Sprint(values[name]))
			samples = append(samples, name)
		}
		stamp, err := dec.TimeBytes()
		if fail(err) {
			continue
		}
		t := int64(-1)
		if stamp != nil {
			n, err := strconv.ParseInt(string(stamp), 10, 64)
			if fail(err) {
				continue
			}
			t = n // in ms, see FuzzBody
			if t > 1<<40 {
				t = -1
			}
		}
		for i, name := range samples {
			v, _ := strconv.ParseFloat(order[i], 64)
			got = append(got, fmt.Sprint(name, labels, t, v))
		}
	}
	return got, lines
}

func read(t *testing.T, r *reader, rec *recorder, body []byte, oneByOne bool) receive.Tally {
	t.Helper()
	var app store.Moment
	app.Of(rec)
	var src io.Reader = bytes.NewReader(body)
	if oneByOne {
		src = iotest.OneByteReader(src)
	}
	if err := r.read(src, millisecond, &app); err != nil {
		t.Fatal(err)
	}
	return r.tally
}

// FuzzBody checks that reading a body line by line finds what the library finds
// when it has the whole body before it: the same samples, and the same lines to
// be bad; and that it does not matter in which pieces the body arrives.
func FuzzBody(f *testing.F) {
	for _, s := range []string{
		"cpu,host=a usage=1.5,idle=98i 1700000000000\n", "m v=\"a\nb\n\\\"c\",w=t\nm x\n\nm value=1u",
		"# comment\r\n\r\nm\\ x,a\\,b=c\\=d value=F -5\r\n", "m a=1 99999999999999999999\nm a=1 1-1\n,=\n\"", "m a=1\rm b=2\n#\x00\nm c=3",
		"\n\n\nm a=1.2.3,b=1e999\nm b=1 1 1",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var r reader
		var whole, pieces recorder
		tally := read(t, &r, &whole, body, false)
		again := read(t, &r, &pieces, body, true)
		if !slices.Equal(whole.got, pieces.got) || !slices.Equal(tally.Listed, again.Listed) || tally.More != again.More {
			t.Fatalf("at once:      %q %v\nbyte by byte: %q %v", whole.got, tally, pieces.got, again)
		}
		want, bad := reference(body)
		if !slices.Equal(whole.got, want) || tally.Rejected() != len(bad) {
			t.Fatalf("got  %q, rejected %v\nwant %q, rejected %v", whole.got, tally.Listed, want, bad)
		}
		for i, rejection := range tally.Listed {
			// An error may be found behind a text that goes over several lines; it
			// is listed where the point begins.
			if bad[i] != -1 && (rejection.Line > bad[i] || rejection.Line < bad[i] && !bytes.Contains(body, []byte(`"`))) {
				t.Fatalf("rejected %v, want lines %v", tally.Listed, bad)
			}
		}
	})
}

func points(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "cpu,host=web1,cpu=cpu%d usage_user=%d.5,usage_system=%di,state=\"ok\" %d000000\n", i%8, i, i, 1700000000000+i)
	}
	return b.Bytes()
}

type nowhere struct{}

func (nowhere) Append(string, store.Labels, int64, float64) error { return nil }

func BenchmarkRead(b *testing.B) {
	body := points(1000)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	var r reader
	var app store.Moment
	app.Of(nowhere{})
	src := bytes.NewReader(body)
	for b.Loop() {
		src.Reset(body)
		if err := r.read(src, nanosecond, &app); err != nil || r.tally.Accepted != 1000 {
			b.Fatal(err, r.tally)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/line")
}

// TestLinesMakeNoGarbage: once the names are known, a line costs no allocation.
func TestLinesMakeNoGarbage(t *testing.T) {
	body := points(1000)
	var r reader
	var app store.Moment
	app.Of(nowhere{})
	src := bytes.NewReader(body)
	n := testing.AllocsPerRun(20, func() {
		src.Reset(body)
		if err := r.read(src, nanosecond, &app); err != nil || r.tally.Accepted != 1000 || r.skipped != 1000 {
			t.Fatal(err, r.tally)
		}
	})
	if n > 10 { // the decoder and its buffers
		t.Errorf("%v allocations for 1,000 lines", n)
	}
}
