package sources

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/store"
)

// application is a program that OpenTelemetry's SDK measures and that exports when it is told to.
type application struct {
	*sdk.MeterProvider
	meter metric.Meter
}

// newApplication returns an application that exports to an address.
func newApplication(t testing.TB, addr string, temporality sdk.TemporalitySelector, options ...otlpmetrichttp.Option) *application {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	options = append([]otlpmetrichttp.Option{
		otlpmetrichttp.WithEndpoint(addr), otlpmetrichttp.WithInsecure(), otlpmetrichttp.WithHTTPClient(client), otlpmetrichttp.WithTemporalitySelector(temporality),
		otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{Enabled: true, InitialInterval: 10 * time.Millisecond, MaxInterval: 50 * time.Millisecond, MaxElapsedTime: patience}),
	}, options...)
	exporter, err := otlpmetrichttp.New(t.Context(), options...)
	if err != nil {
		t.Fatal(err)
	}
	a := &application{MeterProvider: sdk.NewMeterProvider(
		sdk.WithReader(sdk.NewPeriodicReader(exporter, sdk.WithInterval(time.Hour))), // or when it is told to
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "shop"), attribute.Int("process.pid", 7))),
		sdk.WithView(sdk.NewView(sdk.Instrument{Name: "exponential"}, sdk.Stream{Aggregation: sdk.AggregationBase2ExponentialHistogram{MaxSize: 160, MaxScale: 20}})),
	)}
	a.meter = a.Meter("test/lib", metric.WithInstrumentationVersion("1.2"))
	t.Cleanup(func() { _ = a.Shutdown(context.Background()) }) // it may have nowhere to export to
	return a
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func last(samples []store.Sample) float64 {
	if s := values(samples); len(s) > 0 {
		return s[len(s)-1].V
	}
	return -1
}

// TestOTLP exports with OpenTelemetry's SDK to chartd, as totals and as differences, packed and not. chartd is away at first, and now and then it is busy and answers
// only after it has taken the points: nothing is lost, and nothing counts twice.
func TestOTLP(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		temporality sdk.TemporalitySelector
		options     []otlpmetrichttp.Option
	}{
		"cumulative": {sdk.DefaultTemporalitySelector, nil},
		"delta": {
			func(sdk.InstrumentKind) metricdata.Temporality { return metricdata.DeltaTemporality },
			[]otlpmetrichttp.Option{otlpmetrichttp.WithCompression(otlpmetrichttp.GzipCompression)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := address(t)
			app := newApplication(t, addr, tc.temporality, tc.options...)
			requests := must[metric.Int64Counter](t)(app.meter.Int64Counter("http.requests"))
			open := must[metric.Int64UpDownCounter](t)(app.meter.Int64UpDownCounter("open"))
			temp := must[metric.Float64Gauge](t)(app.meter.Float64Gauge("temp"))
			took := must[metric.Float64Histogram](t)(app.meter.Float64Histogram("took", metric.WithExplicitBucketBoundaries(0.1, 1)))
			exponential := must[metric.Float64Histogram](t)(app.meter.Float64Histogram("exponential"))

			r := start(t, "sources: {}")
			var asked atomic.Int64
			busy := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				if asked.Add(1)%3 == 0 {
					r.ServeHTTP(&deaf{header: http.Header{}}, req)
					w.Header().Set("Retry-After", "0")
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				r.ServeHTTP(w, req)
			})
			home := metric.WithAttributes(attribute.String("page", "home"))
			temp.Record(t.Context(), 1)
			if err := app.ForceFlush(t.Context()); err == nil {
				t.Error("somebody took it while chartd was away")
			}
			serveAt(t, addr, busy)
			const rounds = 6
			for i := range rounds {
				before := time.Now().UnixMilli()
				livetest.Eventually(t, "the clock goes on: a millisecond has one sample", func() bool { return time.Now().UnixMilli() > before })
				requests.Add(t.Context(), 2, home)
				open.Add(t.Context(), 3)
				open.Add(t.Context(), -2)
				temp.Record(t.Context(), float64(20+i))
				took.Record(t.Context(), 0.05, home)
				took.Record(t.Context(), 0.5, home)
				exponential.Record(t.Context(), 2)
				if err := app.ForceFlush(t.Context()); err != nil {
					t.Fatal(err)
				}
			}

			all := []string{"service.name=shop", "otel_scope_name=test/lib", "otel_scope_version=1.2", "process.pid="}
			for _, want := range []struct {
				metric string
				label  string
				is     float64
			}{
				{"http.requests", "page=home", 2 * rounds},
				{"open", "", rounds},
				{"temp", "", 20 + rounds - 1},
				{"took_count", "page=home", 2 * rounds},
				{"took_sum", "page=home", 0.55 * rounds},
				{"took_bucket", "le=0.1", rounds},
				{"took_bucket", "le=1", 2 * rounds},
				{"took_bucket", "le=+Inf", 2 * rounds},
				{"took_max", "page=home", 0.5},
				{"exponential_count", "", rounds},
				{"exponential_sum", "", 2 * rounds},
			} {
				labels := all
				if want.label != "" {
					labels = append([]string{want.label}, all...)
				}
				s := r.one(want.metric, labels...)
				if got := last(s); got < want.is-1e-9 || got > want.is+1e-9 || len(s) != rounds {
					t.Errorf("%s{%s} is %v, want %v: %v", want.metric, want.label, got, want.is, s)
				}
			}
			if st := r.status("otlp"); st.Rejected != 0 || st.Skipped == 0 || st.Error != "" {
				t.Errorf("%+v", st)
			}
		})
	}
}

