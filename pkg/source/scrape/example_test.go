package scrape_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/secret"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/scrape"
	"github.com/chartd/chartd/pkg/store"
)

// printer shows what a source brings, and stops it after as many samples.
type printer struct {
	left int
	stop func()
}

func (p *printer) Append(metric string, labels store.Labels, _ int64, v float64) error {
	fmt.Printf("%s%s %v\n", metric, labels, v)
	if p.left--; p.left == 0 {
		p.stop()
	}
	return nil
}

// A program's own metrics, read once.
func Example() {
	reg := prometheus.NewRegistry()
	served := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "served_total", Help: "Meals."}, []string{"meal"})
	reg.MustRegister(served)
	served.WithLabelValues("lunch").Add(3)
	srv := httptest.NewServer(promhttp.HandlerFor(reg, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	defer srv.Close()

	cfg := scrape.DefaultConfig()
	cfg.URL = secret.URL(srv.URL + "/metrics")
	cfg.Labels = map[string]string{"instance": "kitchen"}
	src, err := cfg.New(source.Deps{Name: "canteen", Logger: zap.NewNop(), Skip: func(int) {}, Reject: func(int, error) {}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := src.Run(ctx, &printer{1, cancel}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// served_total{instance="kitchen", job="canteen", meal="lunch"} 3
}
