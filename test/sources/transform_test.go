package sources

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"

	"github.com/chartd/chartd/pkg/store"
	"github.com/chartd/chartd/pkg/transform"
)

// staleNaN is what Prometheus writes where a series ends.
const staleNaN = 0x7ff0000000000002

// transformed are the expressions of which TestTransformIsPromQL compares each
// series with what Prometheus says at the same times.
var transformed = []string{
	"temp", "-temp", "abs(temp)", "temp * 2 + 1", "1 / (temp + 1000)", "temp ^ 2 % 7", "round(temp, 0.5)", "ceil(temp)", "floor(temp)",
	"clamp(temp, -1, 5)", "clamp_min(temp, 0)", "clamp_max(temp, 3)", "sqrt(abs(temp))", "sgn(temp)", "exp(temp / 10)", "log2(abs(temp) + 1)",
	"rate(hits[1m])", "rate(hits[17s])", "irate(hits[1m])", "increase(hits[37s])", "delta(temp[1m])", "idelta(temp[1m])", "resets(hits[5m])", "changes(temp[2m])",
	"avg_over_time(temp[1m])", "min_over_time(temp[30s])", "max_over_time(temp[30s])", "sum_over_time(temp[45s])", "count_over_time(temp[1m])",
	"last_over_time(temp[20s])", "quantile_over_time(0.95, temp[2m])",
	"sum(temp)", "sum by (room) (rate(hits[1m]))", "sum without (room) (temp)", "avg by (floor) (temp)", "min(temp)", "max by (room) (temp)", "count(temp)",
	"quantile(0.75, temp)", "quantile by (room) (0.3, temp)",
	"temp + hits", "temp - on (room, floor) hits", "rate(hits[1m]) / rate(hits[2m])", "sum(rate(hits[1m])) / count(hits)", "temp / on () group_left sum(temp)",
	"temp * on (room) group_left sum by (room) (hits)", "100 * temp / ignoring (room, floor) group_left max(temp)", "sum by (room) (hits) + on (room) group_right temp",
	"temp > 2", "2 < temp", "temp >= bool hits", "sum(temp > 0)", `temp{room="a"}`, `sum(temp{floor!="1"})`, `rate(hits{room=~"a|b"}[1m])`,
}

// TestTransformIsPromQL writes the same samples into a store and a Prometheus:
// uneven in time, with counters that begin anew and series that come and go.
// Whatever a transform makes of them, that Prometheus says, too, when asked for
// that time.
func TestTransformIsPromQL(t *testing.T) {
	t.Parallel()
	p := newProm(t, newTarget(t), "", "--web.enable-remote-write-receiver")
	p.args[slices.Index(p.args, "--query.lookback-delta=1s")] = "--query.lookback-delta=5m"
	p.start()

	st := store.New(store.DefaultConfig(), nil)
	fill(t, st, "http://"+p.addr+"/api/v1/write", time.Now().Add(-40*time.Minute).UnixMilli())
	values := 0
	for _, text := range transformed {
		e, err := transform.Compile(text, transform.Options{})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		tr := transform.New(e, st, 100)
		defer tr.Close()
		series, err := tr.Series()
		if err != nil {
			t.Fatal(err)
		}
		if err := tr.Follow(0, math.MaxInt64); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if len(series) == 0 {
			t.Errorf("%s yields nothing", text)
		}
		compared := 0
		for _, s := range series {
			var all []store.Sample
			s.Each(math.MinInt64, math.MaxInt64, func(b []store.Sample) { all = append(all, b...) })
			for i := len(all) / 7; i < len(all); i += 1 + len(all)/7 {
				want, ok := ask(t, p.addr, text, all[i].T)[s.Labels().String()]
				if !ok || math.IsInf(want, 0) {
					want = math.NaN()
				}
				have := all[i].V
				if !(math.IsNaN(have) && math.IsNaN(want)) && !(math.Abs(have-want) <= 1e-9*max(1, math.Abs(want))) {
					t.Errorf("%s: %v at %d is %v; Prometheus says %v", text, s.Labels(), all[i].T, have, want)
				}
				compared++
			}
		}
		if compared == 0 {
			t.Errorf("%s: nothing to compare", text)
		}
		values += compared
	}
	t.Logf("%d values of %d expressions", values, len(transformed))
}

// fill writes random samples of a while from a time (ms) on into a store and
// into a Prometheus.
func fill(t *testing.T, st *store.Store, to string, from int64) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	var out prompb.WriteRequest
	for _, metric := range []string{"hits", "temp"} {
		for _, name := range []string{"a1", "a2", "b1", "c2"} {
			labels := map[string]string{"room": name[:1], "floor": name[1:]}
			ts := prompb.TimeSeries{Labels: []prompb.Label{{Name: "__name__", Value: metric}, {Name: "floor", Value: name[1:]}, {Name: "room", Value: name[:1]}}}
			v := 1e4 * random.Float64()
			at := from + random.Int64N(60_000)
			for at < from+20*60_000 {
				at += 900 + random.Int64N(300) + 5000*(random.Int64N(40)/39) + 400_000*(random.Int64N(300)/299)
				switch gone := random.IntN(60) == 0; {
				case gone:
					v = math.Float64frombits(staleNaN)
				case metric == "temp":
					v = 20*random.Float64() - 10
				case random.IntN(50) == 0 || math.IsNaN(v):
					v = 3000 * random.Float64()
				default:
					v += 5 * random.Float64()
				}
				ts.Samples = append(ts.Samples, prompb.Sample{Timestamp: at, Value: v})
				if err := st.Append(metric, store.LabelsOf(labels), at, v); err != nil {
					t.Fatal(err)
				}
			}
			out.Timeseries = append(out.Timeseries, ts)
		}
	}
	b, err := out.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to, bytes.NewReader(snappy.Encode(nil, b)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Encoding", "snappy")
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if text, _ := io.ReadAll(res.Body); res.StatusCode/100 != 2 {
		t.Fatalf("the Prometheus answers %s: %s", res.Status, text)
	}
}

// ask returns what Prometheus says of an expression at a time, by labels.
func ask(t *testing.T, addr, expr string, ms int64) map[string]float64 {
	t.Helper()
	at := fmt.Sprintf("%d.%03d", ms/1000, ms%1000)
	status, body := get(t, "http://"+addr+"/api/v1/query?query="+url.QueryEscape(expr)+"&time="+at)
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusOK {
		t.Fatalf("%s: %d %s", expr, status, body)
	}
	out := map[string]float64{}
	for _, r := range answer.Data.Result {
		delete(r.Metric, "__name__")
		text, _ := r.Value[1].(string)
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatalf("%s: %s", expr, body)
		}
		out[store.LabelsOf(r.Metric).String()] = v
	}
	return out
}
