package scrape

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/store"
)

// flat is a sample with its series written out.
type flat struct {
	series string
	value  float64
	t      int64
}

// String makes no difference between 0 and -0, which is not always written.
func (f flat) String() string { return fmt.Sprintf("%s %v %d", f.series, f.value+0, f.t) }

// flatten reads a whole body; t is -1 where the target gives no time.
func flatten(body string, openMetrics bool) (samples []flat, errs []string) {
	x := exposition{rest: []byte(body), openMetrics: openMetrics}
	if !x.isWhole() {
		return nil, []string{"cut"}
	}
	for {
		ok, err := x.next()
		if err == nil && !ok {
			return samples, errs
		}
		var metric string
		var labels []store.Label
		if err == nil {
			metric, labels, err = parseSeries(x.current.series)
		}
		if err != nil {
			errs = append(errs, fmt.Sprintf("%d: %v", x.line, err))
			continue
		}
		f := flat{seriesOf(metric, labels), x.current.value, -1}
		if x.current.stamped {
			f.t = x.current.t
		}
		samples = append(samples, f)
	}
}

func seriesOf(metric string, labels []store.Label) string {
	ls := slices.Clone(store.Labels(labels))
	for i, l := range ls {
		if v, err := strconv.ParseFloat(l.Value, 64); err == nil && (l.Name == "le" || l.Name == "quantile") {
			ls[i].Value = fmt.Sprint(v) // OpenMetrics writes 1.0 where the text format has 1
		}
	}
	slices.SortFunc(ls, func(a, b store.Label) int { return strings.Compare(a.Name, b.Name) })
	return strconv.Quote(metric) + ls.String()
}

func TestExposition(t *testing.T) {
	nan := math.NaN()
	for _, tc := range []struct {
		name string
		om   bool
		body string
		want []flat
		errs []string
	}{
		{"empty", false, "", nil, nil},
		{"plain", false, "# HELP a b\n# TYPE a gauge\na 1\n\n  b{} 2.5e3\t\nc { x = \"y\" , } -Inf\r\n", []flat{{`"a"{}`, 1, -1}, {`"b"{}`, 2500, -1}, {`"c"{x="y"}`, math.Inf(-1), -1}}, nil},
		{"stamps", false, "a 1 1700000000000\nb NaN -5\n", []flat{{`"a"{}`, 1, 1700000000000}, {`"b"{}`, nan, -5}}, nil},
		{"escapes", false, `a{x="q\"b\\n\n}{,="} 1` + "\n", []flat{{`"a"{x="q\"b\\n\n}{,="}`, 1, -1}}, nil},
		{"quoted names", false, `{"a.b c", "x y"="z"} 1` + "\n" + `{"x"="1","a"} 2` + "\n", []flat{{`"a.b c"{x y="z"}`, 1, -1}, {`"a"{x="1"}`, 2, -1}}, nil},
		{"created", false, "# TYPE a counter\na_total 1\na_created 2\n# TYPE a_created gauge\na_created 3\n", []flat{{`"a_total"{}`, 1, -1}, {`"a_created"{}`, 3, -1}}, nil},
		{"good lines are kept", false, "a\n1 2\nb{x} 1\nc{x=\"y\" 1\nd 1 2 3\ne{x=\"\\t\"} 1\nf 0x1\ng 1 1.5\nh 1\n{} 1\ni{y=z} 1\nj{\"k\"} 1\nl{a=\"b\"c=\"d\"} 1\nm 1", []flat{{`"h"{}`, 1, -1}}, []string{
			`1: "a" has no value`, `2: "1" is no name of a metric`, `3: label "x" has no value`, `4: the labels of "c{x=\"y\" 1" have no end; want '}'`,
			`5: "3" stands behind the sample; want a series, a value and perhaps a time`, `6: "\t" is no escape; want \\, \" or \n`, `7: "0x1" is not a number`,
			`8: "1.5" is not a time in ms`, `10: the metric has no name`, `11: the value of label "y" is not in quotes`, `12: has two names, "j" and "k"`,
			`13: want ',' or '}' behind "a"`, `14: the line is cut off: it does not end with a line feed`,
		}},
		{"OpenMetrics", true, "# TYPE a histogram\n# UNIT a seconds\na_bucket{le=\"1.0\"} 1 # {trace=\"} # {\"} 0.5 1.5\na_bucket{le=\"+Inf\"} 2 1700000000.5\na_created 1.7e9\n# EOF\n", []flat{{`"a_bucket"{le="1"}`, 1, -1}, {`"a_bucket"{le="+Inf"}`, 2, 1700000000500}}, nil},
		{"OpenMetrics, cut", true, "a 1\n", nil, []string{"cut"}},
		{"OpenMetrics, going on", true, "a 1\n# EOF\nb 1\n# EOF", []flat{{`"a"{}`, 1, -1}}, []string{"3: something follows # EOF"}},
		{"OpenMetrics, no time", true, "a 1 1e300\nb 1 x\n# EOF", nil, []string{`1: "1e300" is not a time in seconds`, `2: "x" is not a time in seconds`}},
	} {
		got, errs := flatten(tc.body, tc.om)
		if fmt.Sprint(got) != fmt.Sprint(tc.want) || !slices.Equal(errs, tc.errs) {
			t.Errorf("%s: got %v, %q\nwant %v, %q", tc.name, got, errs, tc.want, tc.errs)
		}
	}
}

