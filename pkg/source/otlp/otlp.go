// Package otlp takes metrics that OpenTelemetry's SDKs and Collector export over
// OTLP/HTTP: POST /v1/metrics, protobuf or JSON, packed with gzip or not.
//
// A metric keeps its name. Labels are the attributes of the point, those of the
// resource that promote_resource_attributes names, and what made the measurement,
// as otel_scope_name and so on; where two have one name, the point's wins, then
// the scope's. Names of attributes are kept, and values that are lists are JSON.
//
//	gauge, sum             name
//	histogram              name_count, name_sum, name_min, name_max, and name_bucket with the label le
//	exponential histogram  name_count, name_sum, name_min, name_max
//	summary                name_count, name_sum, and name with the label quantile
//
// Sums are totals, as they are sent if they are cumulative; deltas are added up,
// each once, even if it is sent again. Buckets of exponential histograms are left
// out and counted, exemplars are left out. A point without a recorded value is a
// gap, and so is an infinite one.
//
// The status says whether the sender should try again:
//
//	200  taken; partial_success in the answer says how many points were not, and why
//	400  the body is broken; nothing was taken
//	413  the body is too large, 415 it is of another type
//	429  nothing was taken: the store is full, or too many requests come at once; with Retry-After
//	503  chartd stops; with Retry-After
package otlp

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"runtime"

	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/receive"
	"github.com/chartd/chartd/pkg/store"
)

// Path is where exporters send metrics to.
const Path = "/v1/metrics"

// Source takes metrics over OTLP/HTTP.
type Source struct {
	receive.Gate
	cfg    *Config
	bodies receive.Bodies
	turns  receive.Turns
	// unpacking bounds how many messages are made of bodies at the same time to
	// half of the processors: that makes more garbage than anything else in chartd,
	// whose collection takes the other half, and charts have to be drawn, too.
	unpacking chan struct{}
	deltas    *deltas
	skip      func(int)
	reject    func(int, error)
}

func newSource(cfg *Config, deps source.Deps) *Source {
	return &Source{
		cfg: cfg, bodies: receive.Bodies{Max: cfg.MaxBody}, turns: receive.NewTurns(cfg.MaxInFlight),
		unpacking: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
		deltas:    newDeltas(cfg.MaxStreams, cfg.MaxStale.Std()), skip: deps.Skip, reject: deps.Reject,
	}
}

// Routes implements source.Receiver.
func (s *Source) Routes() map[string]http.Handler {
	return map[string]http.Handler{
		"POST " + Path: http.HandlerFunc(s.serve),
		Path:           http.HandlerFunc(refuseMethod),
	}
}

func (s *Source) serve(w http.ResponseWriter, r *http.Request) {
	enc, err := encodingOf(r.Header)
	if err != nil {
		refuse(w, asJSON, err)
		return
	}
	app, leave, ok := s.Enter(w)
	if !ok {
		refuse(w, enc, receive.ErrClosed)
		return
	}
	defer leave()
	done, err := s.turns.Take(r.Context())
	if err != nil {
		refuse(w, enc, err)
		return
	}
	defer done()
	body, err := s.read(w, r)
	if err != nil {
		refuse(w, enc, err)
		return
	}
	s.unpacking <- struct{}{} // whoever holds it works and waits for nobody
	defer func() { <-s.unpacking }()
	// A request of metrics and MetricsData are one message to a reader.
	var data metrics.MetricsData
	if err := enc.decode(body, &data); err != nil {
		err = fmt.Errorf("the body is not what its Content-Type says: %w", err)
		s.reject(1, err)
		refuse(w, enc, err)
		return
	}
	var now store.Moment
	now.Of(app)
	k := taking{cfg: s.cfg, deltas: s.deltas, app: &now}
	k.take(&data)
	s.skip(k.skipped)
	k.tally.Report(s.reject)
	answer(w, enc, &k.tally)
}

func (s *Source) read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := s.bodies.Open(w, r)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

// encoding is how a message is written.
type encoding string

const (
	asProtobuf encoding = "application/x-protobuf"
	asJSON     encoding = "application/json"
)

func encodingOf(h http.Header) (encoding, error) {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	switch e := encoding(kind); {
	case err == nil && (e == asProtobuf || e == asJSON):
		return e, nil
	}
	return "", &receive.BodyError{
		Status: http.StatusUnsupportedMediaType,
		Reason: fmt.Sprintf("content type %.80q is not understood; send %s or %s", h.Get("Content-Type"), asProtobuf, asJSON),
	}
}

// decode reads a message. Fields that are not known are newer than this.
func (e encoding) decode(body []byte, m proto.Message) error {
	if e == asJSON {
		return protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(body, m)
	}
	return proto.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(body, m)
}
