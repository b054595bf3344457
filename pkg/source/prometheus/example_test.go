package prometheus_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/secret"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/prometheus"
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

// One query over the last minute. The server of this example says always the
// same; test/sources asks a real one.
func Example() {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.FormValue("query"), "in steps of", r.FormValue("step"), "s")
		end, _ := strconv.ParseInt(r.FormValue("end"), 10, 64)
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"room":"lab"},"values":[[%d,"20"],[%d,"21.5"]]}]}}`, end-10, end)
	}))
	defer srv.Close()

	cfg := prometheus.DefaultConfig()
	cfg.URL = secret.URL(srv.URL)
	cfg.Queries = map[string]string{"temperature": "avg by (room) (temp_celsius)"}
	cfg.Step, cfg.Window = quantity.Duration(10*time.Second), quantity.Duration(time.Minute)
	src, err := cfg.New(source.Deps{Name: "prom", Logger: zap.NewNop(), Skip: func(int) {}, Reject: func(int, error) {}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := src.Run(ctx, &printer{2, cancel}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// avg by (room) (temp_celsius) in steps of 10 s
	// temperature{room="lab"} 20
	// temperature{room="lab"} 21.5
}