// TestWhatPrometheusWrites reads what the library of Prometheus writes, in both formats.
func TestWhatPrometheusWrites(t *testing.T) {
	name := rapid.StringMatching(`x[a-z0-9_]{0,5}`)
	value := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, math.NaN(), math.Inf(1), math.Inf(-1), 1e-300, -0.1}))
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", `"`, `\`, "\n", "}", " # {", "ä", ","}))
	rapid.Check(t, func(t *rapid.T) {
		reg := prometheus.NewRegistry()
		var want []flat
		for i := range rapid.IntRange(0, 5).Draw(t, "metrics") {
			metric := fmt.Sprintf("%s%d", name.Draw(t, "name"), i)
			labelValue := strings.ToValidUTF8(text.Draw(t, "label"), "?")
			label := name.Draw(t, "label name")
			add := func(suffix string, v float64, more ...string) {
				ls := map[string]string{label: labelValue}
				for j := 0; j < len(more); j += 2 {
					ls[more[j]] = more[j+1]
				}
				all := []store.Label{}
				for n, v := range ls {
					all = append(all, store.Label{Name: n, Value: v})
				}
				want = append(want, flat{seriesOf(metric+suffix, all), v, -1})
			}
			help := strings.ToValidUTF8(text.Draw(t, "help"), "?")
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: metric, Help: help}, []string{label})
				x := value.Draw(t, "value")
				v.WithLabelValues(labelValue).Set(x)
				reg.MustRegister(v)
				add("", x)
			case 1:
				metric += "_total"
				v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: metric, Help: help}, []string{label})
				x := rapid.Float64Range(0, 1e18).Draw(t, "value")
				v.WithLabelValues(labelValue).Add(x)
				reg.MustRegister(v)
				add("", x)
			case 2:
				v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: metric, Help: help, Buckets: []float64{0.5, 1}}, []string{label})
				v.WithLabelValues(labelValue).Observe(0.75)
				reg.MustRegister(v)
				add("_bucket", 0, "le", "0.5")
				add("_bucket", 1, "le", "1")
				add("_bucket", 1, "le", "+Inf")
				add("_sum", 0.75)
				add("_count", 1)
			case 3:
				v := prometheus.NewSummaryVec(prometheus.SummaryOpts{Name: metric, Help: help, Objectives: map[float64]float64{0.5: 0}}, []string{label})
				v.WithLabelValues(labelValue).Observe(4)
				reg.MustRegister(v)
				add("", 4, "quantile", "0.5")
				add("_sum", 4)
				add("_count", 1)
			}
		}
		families, err := reg.Gather()
		if err != nil {
			t.Skip(err) // two labels of one name, or the like
		}
		for _, openMetrics := range []bool{false, true} {
			format := expfmt.NewFormat(expfmt.TypeTextPlain)
			var opts []expfmt.EncoderOption
			if openMetrics {
				format = expfmt.NewFormat(expfmt.TypeOpenMetrics)
				opts = append(opts, expfmt.WithCreatedLines())
			}
			var b bytes.Buffer
			enc := expfmt.NewEncoder(&b, format, opts...)
			for _, f := range families {
				if err := enc.Encode(f); err != nil {
					t.Fatal(err)
				}
			}
			if c, ok := enc.(expfmt.Closer); ok {
				if err := c.Close(); err != nil {
					t.Fatal(err)
				}
			}
			got, errs := flatten(b.String(), openMetrics)
			if len(errs) > 0 || !sameSamples(got, want) {
				t.Fatalf("%s\ngot %q, %v\nwant %q", b.String(), got, errs, want)
			}
		}
	})
}

func sameSamples(a, b []flat) bool {
	text := func(fs []flat) []string {
		var out []string
		for _, f := range fs {
			out = append(out, f.String())
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(text(a), text(b))
}

// FuzzExposition holds that nothing makes the reader panic or go on for ever, and that it reads whatever the library of Prometheus writes, as that does.
func FuzzExposition(f *testing.F) {
	for _, s := range []string{
		"# TYPE a gauge\na{b=\"c\"} 1\n", "a 1 2\n", "{\"a.b\",c=\"d\"} 1\n", "# TYPE a counter\na 1 # {x=\"y\"} 1\n# EOF\n", "a{b=\"\\n\\\\\\\"}\"} NaN\n",
		"a {b=\"c\" , } +Inf -3\n", "a{,} 1\n", "a 1_0\n",
	} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, body string, openMetrics bool) {
		got, errs := flatten(body, openMetrics)
		if len(got)+len(errs) > len(body)+1 {
			t.Fatalf("%d samples and %d errors of %d bytes", len(got), len(errs), len(body))
		}
		if openMetrics {
			return
		}
		canonical, want, err := theirs(body)
		if err != nil {
			return
		}
		// That takes some lines that are not of the format; of what both take, both must say the same.
		if len(errs) == 0 && !sameSamples(got, want) {
			t.Fatalf("%q\ngot %q, %q\nwant %q", body, got, errs, want)
		}
		if got, errs := flatten(canonical, false); len(errs) > 0 || !sameSamples(got, want) {
			t.Fatalf("%q\ngot %q, %q\nwant %q", canonical, got, errs, want)
		}
	})
}

// theirs reads a body with expfmt, and writes it again. It is an error if that cannot, or if it is of a kind that it does not give back line by line.
func theirs(body string) (canonical string, samples []flat, err error) {
	p := expfmt.NewTextParser(model.UTF8Validation)
	families, err := p.TextToMetricFamilies(strings.NewReader(body))
	if err != nil {
		return "", nil, err
	}
	var b strings.Builder
	var out []flat
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&b, family); err != nil {
			return "", nil, err
		}
		for _, m := range family.GetMetric() {
			var v float64
			switch family.GetType() {
			case dto.MetricType_GAUGE:
				v = m.GetGauge().GetValue()
			case dto.MetricType_UNTYPED:
				v = m.GetUntyped().GetValue()
			default:
				return "", nil, errors.New("it is taken apart")
			}
			var ls []store.Label
			for _, l := range m.GetLabel() {
				ls = append(ls, store.Label{Name: l.GetName(), Value: l.GetValue()})
			}
			t := int64(-1)
			if m.TimestampMs != nil {
				t = m.GetTimestampMs()
			}
			out = append(out, flat{seriesOf(family.GetName(), ls), v, t})
		}
	}
	return b.String(), out, nil
}
