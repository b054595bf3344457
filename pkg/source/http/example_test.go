package http_test

import (
	"context"
	"fmt"
	nethttp "net/http"
	"net/http/httptest"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/secret"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/http"
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

// A device that answers JSON; jq makes the rows.
func Example() {
	srv := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		fmt.Fprint(w, `{"channels":[{"name":"heater","w":1200},{"name":"pump","w":35}]}`)
	}))
	defer srv.Close()

	cfg := http.DefaultConfig()
	cfg.URL = secret.URL(srv.URL)
	cfg.Query, cfg.Labels = ".channels[] | {power: .w, channel: .name}", []string{"channel"}
	src, err := cfg.New(source.Deps{Name: "meter", Logger: zap.NewNop(), Skip: func(int) {}, Reject: func(int, error) {}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := src.Run(ctx, &printer{2, cancel}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// meter_power{channel="heater"} 1200
	// meter_power{channel="pump"} 35
}
