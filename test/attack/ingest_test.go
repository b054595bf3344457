package attack

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// flood is a way in, and what floods it.
type flood struct {
	kind, path string
	header     []string
	body       func(n int) []byte // of 5,000 samples, each another time
}

// floodSize is how many samples a request of a flood holds.
const floodSize = 5000

func floods() []flood {
	text := func(format string) func(int) []byte {
		return func(n int) []byte {
			var b bytes.Buffer
			for i := range floodSize {
				fmt.Fprintf(&b, format, i, time.Now().UnixMilli()-int64(n%1000))
			}
			return b.Bytes()
		}
	}
	return []flood{
		{"push", "/api/v1/push", nil, text(`{"metric":"flood","labels":{"n":"%d"},"t":%d,"v":1}` + "\n")},
		{"influx", "/api/v2/write?precision=ms", nil, text("flood,n=%d value=1 %d\n")},
		{"remote_write", "/api/v1/write", []string{"Content-Type", "application/x-protobuf", "Content-Encoding", "snappy"}, remoteWrite},
		{"otlp", "/v1/metrics", []string{"Content-Type", "application/x-protobuf"}, exported},
	}
}

func remoteWrite(n int) []byte {
	label := func(b []byte, name, value string) []byte {
		l := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), name)
		l = protowire.AppendString(protowire.AppendTag(l, 2, protowire.BytesType), value)
		return protowire.AppendBytes(protowire.AppendTag(b, 1, protowire.BytesType), l)
	}
	var all []byte
	for i := range floodSize {
		sample := protowire.AppendFixed64(protowire.AppendTag(nil, 1, protowire.Fixed64Type), 0x3ff0000000000000)
		sample = protowire.AppendVarint(protowire.AppendTag(sample, 2, protowire.VarintType), uint64(time.Now().UnixMilli()-int64(n%1000)))
		series := protowire.AppendBytes(protowire.AppendTag(label(label(nil, "__name__", "flood"), "n", fmt.Sprint(i)), 2, protowire.BytesType), sample)
		all = protowire.AppendBytes(protowire.AppendTag(all, 1, protowire.BytesType), series)
	}
	return s2.EncodeSnappy(nil, all)
}

func exported(n int) []byte {
	var points []string
	for i := range floodSize {
		points = append(points, fmt.Sprintf(`{"timeUnixNano":"%d000000","asDouble":1,"attributes":[{"key":"n","value":{"stringValue":"%d"}}]}`, time.Now().UnixMilli()-int64(n%1000), i))
	}
	var data metricspb.MetricsData
	if err := protojson.Unmarshal([]byte(`{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"flood","gauge":{"dataPoints":[`+strings.Join(points, ",")+`]}}]}]}]}`), &data); err != nil {
		panic(err)
	}
	b, err := proto.Marshal(&data)
	if err != nil {
		panic(err)
	}
	return b
}

// A flood of samples through any of the ways in is taken as far as the bounds go;
// over them it is refused with 429 and a time to come back, and what is watched
// goes on.
func TestIngestFloods(t *testing.T) {
	for _, f := range floods() {
		t.Run(f.kind, func(t *testing.T) {
			s := besiege(t, "sources:\n  in: {type: "+f.kind+", max_in_flight: 2}\n")
			var bodies [4][]byte
			for i := range bodies {
				bodies[i] = f.body(i)
			}
			client := &http.Transport{MaxIdleConnsPerHost: 40}
			defer client.CloseIdleConnections()
			var taken, refused atomic.Int64
			s.during(func(more func() bool) {
				var writers sync.WaitGroup
				for w := range 40 {
					writers.Go(func() {
						for more() {
							status, after, text := post(t, client, s.base+f.path, bodies[w%len(bodies)], f.header)
							switch {
							case status == http.StatusNoContent || status == http.StatusOK:
								taken.Add(1)
							case (status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable) && after != "" && strings.Contains(text, "max_in_flight"):
								refused.Add(1)
							default:
								t.Errorf("answered with %d, Retry-After %q, %s", status, after, text)
								return
							}
						}
					})
				}
				writers.Wait()
			})
			t.Logf("%d requests of %d samples were taken, %d refused", taken.Load(), floodSize, refused.Load())
			if taken.Load() == 0 || refused.Load() == 0 {
				t.Errorf("%d requests were taken, %d refused", taken.Load(), refused.Load())
			}
		})
	}
}

func post(t *testing.T, client http.RoundTripper, url string, body []byte, header []string) (status int, after, text string) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, "", err.Error()
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := client.RoundTrip(req)
	if err != nil {
		return 0, "", err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, "", err.Error()
	}
	return resp.StatusCode, resp.Header.Get("Retry-After"), string(b)
}
