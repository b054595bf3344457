package ingest

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"testing"

	"github.com/influxdata/line-protocol/v2/lineprotocol"
	"github.com/klauspost/compress/s2"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/chartd/chartd/pkg/plotting"
)

// format is a way in.
type format struct {
	name, path string
	header     http.Header
	lines      bool // it is line protocol
	// body writes a request of n samples at time t, in ms, each of another series;
	// who tells the series of writers apart.
	body func(who, n int, t int64) []byte
	// host is the label of which 8 series have the same, and metric is theirs.
	metric, host string
}

// formats are the ways in that are measured.
func formats() []format {
	return []format{
		{
			name: "influx", path: "/api/v2/write", lines: true, metric: "cpu_usage_user", host: "host",
			body: func(who, n int, t int64) []byte { return lines(who, n, 1, t) },
		},
		{
			name: "influx4", path: "/api/v2/write", lines: true, metric: "cpu_usage_user", host: "host",
			body: func(who, n int, t int64) []byte { return lines(who, n, 4, t) },
		},
		{name: "push", path: "/api/v1/push", body: objects, metric: "cpu_usage", host: "host"},
		{
			name: "remote_write", path: "/api/v1/write", body: writeRequest, metric: "node_cpu_seconds_total", host: "instance",
			header: http.Header{"Content-Type": {"application/x-protobuf"}, "Content-Encoding": {"snappy"}},
		},
	}
}

// some is 8 of the series that the first writers send, for each view others.
func (f format) some(view int) plotting.SeriesSpec {
	return plotting.SeriesSpec{Metric: f.metric, Labels: map[string]string{f.host: fmt.Sprintf("=~web%d-%d(:9100)?", view%8, view/8)}}
}

// lines is line protocol: n samples, as many in each line as fields says.
func lines(who, n, fields int, t int64) []byte {
	var b bytes.Buffer
	for i := range n / fields {
		fmt.Fprintf(&b, "cpu,cpu=cpu%d,host=web%d-%d ", i%8, who, i/8)
		for f, name := range []string{"usage_user", "usage_system", "usage_idle", "usage_iowait"}[:fields] {
			if f > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "%s=%d.%d", name, (i*7+int(t))%100, f+1)
		}
		fmt.Fprintf(&b, " %d000000\n", t)
	}
	return b.Bytes()
}

// objects is JSON, one object a line.
func objects(who, n int, t int64) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, `{"metric":"cpu_usage","labels":{"cpu":"cpu%d","host":"web%d-%d"},"t":%d,"v":%d.5}`+"\n", i%8, who, i/8, t, (i*7+int(t))%100)
	}
	return b.Bytes()
}

// writeRequest is a remote write of version 1.
func writeRequest(who, n int, t int64) []byte {
	label := func(b []byte, name, value string) []byte {
		l := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), name)
		l = protowire.AppendString(protowire.AppendTag(l, 2, protowire.BytesType), value)
		return protowire.AppendBytes(protowire.AppendTag(b, 1, protowire.BytesType), l)
	}
	var all []byte
	for i := range n {
		series := label(nil, "__name__", "node_cpu_seconds_total")
		series = label(series, "cpu", fmt.Sprint(i%8))
		series = label(series, "instance", fmt.Sprintf("web%d-%d:9100", who, i/8))
		series = label(series, "job", "node")
		series = label(series, "mode", "user")
		sample := protowire.AppendFixed64(protowire.AppendTag(nil, 1, protowire.Fixed64Type), math.Float64bits(float64((i*7+int(t))%100)+0.5))
		sample = protowire.AppendVarint(protowire.AppendTag(sample, 2, protowire.VarintType), uint64(t))
		series = protowire.AppendBytes(protowire.AppendTag(series, 2, protowire.BytesType), sample)
		all = protowire.AppendBytes(protowire.AppendTag(all, 1, protowire.BytesType), series)
	}
	return s2.EncodeSnappy(nil, all)
}

// parse reads line protocol with the library, and does nothing else.
func parse(t testing.TB, body []byte) (samples int) {
	dec := lineprotocol.NewDecoderWithBytes(body)
	for dec.Next() {
		if _, err := dec.Measurement(); err != nil {
			t.Fatal(err)
		}
		for {
			key, _, err := dec.NextTag()
			if err != nil {
				t.Fatal(err)
			}
			if key == nil {
				break
			}
		}
		for {
			key, _, err := dec.NextField()
			if err != nil {
				t.Fatal(err)
			}
			if key == nil {
				break
			}
			samples++
		}
		if _, err := dec.TimeBytes(); err != nil {
			t.Fatal(err)
		}
	}
	return samples
}