// TestOTLPIsTold lets the SDK export what chartd does not take: all of it, and a part.
func TestOTLPIsTold(t *testing.T) {
	t.Parallel()
	addr := address(t)
	r := start(t, "store: {max_series: 1}")
	serveAt(t, addr, r)
	app := newApplication(t, addr, sdk.DefaultTemporalitySelector)
	gauge := must[metric.Int64Gauge](t)(app.meter.Int64Gauge("g"))
	gauge.Record(t.Context(), 1)
	gauge.Record(t.Context(), 2, metric.WithAttributes(attribute.Bool("second", true)))
	var err error
	livetest.Eventually(t, "it runs, and takes one", func() bool { err = app.ForceFlush(t.Context()); return len(r.store.Select("g", nil)) == 1 })
	if err == nil || !strings.Contains(err.Error(), "1 of 2 points were rejected; the first, point ") || !strings.Contains(err.Error(), "the limit of store.max_series (1) is reached") {
		t.Errorf("of a part the exporter says: %v", err)
	}
	other := newApplication(t, addr, sdk.DefaultTemporalitySelector, otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{}))
	must[metric.Int64Gauge](t)(other.meter.Int64Gauge("other")).Record(t.Context(), 1)
	if err := other.ForceFlush(t.Context()); err == nil || !strings.Contains(err.Error(), "429") && !strings.Contains(err.Error(), "retry-able") {
		t.Errorf("of nothing the exporter says: %v", err)
	}
}

// TestOTLPNeedsTheToken holds that the daemon guards what it receives.
func TestOTLPNeedsTheToken(t *testing.T) {
	t.Parallel()
	base := serveDaemon(t, "127.0.0.1:0", `
auth: {anonymous: {read: ["*"]}, ingest: [{name: shop, token: sesame-sesame-sesame-sesame}]}
charts: {t: {series: [{metric: temp}]}}
`)
	addr := strings.TrimPrefix(base, "http://")
	for token, taken := range map[string]bool{"": false, "wrong-wrong-wrong-wrong": false, "sesame-sesame-sesame-sesame": true} {
		app := newApplication(t, addr, sdk.DefaultTemporalitySelector, otlpmetrichttp.WithHeaders(map[string]string{"Authorization": "Bearer " + token}))
		must[metric.Float64Gauge](t)(app.meter.Float64Gauge("temp")).Record(t.Context(), 21.5)
		err := app.ForceFlush(t.Context())
		if taken != (err == nil) || !taken && !strings.Contains(fmt.Sprint(err), "401") {
			t.Errorf("with the token %q: %v", token, err)
		}
		if errors.Is(err, context.DeadlineExceeded) {
			t.Error("it tries again what will not be taken")
		}
	}
}
